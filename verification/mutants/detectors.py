"""The detectors: ways to find the fault of a mutant. Each is a search that yields its results part by part.

The caller stops a search as soon as the property that must catch the mutant is broken. To add a detector, add an entry to `DETECTORS`: a
name, a search, and a function that returns why the detector is not run on a mutant. A search is bounded by examples, runs and states, never
by time, so that its result does not depend on the load of the machine.

The proofs detect faults that the specification can state: the claim that a variant of a step is right, which must be REFUTED, or the
mutant of a step, which must be CAUGHT, each by a state on which the step was run. That kills the fault by the property that the state
breaks; it proves nothing about the program, which the other detectors check.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.explore.explore import explore
from radixcheck.verification.explore.scopes import SCOPES
from radixcheck.verification.mutants.mutant import Mutant, config_of
from radixcheck.verification.probes.all_probes import POOL_PAGES, all_probed
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.machine import hypothesis_batches
from radixcheck.verification.search.run import random_run
from radixcheck.verification.trace_replay.mooncake import read
from radixcheck.verification.trace_replay.replay import replay
from radixcheck.verification.trace_replay.replay_results import Replayed, Settings
from radixcheck.verification.trace_replay.sample import FILE as SAMPLE


@dataclass(frozen=True, slots=True)
class Statement:
    """A fault as the proofs know it."""

    name: str  # of a claim about a variant (`proofs/variants.py`), or of a mutant of a step (`proofs/spec_mutants.py`)
    property: str = ""  # that a refuted claim breaks; empty: it is a mutant of a step, and the formula that catches it gives the property


@dataclass(frozen=True, slots=True)
class Refutation:
    """What broke, and how that is known."""

    property: str
    text: str


STATED = {
    "split_forgets_lock": Statement("split, lock(m): no update"),
    "split_forgets_hits": Statement("split, hits(m): no update"),
    "split_forgets_priority": Statement("split, priority(m): no update"),
    "split_renews_creation": Statement("split, creation(m): becomes one more"),
    "split_forgets_parent": Statement("split, up(c): no update"),
    "match_forgets_touch": Statement("touch, time(q) where node(q) and q <= n: no update"),
    "insert_touches_leaf_only": Statement("grow, time(q) where node(q) and q <= at(h): no update"),
    "insert_without_tick": Statement("grow, now: no update"),
    "insert_keeps_tail": Statement("grow, guard without whole(x)"),
    "insert_counts_duplicates": Statement("grow, protected: becomes one more"),
    "lock_skips_ancestors": Statement("begin, lock(q) where node(q) and q <= n: no update"),
    "unlock_twice": Statement("release, lock(q) where node(q) and q <= at(h): reaches beyond q <= at(h)"),
    "unlock_walks_anew": Statement("release, lock(q) where node(q) and q <= at(h): reaches beyond q <= at(h)"),
    "unlock_accepts_old_receipt": Statement("release, guard without held(h)"),
    "leave_forgets_unlock": Statement("release, lock(q) where node(q) and q <= at(h): no update"),
    "chunk_keeps_old_lock": Statement("relock, lock(q) where node(q) and at(h) < q and q <= x: reaches beyond at(h) < q"),
    "chunk_keeps_own_duplicates": Statement("relock, row(g, q) where g = h and at(h) < q and q <= x: no update"),
    "chunk_keeps_stale_row": Statement("relock, row(g, q) where g = h and at(h) < q and q <= x: no update"),
    "abort_forgets_unlock": Statement("release, lock(q) where node(q) and q <= at(h): no update"),
    "finish_frees_from_zero": Statement(
        "release, owner(page_) where owner(page_) = 2 and holder(page_) = h: reaches beyond owner(page_) = 2"
    ),
    "match_counts_hit": Statement("touch, hits(q) where node(q) and q <= n: becomes one more"),
    "insert_forgets_priority": Statement("touch, priority(q) where node(q) and q <= n: no update"),
    "coarse_clock": Statement("touch, time(q) where node(q) and q <= n: becomes one less"),
    "touch_whole_edge": Statement("touch, time(q) where node(q) and q <= n: reaches beyond q <= n"),
    "evict_keeps_node": Statement("evict, cached(q) where up(n) < q and q <= n: no update"),
    "abort_leaks_row": Statement("release, owner(page_) where owner(page_) = 2 and holder(page_) = h: no update"),
    "abort_leaks_tail": Statement("release, owner(page_) where owner(page_) = 2 and holder(page_) = h: no update"),
    "evict_ignores_lock": Statement("evict, guard without lock(n) = 0"),
    "evict_internal": Statement("evict, guard without leaf(n)"),
    "reset_keeps_slots": Statement("reset, owner(s) where owner(s) /= 0: no update"),
    "reset_while_held": Statement("reset, guard without for all g: not held(g)"),
    "evict_decrements_twice": Statement("Q4-TWICE", "COUNT"),
    "evict_keeps_size": Statement("Q4-NEVER", "COUNT"),
    "evict_deletes_unfreed": Statement("Q4-DELETE-ALONE", "COUNT"),
    "evict_frees_and_keeps": Statement("Q4-FREE-ALONE", "COUNT"),
    "evict_frees_the_deleted": Statement("Q2-NO-GUARD", "COUNT"),
    "heap_trusts_old_entries": Statement("Q1-UNCHECKED", "NO_ORPHAN"),
    "evict_forgets_parent": Statement("lru evict, queued(f): no update"),
    "release_forgets_push": Statement("lru release, queued(e): no update"),
    "touch_without_push": Statement("LAZY-mru", "HEAP_STALE"),
}


class Undecided(Exception):
    """A search cannot decide whether it finds the fault."""


def refutation(stated: Statement, seed: int) -> Refutation | None:
    """What refutes the fault; None if it is proved to be none. Raise Undecided if the solver gives no answer.

    Raise KeyError for a claim, or a mutant of a step, that there is none of.
    """
    return _of_claim(stated, seed) if stated.property else _of_step(stated.name, seed)


def _of_claim(stated: Statement, seed: int) -> Refutation | None:
    from radixcheck.verification.proofs.decide import refute_each
    from radixcheck.verification.proofs.proof_results import PROVED, REFUTED
    from radixcheck.verification.proofs.variants import variants

    (decided,) = refute_each(variants()[stated.name], (seed,))
    if decided.verdict not in (PROVED, REFUTED):
        raise Undecided(f"the claim {stated.name} is {decided.verdict}")
    return Refutation(stated.property, f"the claim {stated.name} is refuted") if decided.verdict == REFUTED else None


def _of_step(name: str, seed: int) -> Refutation | None:
    from radixcheck.verification.proofs.proof_results import CAUGHT, SURVIVED
    from radixcheck.verification.proofs.spec_mutants.generate_mutants import mutants
    from radixcheck.verification.proofs.spec_mutants.judge_mutants import judge_part

    ((verdict, by, _),) = judge_part([{mutant.name: number for number, mutant in enumerate(mutants())}[name]], seed)
    if verdict == SURVIVED:
        raise Undecided(f"the changed step, {name}, was neither caught nor proved to be equivalent")
    return Refutation(by.partition(" ")[0].rpartition("/")[2], f"the changed step breaks {by}") if verdict == CAUGHT else None


STEPS = 50  # of an example of the state machine
RUN_STEPS = 120  # of a run of the plain driver
REQUESTS = 60  # of the sample trace
REPLAY_PAGES = 240  # of the pool: few enough that the slice evicts
TOKENS_PER_ID = 8


@dataclass(frozen=True, slots=True)
class Effort:
    """How far a mutant is searched: the size of each search that finds nothing."""

    examples: int = 100  # of the state machine
    runs: int = 100  # of the plain driver
    states: int = 250  # of one scope of the exploration


EFFORT = Effort()
Search = Callable[[Mutant, int, Effort], Iterator[RunResult]]


@dataclass(frozen=True, slots=True)
class Detector:
    """A way to find the fault of a mutant."""

    name: str
    search: Search  # of a mutant, with a seed and an effort
    hindrance: Callable[[Mutant], str] = lambda _: ""  # why it is not run on a mutant; empty: it is run


def _machine(mutant: Mutant, seed: int, effort: Effort) -> Iterator[RunResult]:
    """The Hypothesis state machine, with every formula after every step."""
    where = ((mutant.policy,), (mutant.page_size,))
    modes = (mutant.mode,) if mutant.mode else ()
    return hypothesis_batches(mutant.factory, *where, seed, effort.examples, STEPS, 1, _misused(mutant), mutant.property, modes)


def _driver(mutant: Mutant, seed: int, effort: Effort) -> Iterator[RunResult]:
    """The plain driver, with every formula after every step. A run that finds nothing is repeated on a second replica."""
    for k in range(effort.runs):
        yield random_run(mutant.factory, config_of(mutant, k), (seed << 32) + k, RUN_STEPS, 1, _misused(mutant), replicated=1)


def _exploration(mutant: Mutant, seed: int, effort: Effort) -> Iterator[RunResult]:
    """Every sequence of operations, the shortest first, until enough states are known. It does not depend on the seed."""
    for scope in (each for each in SCOPES.values() if each.mode == mutant.mode):
        explored = explore(mutant.factory, scope, mutant.policy, mutant.page_size, effort.states)
        found = {each.violation.property: each for each in explored.found}
        yield RunResult(explored.transitions, 1, found=found, after=dict.fromkeys(found, explored.transitions))


def _probes(mutant: Mutant, seed: int, effort: Effort) -> Iterator[RunResult]:
    """Memory, depth, cost, shared storage and many namespaces, in fixed scenarios."""
    yield all_probed(mutant.factory, Config(mutant.policy, mutant.page_size, mutant.page_size * POOL_PAGES))


def _replay(mutant: Mutant, seed: int, effort: Effort) -> Iterator[RunResult]:
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


def _proofs(mutant: Mutant, seed: int, effort: Effort) -> Iterator[RunResult]:
    """The same fault made in the specification: a claim that is refuted, or a mutant of a step that the proofs notice."""
    refuted = refutation(STATED[mutant.name], seed)
    result = RunResult(runs=1)
    if refuted is not None:
        result.record([Violation(refuted.property, refuted.text)], (), Config(mutant.policy, mutant.page_size, 0))
    yield result


def _misused(mutant: Mutant) -> bool:
    return mutant.property == "MISUSE"


def _makes_no_wrong_calls(mutant: Mutant) -> str:
    return "it makes no wrong calls" if _misused(mutant) else ""


def _serves_no_requests(mutant: Mutant) -> str:
    made = mutant.factory(Setup(mutant.page_size, mutant.policy, WatchedPool(64 * mutant.page_size, mutant.page_size)))
    return _makes_no_wrong_calls(mutant) or ("" if made.supports.requests else "it has no request operations")


DETECTORS = {
    d.name: d
    for d in (
        Detector("machine", _machine),
        Detector("driver", _driver),
        Detector("exploration", _exploration, _serves_no_requests),
        Detector("probes", _probes, _makes_no_wrong_calls),
        Detector("replay", _replay, _serves_no_requests),
        Detector("proofs", _proofs, lambda mutant: "" if mutant.name in STATED else "the specification cannot state the fault"),
    )
}
