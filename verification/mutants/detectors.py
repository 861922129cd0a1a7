"""The detectors: ways to find the fault of a mutant. Each is a search that yields its results part by part.

The caller stops a search as soon as the property that must catch the mutant is broken. To add a detector, add an entry to `DETECTORS`: a
name, a search, and a function that returns why the detector is not run on a mutant.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from radixcheck.verification.core.config import Config
from radixcheck.verification.core.found import Found, Violation
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.explore.explore import explore
from radixcheck.verification.explore.scopes import SCOPES
from radixcheck.verification.mutants.mutant import Mutant
from radixcheck.verification.mutants.proof_detector import STATED, refutation
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.machine import hypothesis_batches
from radixcheck.verification.search.probes import POOL_PAGES, probed
from radixcheck.verification.search.run import RunResult, random_run
from radixcheck.verification.trace_replay.mooncake import read
from radixcheck.verification.trace_replay.replay import replay
from radixcheck.verification.trace_replay.replay_results import Replayed, Settings
from radixcheck.verification.trace_replay.sample import FILE as SAMPLE

EXAMPLES, STEPS = 100, 50  # of the state machine
RUNS, RUN_STEPS = 200, 120  # of the plain driver
POOLS = (6, 10, 16, 24)  # pages, in turn
STATES, EXPLORED_SECONDS = 250, 2.5  # of one scope, at most
REQUESTS = 60  # of the sample trace
REPLAY_PAGES = 240  # of the pool: few enough that the slice evicts
TOKENS_PER_ID = 8

Search = Callable[[Mutant, int], Iterator[RunResult]]


@dataclass(frozen=True, slots=True)
class Detector:
    """A way to find the fault of a mutant."""

    name: str
    search: Search  # of a mutant, with a seed
    hindrance: Callable[[Mutant], str] = lambda _: ""  # why it is not run on a mutant; empty: it is run


def _machine(mutant: Mutant, seed: int) -> Iterator[RunResult]:
    """The Hypothesis state machine, with every formula after every step."""
    where = ((mutant.policy,), (mutant.page_size,))
    return hypothesis_batches(mutant.factory, *where, seed, EXAMPLES, STEPS, 1, _misused(mutant), mutant.property)


def _driver(mutant: Mutant, seed: int) -> Iterator[RunResult]:
    """The plain driver, with every formula after every step. A run that finds nothing is repeated on a second replica."""
    for k in range(RUNS):
        config = Config(mutant.policy, mutant.page_size, mutant.page_size * POOLS[k % len(POOLS)])
        yield random_run(mutant.factory, config, (seed << 32) + k, RUN_STEPS, 1, _misused(mutant), replicated=1)


def _exploration(mutant: Mutant, seed: int) -> Iterator[RunResult]:
    """Every sequence of operations, the shortest first, until STATES states are known. It does not depend on the seed."""
    for scope in SCOPES.values():
        explored = explore(mutant.factory, scope, mutant.policy, mutant.page_size, STATES, EXPLORED_SECONDS)
        found = {each.violation.property: each for each in explored.found}
        yield RunResult(explored.transitions, 1, found=found, after=dict.fromkeys(found, explored.transitions))


def _probes(mutant: Mutant, seed: int) -> Iterator[RunResult]:
    """Memory, depth, cost and many namespaces, in fixed scenarios."""
    yield probed(mutant.factory, Config(mutant.policy, mutant.page_size, mutant.page_size * POOL_PAGES))


def _replay(mutant: Mutant, seed: int) -> Iterator[RunResult]:
    """The beginning of the sample trace."""
    pool = REPLAY_PAGES * mutant.page_size
    settings = Settings(mutant.policy, mutant.page_size, TOKENS_PER_ID * mutant.page_size, pool, running=8, stride=20)
    yield _of_replay(replay(read(SAMPLE, REQUESTS).requests, mutant.factory, settings, second=None), settings)


def _of_replay(replayed: Replayed, settings: Settings) -> RunResult:
    """Return a replay as the result of a run, without a trace."""
    steps = sum(replayed.operations.values())
    result = RunResult(steps=steps, runs=1)
    wrong = []
    if replayed.fault:
        wrong.append(replayed.fault.violation)
    if replayed.leaked:
        wrong.append(Violation("SLOT_PARTITION", f"{replayed.leaked} tokens have no owner when all requests have finished"))
    if replayed.protected:
        wrong.append(Violation("LOCK_COUNT", f"{replayed.protected} tokens are locked when all requests have finished"))
    for violation in wrong:
        result.found[violation.property] = Found(violation, (), Config(settings.policy, settings.page_size, settings.pool))
        result.after[violation.property] = steps
    return result


def _proofs(mutant: Mutant, seed: int) -> Iterator[RunResult]:
    """The same fault in the specification: a claim that is refuted, or a mutant of a step that the proofs catch."""
    refuted = refutation(STATED[mutant.name], seed)
    result = RunResult(runs=1)
    if refuted is not None:
        config = Config(mutant.policy, mutant.page_size, 0)
        result.found[refuted.property] = Found(Violation(refuted.property, refuted.text), (), config)
        result.after[refuted.property] = 0
    yield result


def _misused(mutant: Mutant) -> bool:
    return mutant.property == "MISUSE"


def _makes_no_wrong_calls(mutant: Mutant) -> str:
    return "it makes no wrong calls" if _misused(mutant) else ""


def _serves_no_requests(mutant: Mutant) -> str:
    made = mutant.factory(Setup(mutant.page_size, mutant.policy, WatchedPool(64 * mutant.page_size, mutant.page_size)))
    return _makes_no_wrong_calls(mutant) or ("" if made.supports.requests else "it has no request operations")


def _unstated(mutant: Mutant) -> str:
    return "" if mutant.name in STATED else "the specification cannot state the fault"


DETECTORS = {
    d.name: d
    for d in (
        Detector("machine", _machine),
        Detector("driver", _driver),
        Detector("exploration", _exploration, _serves_no_requests),
        Detector("probes", _probes, _makes_no_wrong_calls),
        Detector("replay", _replay, _serves_no_requests),
        Detector("proofs", _proofs, _unstated),
    )
}
