"""Decides a condition: proves it without bounds, or refutes it by a state on which the transition is run in Python.

`UNKNOWN` means that no proof was found with the effort of `refute.answer_of`, and no counterexample within the sizes that were tried.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from radixcheck.spec.host.copy_invariants import HOST_STATE_FORMULAS
from radixcheck.spec.host.host_heap import HOST_HEAP_FORMULAS
from radixcheck.spec.host.host_theorems import HOST_THEOREMS
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import Term
from radixcheck.spec.run.terms import functions
from radixcheck.spec.theorems import THEOREMS
from radixcheck.verification.proofs.conditions import Condition, has_sum
from radixcheck.verification.proofs.laws import AXIOMS
from radixcheck.verification.proofs.proof_results import PROVED, REFUTED, UNKNOWN
from radixcheck.verification.proofs.refute import UNITS, Counterexample, Search, answer_of, solver_of, units_of
from radixcheck.verification.proofs.z3_reader import Reader, z3

TREE = ("NO_ORPHAN", "COVER", "PARENT", "CHILD_KEY")  # the shape of the tree, which most proofs need
TIER = ("REACHABLE", "UNIFORM", "DEVICE_CLOSED", "LOCK_SPAN", "PROTECTED", "NO_UAF", "SPAN", "PAGE_ALIGN")  # what is on which tier
PAGES = ("REACHABLE", "UNIFORM", "PAGE_ALIGN", "MATCH_SOUND", "HOST_SOUND", "SLOT_PARTITION", "HOST_PARTITION")
COPIES = (  # what copies read and write
    *("PINNED", "SOURCE", "TARGET", "ARRIVAL", "HOST_ARRIVAL", "ARRIVED_BEFORE_READ"),
    *("MATCH_SOUND", "HOST_SOUND", "SLOT_PARTITION", "HOST_PARTITION"),
)
CACHE_STATED = frozenset(p.id for p in (*STATE_FORMULAS, *THEOREMS))
HOST_STATED = (
    frozenset(p.id for p in (*HOST_STATE_FORMULAS, *HOST_HEAP_FORMULAS, *HOST_THEOREMS)) - CACHE_STATED
)  # only a condition about the host machine has these
STATED = CACHE_STATED | HOST_STATED
HEAP = frozenset({"queued", "entry", "on", "first", "second"})  # functions of the heap, which the shape of the tree does not constrain
FEW = 8  # hypotheses: up to this number none is left out
QUICK = (0.25, 1.0)  # nominal seconds for the first and the second attempt at a proof from few hypotheses
LIMIT = 5.0  # nominal seconds for any other attempt


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a condition with one seed. Only PROVED is a proof."""

    condition: str
    verdict: str
    method: str  # the reader: unbounded or bounded
    seconds: float
    seed: int
    hypotheses: tuple[str, ...]
    counterexample: Counterexample | None = None


def decide(condition: Condition, seed: int = 0, seconds: float = LIMIT) -> Decision:
    """Try to prove the condition from few hypotheses, then to refute it in growing sizes, then to prove it from all hypotheses."""
    return next(decide_each(condition, (seed,), seconds))


def decide_each(condition: Condition, seeds: Sequence[int], seconds: float = LIMIT) -> Iterator[Decision]:
    """Decide with one seed after the other. Formulas are read once, and the slice with the last proof is tried first."""
    every = Proof(condition, list(condition.hypotheses))
    tries = [Proof(given, names) for given, names in slices(condition)]
    search = Search(condition)
    for seed in seeds:
        start = perf_counter()

        def decision(word: str, method: str, names: Sequence[str], found: Counterexample | None = None) -> Decision:
            return Decision(condition.name, word, method, perf_counter() - start, seed, tuple(names), found)  # noqa: B023

        quick = next((proof for limit in QUICK for proof in tries if proof.found(seed, limit)), None)
        if quick is not None:
            tries.sort(key=lambda proof: proof is not quick)
            yield decision(PROVED, "unbounded", quick.names)
            continue
        counterexample = search.found(seed, seconds)
        if counterexample is not None:
            yield decision(REFUTED, "bounded", every.names, counterexample)
        else:
            yield decision(PROVED if every.found(seed, seconds) else UNKNOWN, "unbounded", every.names)


