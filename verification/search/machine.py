"""The checker under Hypothesis: a search through many examples, and a test case for a test suite.

`hypothesis_batches` collects all faults; `state_machine_test` and `machine_run` fail at the first fault, which Hypothesis shrinks.

A rule that never fires shows nothing. `hypothesis_batches` counts each rule by its name, and `never_fired` returns those with a count of
zero: a run with such a rule is undecided, not passed.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any
from unittest import TestCase

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import seed as seeded
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.subject import Factory, Subject
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.host_rules import HostRules
from radixcheck.verification.search.rules import Machine, MisusedMachine, Plan, WantedFailed, rule_names

# Examples that Hypothesis makes at a time. After the tenth it varies each new example up to five times: most examples of a longer run
# would be similar, and it finds less than as many examples in batches.
BATCH = 10
FLAKY = "the same operations were possible at first, and not when they were repeated on a fresh cache: it had failed on the way"
POOLS = (4, 6, 10, 16, 24)  # pages; a key has up to four and an unfinished one, so the smallest pools refuse
TIERS = ((2, 2), (4, 3), (6, 8), (10, 6), (16, 24))  # pages of the device and of the host


def plan_for(
    factory: Factory,
    policies: Sequence[str],
    page_sizes: Sequence[int],
    stride: int,
    strict: bool,
    wanted: str = "",
    modes: Sequence[str] = (),
) -> Plan:
    """Return a plan with every policy, page size and pool; with modes also with host pools in each of them."""
    pairs, supports = list(product(policies, page_sizes)), factory.supports if isinstance(factory, Subject) else Supports()
    flat = tuple(Config(policy, size, size * pool) for (policy, size), pool in product(pairs, POOLS))
    tiered = tuple(
        Config(policy, size, size * pool, host_pool=size * supports.host_size(pool, host), mode=mode)
        for (policy, size), (pool, host), mode in product(pairs, TIERS, modes)
    )
    return Plan(factory, flat + tiered, stride, strict, wanted, tiered=bool(modes))


def machine_class(plan: Plan, misused: bool) -> type[Machine]:
    """Return a state machine with this plan."""
    base = MisusedMachine if misused else Machine
    bases = (HostRules, base) if plan.tiered else (base,)  # a rule that is never enabled would change what Hypothesis draws
    return type(base.__name__, bases, {"plan": plan, "__doc__": base.__doc__})


def hypothesis_batches(
    factory: Factory,
    policies: Sequence[str],
    page_sizes: Sequence[int],
    seed: int,
    examples: int,
    steps: int = 50,
    stride: int = 8,
    misused: bool = False,
    wanted: str = "",
    modes: Sequence[str] = (),
) -> Iterator[RunResult]:
    """Run all examples and yield the results batch by batch, with all faults; stop if the property `wanted` fails or the subject is lost.

    `fired` counts rules by name; those that never fired with zero. The seed repeats a run with the same version of Hypothesis: no rule
    draws a number of 100 or more, for which Hypothesis would also try constants from the sources of loaded modules. The traces of faults
    repeat them with any version.
    """
    for first in range(0, examples, BATCH):
        number = min(BATCH, examples - first)
        plan = plan_for(factory, policies, page_sizes, stride, strict=False, wanted=wanted, modes=modes)
        how = _settings(number, steps, phases=(Phase.generate,), database=None, verbosity=Verbosity.quiet)
        try:
            run_state_machine_as_test(seeded(seed * examples + first)(machine_class(plan, misused)), settings=how)
        except WantedFailed:
            pass
        except Flaky:  # what can be done next depends on the cache alone
            for trace, config in plan.last:
                plan.result.record([Violation("DETERMINISM", FLAKY)], trace, config)
        yield plan.result
        if plan.result.broken(wanted) or plan.result.lost:  # a timeout takes longer than all the rest
            return


def never_fired(result: RunResult) -> tuple[str, ...]:
    """Return the rules with a count of zero; every rule, if no example ran."""
    names = result.fired or rule_names(Supports(), misused=False)
    return tuple(sorted(name for name in names if not result.fired[name]))


def state_machine_test(
    factory: Factory,
    policies: Sequence[str] = ("lru",),
    page_sizes: Sequence[int] = (1, 2),
    stride: int = 8,
    misused: bool = False,
    modes: Sequence[str] = (),
) -> type[TestCase]:
    """Return a test case for a test suite: `TestMyCache = state_machine_test(my_factory)`. `modes`: of a host tier, if it has one.

    Hypothesis shrinks faults and keeps them in its database. For other settings assign `TestMyCache.settings`.
    """
    machine = machine_class(plan_for(factory, policies, page_sizes, stride, strict=True, modes=modes), misused)
    case: type[TestCase] = machine.TestCase
    case.settings = _settings(examples=200, steps=50)  # type: ignore[attr-defined]
    return case


def machine_run(
    factory: Factory, policies: Sequence[str], page_sizes: Sequence[int], seed: int, examples: int, steps: int, modes: Sequence[str] = ()
) -> RunResult:
    """Run the same test now; the seed repeats it. Raise AssertionError with the operations of the first fault, shrunk."""
    plan = plan_for(factory, policies, page_sizes, stride=8, strict=True, modes=modes)
    phases = (Phase.reuse, Phase.generate, Phase.shrink)  # without Phase.explain, which takes longest: the message lists the operations
    how = _settings(examples, steps, phases=phases, verbosity=Verbosity.quiet)
    run_state_machine_as_test(seeded(seed)(machine_class(plan, misused=False)), settings=how)
    return plan.result


def _settings(examples: int, steps: int, **others: Any) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        **others,
    )
