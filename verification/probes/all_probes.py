"""All probes, by name. Each is a task of its own, a pure function of a subject and a configuration."""

from collections.abc import Callable, Iterable
from functools import partial

from radixcheck.verification.checker.blame import of_crash
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.printable import error_text, let_interrupt_pass
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.probes.alias_probe import probe_alias
from radixcheck.verification.probes.cost_probe import probe_evict_cost, probe_key_cost, probe_reset_cost, probe_surroundings
from radixcheck.verification.probes.cycles import CYCLES, WRONG_CALLS
from radixcheck.verification.probes.depth import probe_depth
from radixcheck.verification.probes.host_cycles import HOST_CYCLES
from radixcheck.verification.probes.memory_probe import probe_cycles, probe_storage
from radixcheck.verification.probes.namespaces import probe_namespaces

POOL_PAGES = 4096  # that the pool of the configuration must hold
NEEDED = {"insert", "match", "evict"}  # a subject with these has all probes, of the verbs that it has

_PROBES: dict[str, Callable[[Factory, Config], RunResult]] = {
    "cycles": partial(probe_cycles, CYCLES),
    "storage": probe_storage,
    "evict cost": probe_evict_cost,
    "reset cost": probe_reset_cost,
    "key cost": probe_key_cost,
    "surroundings": probe_surroundings,
    "depth": probe_depth,
    "alias": probe_alias,
    "namespaces": probe_namespaces,
    "wrong calls": partial(probe_cycles, WRONG_CALLS),
    "host cycles": partial(probe_cycles, HOST_CYCLES),
}
MISUSING = ("wrong calls",)  # only where wrong calls may be made
OF_HOST = ("host cycles",)  # only in configurations with a host tier
PROBES = tuple(name for name in _PROBES if name not in (*MISUSING, *OF_HOST))


def probed(factory: Factory, config: Config, name: str) -> RunResult:
    """Run one probe. An exception of the subject is recorded as a violation; what the subject has no operations for is left out."""
    try:
        return _PROBES[name](factory, config)
    except BaseException as error:  # whatever a subject raises where it is only measured
        let_interrupt_pass(error)
        result = RunResult(runs=1)
        violation = Violation(of_crash(error), f"raised {error_text(error)}, under a large load")
        result.record([violation], getattr(error, "trace", ()), config)
        return result


def all_probed(factory: Factory, config: Config, names: Iterable[str] = PROBES) -> RunResult:
    """Run these probes, one after the other."""
    return RunResult.of(probed(factory, config, name) for name in names)