def refute_each(condition: Condition, seeds: Sequence[int], seconds: float = LIMIT) -> Iterator[Decision]:
    """Decide as `decide_each` does, but search for a counterexample first, because one is expected."""
    search = Search(condition)
    for seed in seeds:
        start = perf_counter()
        found = search.found(seed, seconds)
        if found is None:
            yield decide(condition, seed, seconds)
        else:
            yield Decision(condition.name, REFUTED, "bounded", perf_counter() - start, seed, tuple(condition.hypotheses), found)


def slices(condition: Condition) -> list[tuple[Condition, list[str]]]:
    """Return small sets of hypotheses from which a proof is likely, those that are tried first before the others."""
    if condition.step is None or len(condition.hypotheses) <= FEW:  # a theorem of one state may need any of them
        return [(condition, list(condition.hypotheses))]
    return (_host_slices if condition.hypotheses.keys() & HOST_STATED else _cache_slices)(condition)


def _cache_slices(condition: Condition) -> list[tuple[Condition, list[str]]]:
    """Return the shape of the tree, and all hypotheses without sums."""
    tree = _without_sums(condition), _named(condition, TREE)
    plain = condition, _named(condition, _sumless(condition))
    if has_sum(condition.formula):
        return [plain]
    return [plain, tree] if functions(condition.formula) & HEAP else [tree, plain]


def _host_slices(condition: Condition) -> list[tuple[Condition, list[str]]]:
    """Return the shape of the tree; with it what is on which tier; then the copies, too; then all hypotheses without sums.

    A formula with sums needs all of these, or the sums of the locks, or only the pages of the two tiers.
    """
    tier, copies, plain = (*TREE, *TIER), (*TREE, *TIER, *COPIES), _sumless(condition)
    if has_sum(condition.formula):
        return [(condition, _named(condition, ids)) for ids in (plain, (*copies, "LOCK_COUNT", "LOCK_NONNEG", "COUNT"), (*TREE, *PAGES))]
    without = [(_without_sums(condition), _named(condition, ids)) for ids in (TREE, tier, copies, plain)]
    return [*without, (condition, _named(condition, (*copies, "LOCK_COUNT")))]


def _sumless(condition: Condition) -> tuple[str, ...]:
    return tuple(name for name, term in condition.hypotheses.items() if not has_sum(term))


def _named(condition: Condition, names: Sequence[str]) -> list[str]:
    """Return the named hypotheses, and those that are specific to this condition."""
    own = condition.name.rpartition("/")[2]
    return [name for name in condition.hypotheses if name in names or name == own or name not in STATED]


def _without_sums(condition: Condition) -> Condition:
    """Return the condition without the laws of sums."""
    return replace(condition, laws=_plain(condition.laws), goal_laws=lambda goal: _plain(condition.goal_laws(goal)))


def _plain(laws: Iterable[Term]) -> tuple[Term, ...]:
    return tuple(law for law in laws if not has_sum(law))


class Proof:
    """Proves a condition from some of its hypotheses. The formulas are read once; a goal follows if its negation is unsatisfiable."""

    def __init__(self, condition: Condition, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._condition = condition
        self._reader = Reader()
        self._read: tuple[list[Any], list[list[Any]]] | None = None

    def _assertions(self) -> tuple[list[Any], list[list[Any]]]:
        """Return the assertions for all goals, and for each goal its own laws and its negation."""
        if self._read is None:
            condition, read = self._condition, self._reader.read
            given = [*AXIOMS.values(), *(condition.hypotheses[n] for n in self.names), *condition.laws]
            goals = [[*map(read, condition.goal_laws(goal)), z3.Not(read(goal))] for goal in condition.goals]
            self._read = [read(term) for term in given], goals
        return self._read

    def found(self, seed: int, seconds: float) -> bool:
        """Return whether a proof of every goal, for any number of things, was found in so many nominal seconds."""
        given, goals = self._assertions()
        # Instantiate by patterns only: model-based instantiation of so many quantified formulas does not terminate.
        solver = solver_of(self._reader, seed, auto_config=False, mbqi=False)
        solver.add(*random.Random(seed).sample(given, len(given)))
        begun = units_of(solver)
        for goal in goals:
            left = seconds - (units_of(solver) - begun) / UNITS
            solver.push()
            solver.add(*goal)
            if left <= 0 or answer_of(self._reader, solver, left) != z3.unsat:
                return False
            solver.pop()
        return True


def prove(condition: Condition, names: Sequence[str], seed: int, seconds: float) -> bool:
    """Return whether a proof of every goal from the named hypotheses, for any number of things, was found in so many nominal seconds."""
    return Proof(condition, names).found(seed, seconds)
