"""The parts of a run: the engine, the oracle and the abstraction, for a cache with or without a host tier."""

from typing import Any, NamedTuple

from radixcheck.verification.checker.abstraction import Abstraction
from radixcheck.verification.checker.engine import Engine
from radixcheck.verification.checker.host_abstraction import HostAbstraction
from radixcheck.verification.checker.host_engine import HostEngine
from radixcheck.verification.checker.host_oracle import HostOracle
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.core.choices import CHOICES
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.watched_copier import Contents
from radixcheck.verification.operations import FAIL


class HostParts(NamedTuple):
    """The parts of a run of a cache with a host tier, as what they are."""

    engine: HostEngine
    oracle: HostOracle
    abstraction: HostAbstraction


class Parts(NamedTuple):
    """The parts of a run. `host`: the same, if the cache has a host tier."""

    engine: Engine
    oracle: Oracle
    abstraction: Abstraction
    host: HostParts | None


def run_parts(factory: Any, config: Config, events: bool = False) -> Parts:
    """Make a cache, and what checks it. `events`: the cache is to emit KV events, if it can."""
    policy, size, pages, tier = config.policy, config.page_size, config.pool // config.page_size, config.tier
    if tier is None:
        engine = Engine(factory, policy, size, config.pool, config.device, events=events)
        oracle = Oracle(policy, size, pages, _followed(engine))
        return Parts(engine, oracle, Abstraction(oracle.positions, engine.pool, policy, oracle.written), None)
    host_engine = HostEngine(factory, policy, size, config.pool, config.device, tier, events)
    copier = host_engine.copier
    host_oracle = HostOracle(policy, size, pages, tier, copier, _followed(host_engine))
    host_oracle.can_fail = FAIL not in host_engine.supports.without
    contents = copier.contents = Contents(host_oracle.positions, host_oracle.written, host_oracle.host_written)
    abstraction = HostAbstraction(host_oracle.positions, copier.device, policy, contents, copier.host)
    return Parts(host_engine, host_oracle, abstraction, HostParts(host_engine, host_oracle, abstraction))


def _followed(engine: Engine) -> frozenset[str]:
    """Return the choices of a subject that the specification follows."""
    return frozenset(engine.supports.choices.keys() & CHOICES.keys())
