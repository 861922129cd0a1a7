"""Refutes a condition by a small state on which its transition is run in Python, so that no solver need be believed."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice, product
from threading import Timer
from typing import Any

from radixcheck.spec.logic import Term, conj, lift, total
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.reader import Binding, Refused, check, run
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import PAGE, capacity, page_size
from radixcheck.verification.proofs.conditions import LRU, Condition, speaks_of_keys, under
from radixcheck.verification.proofs.laws import AXIOMS
from radixcheck.verification.proofs.model_run import state_of
from radixcheck.verification.proofs.z3_reader import Reader, z3

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


def solver_of(reader: Reader, seed: int, **options: Any) -> Any:
    """A solver without tactics: one that can be given more, and what was given last taken away again."""
    solver = z3.SimpleSolver(ctx=reader.context)
    solver.set(random_seed=seed, **options)
    return solver


def answer_of(reader: Reader, solver: Any, seconds: float) -> Any:
    """The solver's answer; it is interrupted if it does not keep its own time limit."""
    solver.set(timeout=int(1000 * seconds))
    timer = Timer(seconds + 1, reader.context.interrupt)
    timer.start()
    try:
        return solver.check()
    finally:
        timer.cancel()


class Search:
    """Looks for a counterexample among few things. Each size is read once."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._read: list[_Question] = []

    def found(self, seed: int, seconds: float) -> Counterexample | None:
        """A counterexample of the least size tried, confirmed by running it."""
        for question in self._questions():
            solver = solver_of(question.reader, seed)
            solver.add(*question.given)
            if answer_of(question.reader, solver, seconds) == z3.sat:
                found = replay(question.case, question.reader, solver.model())
                if found is not None:
                    return found
        return None

    def _questions(self) -> Iterator["_Question"]:
        yield from self._read
        for size, case in islice(product(SIZES, _cases(self._condition)), len(self._read), None):
            self._read.append(_Question(case, *_bounded([*case.hypotheses.values(), ~conj(*case.goals)], size)))
            yield self._read[-1]


@dataclass(frozen=True, slots=True)
class _Question:
    """Whether a case fails among so many things."""

    case: Condition
    reader: Reader
    given: list[Any]


def _cases(condition: Condition) -> Iterator[Condition]:
    """What a state can refute: it knows its policy, and no other state than the one before."""
    for case in (condition,) if condition.cases is None else condition.cases:
        of_step = () if case.step is None else (case.step.guard, *(update.value for update in case.step.updates))
        keyed = any(map(speaks_of_keys, (case.formula, *of_step)))
        yield from (under(case, policy) for policy in (POLICIES.values() if keyed else (LRU,)))


def witness(terms: Iterable[Term], size: Mapping[str, int], seed: int, seconds: float) -> tuple[Reader, Any] | None:
    """A model of the formulas with so many things, if there is one."""
    reader, given = _bounded(terms, size)
    solver = solver_of(reader, seed)
    solver.add(*given)
    return (reader, solver.model()) if answer_of(reader, solver, seconds) == z3.sat else None


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
    parameters = condition.step.parameters if condition.step else ()
    values = [model.eval(reader.read(p), model_completion=True) for p in parameters]
    arguments = tuple(numbers[v] if v in numbers else v.as_long() for v in values)
    assumed = (term for id_, term in condition.hypotheses.items() if id_ != "guard")
    # What a formula reads may mean nothing, before a wrong step or after it: then nothing is confirmed.
    with suppress(KeyError, TypeError, ValueError, Refused):
        if condition.step is not None:
            run(condition.step, after, *arguments)
        if all(_compiled(term, parameters)(before, before, *arguments) is None for term in assumed):
            violated = _compiled(condition.formula, parameters)(after, before, *arguments)
            return None if violated is None else Counterexample(before, after, arguments, violated)
    return None
