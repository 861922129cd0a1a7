"""Decides a condition: proves it without bounds, or refutes it by a state on which the transition is run in Python.

`UNKNOWN` is an honest answer: no proof in the time, and no counterexample within the sizes tried.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from threading import Timer
from time import perf_counter
from typing import Any

from radixcheck.spec.catalogue import THEOREMS
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import Term, conj, expand, lift, total
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.signature import PAGE, capacity, page_size
from radixcheck.verification.model.reader import Binding, check, run
from radixcheck.verification.model.state import State
from radixcheck.verification.model.terms import functions
from radixcheck.verification.proofs.conditions import LRU, Condition, parts, speaks_of_keys, under
from radixcheck.verification.proofs.laws import AXIOMS
from radixcheck.verification.proofs.replay import state_of
from radixcheck.verification.proofs.z3_reader import Reader, z3

TREE = ("NO_ORPHAN", "COVER", "PARENT", "CHILD_KEY")  # the shape of the tree is what most proofs need
STATED = frozenset(p.id for p in (*STATE_FORMULAS, *THEOREMS))
HEAP = frozenset({"queued", "entry", "on", "first", "second"})  # of which the tree alone says nothing
QUICK = (0.25, 1.0)  # seconds for a proof from few hypotheses, at first and once more
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
    for seed in seeds:
        start = perf_counter()

        def verdict(word: str, method: str, names: Sequence[str], found: Counterexample | None = None) -> Verdict:
            return Verdict(condition.name, word, method, perf_counter() - start, seed, tuple(names), found)  # noqa: B023

        served = next((proof for limit in QUICK for proof in tries if proof.found(seed, limit)), None)
        if served is not None:
            tries.sort(key=lambda proof: proof is not served)
            yield verdict(PROVED, "unbounded", served.names)
            continue
        counterexample = refute(condition, seed, seconds)
        if counterexample is not None:
            yield verdict(REFUTED, "bounded", every.names, counterexample)
        else:
            yield verdict(PROVED if every.found(seed, seconds) else UNKNOWN, "unbounded", every.names)


def refute_each(condition: Condition, seeds: Sequence[int], seconds: float = LIMIT) -> Iterator[Verdict]:
    """As `decide_each`, but look for a counterexample first: where one is expected."""
    for seed in seeds:
        start = perf_counter()
        found = refute(condition, seed, seconds)
        if found is None:
            yield decide(condition, seed, seconds)
        else:
            yield Verdict(condition.name, REFUTED, "bounded", perf_counter() - start, seed, tuple(condition.hypotheses), found)


def slices(condition: Condition) -> list[tuple[Condition, list[str]]]:
    """Few hypotheses with which a proof is likely: the shape of the tree, and all that is said without sums."""
    if condition.step is None:  # what follows within one state may follow from anything
        return [(condition, list(condition.hypotheses))]
    own = condition.name.rpartition("/")[2]
    without_sums = replace(condition, laws=_plain(condition.laws), own={goal: _plain(laws) for goal, laws in condition.own.items()})
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


def _solver(reader: Reader, seed: int, **options: Any) -> Any:
    solver = z3.SimpleSolver(ctx=reader.context)
    solver.set(random_seed=seed, **options)
    return solver


def _check(reader: Reader, solver: Any, seconds: float) -> Any:
    """The solver's answer; it is interrupted if it does not keep its own time limit."""
    solver.set(timeout=int(1000 * seconds))
    timer = Timer(seconds + 1, reader.context.interrupt)
    timer.start()
    try:
        return solver.check()
    finally:
        timer.cancel()


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
            goals = [[*map(read, condition.own.get(goal, ())), z3.Not(read(goal))] for goal in condition.goals]
            self._read = [read(term) for term in given], goals
        return self._read

    def found(self, seed: int, seconds: float) -> bool:
        """Whether every goal follows, for any number of things, found within the time."""
        given, goals = self._assertions()
        end = perf_counter() + seconds
        # Instances by patterns only: guessing models of so many quantified formulas never ends.
        solver = _solver(self._reader, seed, auto_config=False, mbqi=False)
        solver.add(*random.Random(seed).sample(given, len(given)))
        for goal in goals:
            left = end - perf_counter()
            solver.push()
            solver.add(*goal)
            if left <= 0 or _check(self._reader, solver, left) != z3.unsat:
                return False
            solver.pop()
        return True


def prove(condition: Condition, names: Sequence[str], seed: int, seconds: float) -> bool:
    """Whether every goal follows from the named hypotheses, for any number of things, found within the time."""
    return Proof(condition, names).found(seed, seconds)


def refute(condition: Condition, seed: int, seconds: float) -> Counterexample | None:
    """A counterexample of the least size tried, confirmed by running it."""
    for size, case in product(SIZES, _cases(condition)):
        model = witness([*case.hypotheses.values(), ~conj(*case.goals)], size, seed, seconds)
        if model is not None:
            found = replay(case, *model)
            if found is not None:
                return found
    return None


def _cases(condition: Condition) -> Iterator[Condition]:
    """What a state can refute: it knows its policy, and no other state than the one before."""
    for case in (condition,) if condition.cases is None else condition.cases:
        of_step = () if case.step is None else (case.step.guard, *(update.value for update in case.step.updates))
        keyed = any(map(speaks_of_keys, (case.formula, *of_step)))
        yield from (under(case, policy) for policy in (POLICIES.values() if keyed else (LRU,)))


def witness(terms: Iterable[Term], size: Mapping[str, int], seed: int, seconds: float) -> tuple[Reader, Any] | None:
    """A model of the formulas with so many things, if there is one."""
    reader = Reader(size)
    pages = total(PAGE, lambda s: lift(True), lambda s: page_size)
    solver = _solver(reader, seed)
    solver.add(*(reader.read(t) for t in (*AXIOMS.values(), capacity == pages, page_size <= 2, *terms)))
    return (reader, solver.model()) if _check(reader, solver, seconds) == z3.sat else None


def replay(condition: Condition, reader: Reader, model: Any) -> Counterexample | None:
    """The counterexample that a model describes, if the Python reader agrees with every word of it."""
    before, numbers = state_of(reader, model)
    after, _ = state_of(reader, model)
    arguments: tuple[int, ...] = ()
    if condition.step is not None:
        values = [model.eval(reader.read(p), model_completion=True) for p in condition.step.parameters]
        arguments = tuple(numbers[v] if v in numbers else v.as_long() for v in values)
        run(condition.step, after, *arguments)
    parameters = condition.step.parameters if condition.step is not None else ()
    assumed = (term for id_, term in condition.hypotheses.items() if id_ != "guard")
    if any(check(term, parameters)(before, before, *arguments) is not None for term in assumed):
        return None
    violated = check(condition.formula, parameters)(after, before, *arguments)
    return None if violated is None else Counterexample(before, after, arguments, violated)
