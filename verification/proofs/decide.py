"""Decides a condition: proves it without bounds, or refutes it by a state on which the transition is run in Python.

`UNKNOWN` is an honest answer: no proof in the time, and no counterexample within the sizes tried.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from threading import Timer
from time import perf_counter
from typing import Any

from radixcheck.spec.logic import Term, conj, expand, lift, total
from radixcheck.spec.signature import PAGE, capacity, page_size
from radixcheck.verification.model.reader import Binding, check, run
from radixcheck.verification.model.state import State
from radixcheck.verification.model.terms import functions
from radixcheck.verification.proofs.conditions import Condition, parts
from radixcheck.verification.proofs.laws import AXIOMS
from radixcheck.verification.proofs.replay import state_of
from radixcheck.verification.proofs.z3_reader import Reader, z3

TREE = ("NO_ORPHAN", "COVER", "PARENT", "CHILD_KEY")  # the shape of the tree is what most proofs need
HEAP = frozenset({"queued", "entry", "on", "first", "second"})  # of which the tree alone says nothing
FEW = 8  # hypotheses: of so many none is left out
QUICK = 1.0  # seconds for a proof from few hypotheses
LIMIT = 5.0  # for any other
PROVED, REFUTED, UNKNOWN = "PROVED", "REFUTED", "UNKNOWN"
SIZES = tuple(
    {"Position": positions, "Page": pages, "Request": requests, "Entry": 3, "Namespace": 2}
    for positions, pages, requests in ((3, 2, 1), (3, 2, 2), (4, 3, 2))
)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A state in which the hypotheses hold, and the one after it, in which the formula does not."""

    before: State
    after: State
    arguments: tuple[int, ...]
    violated: Binding


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

        served = next((proof for proof in tries if proof.found(seed, QUICK)), None)
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
    without_sums = replace(condition, laws=tuple(law for law in condition.laws if not _counts(law)))
    tree = without_sums, [name for name in condition.hypotheses if name in (*TREE, own, "guard")]
    plain = condition, [name for name, term in condition.hypotheses.items() if name == own or not _counts(term)]
    if _counts(condition.formula):
        return [plain]
    return [plain, tree] if functions(condition.formula) & HEAP else [tree, plain]


def _counts(term: Term) -> bool:
    return next(parts(expand(term), "sum"), None) is not None


def _check(reader: Reader, seed: int, seconds: float, assertions: Iterable[Any], **options: Any) -> Any:
    """The solver after its check; it is interrupted if it does not keep its own time limit."""
    solver = z3.SimpleSolver(ctx=reader.context)
    solver.set(timeout=int(1000 * seconds), random_seed=seed, **options)
    solver.add(*assertions)
    timer = Timer(seconds + 1, reader.context.interrupt)
    timer.start()
    try:
        return solver, solver.check()
    finally:
        timer.cancel()


class Proof:
    """Hypotheses, laws and goals of one condition, read once; each goal follows if its negation cannot be."""

    def __init__(self, condition: Condition, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._condition = condition
        self._reader = Reader()
        self._read: tuple[list[Any], list[Any]] | None = None

    def _assertions(self) -> tuple[list[Any], list[Any]]:
        if self._read is None:
            given = [*AXIOMS.values(), *(self._condition.hypotheses[n] for n in self.names), *self._condition.laws]
            read = self._reader.read
            self._read = [read(term) for term in given], [z3.Not(read(goal)) for goal in self._condition.goals]
        return self._read

    def found(self, seed: int, seconds: float) -> bool:
        """Whether every goal follows, for any number of things, found within the time."""
        given, goals = self._assertions()
        shuffled, end = random.Random(seed).sample(given, len(given)), perf_counter() + seconds
        for goal in goals:
            left = end - perf_counter()
            # Instances by patterns only: guessing models of so many quantified formulas never ends.
            options = {"auto_config": False, "mbqi": False}
            if left <= 0 or _check(self._reader, seed, left, [*shuffled, goal], **options)[1] != z3.unsat:
                return False
        return True


def prove(condition: Condition, names: Sequence[str], seed: int, seconds: float) -> bool:
    """Whether every goal follows from the named hypotheses, for any number of things, found within the time."""
    return Proof(condition, names).found(seed, seconds)


class Search:
    """Looks for a counterexample among few things. Each size is read once."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._read: list[tuple[Reader, list[Any]]] = []

    def found(self, seed: int, seconds: float) -> Counterexample | None:
        """A counterexample of the least size tried, confirmed by running it."""
        for i, size in enumerate(SIZES):
            if i == len(self._read):
                self._read.append(_bounded([*self._condition.hypotheses.values(), ~conj(*self._condition.goals)], size))
            reader, given = self._read[i]
            solver, answer = _check(reader, seed, seconds, given)
            found = replay(self._condition, reader, solver.model()) if answer == z3.sat else None
            if found is not None:
                return found
        return None


def witness(terms: Iterable[Term], size: Mapping[str, int], seed: int, seconds: float) -> tuple[Reader, Any] | None:
    """A model of the formulas with so many things, if there is one."""
    reader, given = _bounded(terms, size)
    solver, answer = _check(reader, seed, seconds, given)
    return (reader, solver.model()) if answer == z3.sat else None


def _bounded(terms: Iterable[Term], size: Mapping[str, int]) -> tuple[Reader, list[Any]]:
    """The formulas over so many things, with what is always true of them."""
    reader = Reader(size)
    pages = total(PAGE, lambda s: lift(True), lambda s: page_size)
    return reader, [reader.read(t) for t in (*AXIOMS.values(), capacity == pages, page_size <= 2, *terms)]


_compiled = cache(check)  # terms are told apart by identity: the same one comes with every seed


def replay(condition: Condition, reader: Reader, model: Any) -> Counterexample | None:
    """The counterexample that a model describes, if the Python reader agrees with every word of it."""
    before, numbers = state_of(reader, model)
    after, _ = state_of(reader, model)
    step = condition.step
    parameters = step.parameters if step else ()
    values = [model.eval(reader.read(p), model_completion=True) for p in parameters]
    arguments = tuple(numbers[v] if v in numbers else v.as_long() for v in values)
    if step is not None:
        run(step, after, *arguments)
    if any(_compiled(term)(before) is not None for id_, term in condition.hypotheses.items() if id_ != "guard"):
        return None
    violated = _compiled(condition.formula, parameters)(after, before, *arguments)
    return None if violated is None else Counterexample(before, after, arguments, violated)
