"""Decides a condition: proves it without bounds, or refutes it by a state on which the transition is run in Python.

`UNKNOWN` is an honest answer: no proof in the time, and no counterexample within the sizes tried.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import Term, expand
from radixcheck.spec.run.terms import functions
from radixcheck.spec.theorems import THEOREMS
from radixcheck.verification.core import status
from radixcheck.verification.proofs.conditions import Condition, parts
from radixcheck.verification.proofs.laws import AXIOMS
from radixcheck.verification.proofs.refute import Counterexample, Search, answer_of, solver_of
from radixcheck.verification.proofs.z3_reader import Reader, z3

TREE = ("NO_ORPHAN", "COVER", "PARENT", "CHILD_KEY")  # the shape of the tree is what most proofs need
STATED = frozenset(p.id for p in (*STATE_FORMULAS, *THEOREMS))
HEAP = frozenset({"queued", "entry", "on", "first", "second"})  # of which the tree alone says nothing
FEW = 8  # hypotheses: of so many none is left out
QUICK = (0.25, 1.0)  # seconds for a proof from few hypotheses, at first and once more
LIMIT = 5.0  # for any other
PROVED, REFUTED, UNKNOWN = status.Verdict.PROVED, status.Verdict.REFUTED, status.Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. Anything but PROVED is no proof."""

    condition: str
    verdict: str
    method: str  # which reader; of a proof also how much it was given
    seconds: float
    seed: int
    hypotheses: tuple[str, ...]
    counterexample: Counterexample | None = None


def decide(condition: Condition, seed: int = 0, seconds: float = LIMIT) -> Verdict:
    """Try to prove from few hypotheses, then to refute in larger and larger sizes, then to prove from all."""
    return next(decide_each(condition, (seed,), seconds))


def decide_each(condition: Condition, seeds: Sequence[int], seconds: float = LIMIT) -> Iterator[Verdict]:
    """Decide with one seed after the other. What is read once is used again; the slice that served last is tried first."""
    every = Proof(condition, list(condition.hypotheses))
    tries = [Proof(given, names) for given, names in slices(condition)]
    search = Search(condition)
    for seed in seeds:
        start = perf_counter()

        def verdict(word: str, method: str, names: Sequence[str], found: Counterexample | None = None) -> Verdict:
            return Verdict(condition.name, word, method, perf_counter() - start, seed, tuple(names), found)  # noqa: B023

        served = next((proof for limit in QUICK for proof in tries if proof.found(seed, limit)), None)
        if served is not None:
            tries.sort(key=lambda proof: proof is not served)
            yield verdict(PROVED, "unbounded", served.names)
            continue
        counterexample = search.found(seed, seconds)
        if counterexample is not None:
            yield verdict(REFUTED, "bounded", every.names, counterexample)
        else:
            yield verdict(PROVED if every.found(seed, seconds) else UNKNOWN, "unbounded", every.names)


def refute_each(condition: Condition, seeds: Sequence[int], seconds: float = LIMIT) -> Iterator[Verdict]:
    """As `decide_each`, but look for a counterexample first: where one is expected."""
    search = Search(condition)
    for seed in seeds:
        start = perf_counter()
        found = search.found(seed, seconds)
        if found is None:
            yield decide(condition, seed, seconds)
        else:
            yield Verdict(condition.name, REFUTED, "bounded", perf_counter() - start, seed, tuple(condition.hypotheses), found)


def slices(condition: Condition) -> list[tuple[Condition, list[str]]]:
    """Few hypotheses with which a proof is likely: the shape of the tree, and all that is said without sums."""
    if condition.step is None or len(condition.hypotheses) <= FEW:  # what follows within one state may follow from anything
        return [(condition, list(condition.hypotheses))]
    own = condition.name.rpartition("/")[2]
    without_sums = replace(condition, laws=_plain(condition.laws), own=lambda goal: _plain(condition.own(goal)))
    extra = [name for name in condition.hypotheses if name == own or name not in STATED]  # given for this very condition
    tree = without_sums, [name for name in condition.hypotheses if name in (*TREE, *extra)]
    plain = condition, [name for name, term in condition.hypotheses.items() if name in extra or not _counts(term)]
    if _counts(condition.formula):
        return [plain]
    return [plain, tree] if functions(condition.formula) & HEAP else [tree, plain]


def _plain(laws: Iterable[Term]) -> tuple[Term, ...]:
    return tuple(law for law in laws if not _counts(law))


def _counts(term: Term) -> bool:
    return next(parts(expand(term), "sum"), None) is not None


class Proof:
    """Hypotheses, laws and goals of one condition, read once; each goal follows if its negation cannot be."""

    def __init__(self, condition: Condition, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._condition = condition
        self._reader = Reader()
        self._read: tuple[list[Any], list[list[Any]]] | None = None

    def _assertions(self) -> tuple[list[Any], list[list[Any]]]:
        """What is given for all goals, and for each the laws that it alone is given and its negation."""
        if self._read is None:
            condition, read = self._condition, self._reader.read
            given = [*AXIOMS.values(), *(condition.hypotheses[n] for n in self.names), *condition.laws]
            goals = [[*map(read, condition.own(goal)), z3.Not(read(goal))] for goal in condition.goals]
            self._read = [read(term) for term in given], goals
        return self._read

    def found(self, seed: int, seconds: float) -> bool:
        """Whether every goal follows, for any number of things, found within the time."""
        given, goals = self._assertions()
        end = perf_counter() + seconds
        # Instances by patterns only: guessing models of so many quantified formulas never ends.
        solver = solver_of(self._reader, seed, auto_config=False, mbqi=False)
        solver.add(*random.Random(seed).sample(given, len(given)))
        for goal in goals:
            left = end - perf_counter()
            solver.push()
            solver.add(*goal)
            if left <= 0 or answer_of(self._reader, solver, left) != z3.unsat:
                return False
            solver.pop()
        return True


def prove(condition: Condition, names: Sequence[str], seed: int, seconds: float) -> bool:
    """Whether every goal follows from the named hypotheses, for any number of things, found within the time."""
    return Proof(condition, names).found(seed, seconds)
