"""Refutes a condition by a small state on which its transition is run in Python, so that no solver has to be trusted.

The effort of the solver is limited in its own units of work, so that an answer does not depend on the load of the machine. A limit is given
in nominal seconds, each of which is UNITS of them. Time is a ceiling far above: an answer that it cuts off is `unknown`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice, product
from threading import Timer
from typing import Any

from radixcheck.spec.host.host_signature import HOST_PAGE, host_capacity
from radixcheck.spec.logic import Term, conj, lift, total
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.host_state import HOST_COUNTERS, HOST_LISTS, HOST_MAPS, HOST_REQUEST_MAPS, HOST_SETS
from radixcheck.spec.run.reader import Binding, Refused, check, run
from radixcheck.spec.run.state import State
from radixcheck.spec.run.terms import functions
from radixcheck.spec.signature import PAGE, capacity, page_size
from radixcheck.verification.proofs.conditions import LRU, Condition, reads_unknown_keys, under
from radixcheck.verification.proofs.laws import AXIOMS
from radixcheck.verification.proofs.model_run import state_of
from radixcheck.verification.proofs.z3_reader import Reader, z3


def sizes(*rows: tuple[int, int, int, int]) -> tuple[dict[str, int], ...]:
    """Return bounds for the sorts, from the numbers of positions, pages, requests and entries."""
    return tuple({"Position": p, "Page": s, "Request": r, "Entry": e, "Namespace": 2} for p, s, r, e in rows)


def host_sizes(*rows: tuple[int, int, int, int]) -> tuple[dict[str, int], ...]:
    """Return bounds for the sorts of a cache with a host tier, which has as many host pages as pages."""
    return tuple({**size, HOST_PAGE.name: size["Page"]} for size in sizes(*rows))


UNITS = 1_000_000  # that Z3 does in about a second
SLOW = 30  # times: the ceiling of time, in nominal seconds
HOST_NAMES = frozenset((*HOST_SETS, *HOST_MAPS, *HOST_REQUEST_MAPS, *HOST_COUNTERS, *HOST_LISTS))
SIZES = sizes((3, 2, 1, 3), (3, 2, 2, 3), (4, 3, 2, 3))
HOST_SIZES = host_sizes((3, 2, 1, 2), (3, 2, 2, 2), (4, 3, 2, 2))


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A state in which the hypotheses hold, and the state after it, in which the formula fails."""

    before: State
    after: State
    arguments: tuple[int, ...]
    violated: Binding


def solver_of(reader: Reader, seed: int, **options: Any) -> Any:
    """Return a solver without tactics, which is incremental: assertions can be added and removed."""
    solver = z3.SimpleSolver(ctx=reader.context)
    solver.set(random_seed=seed, **options)
    return solver


def units_of(solver: Any) -> int:
    """Return the units of work done so far in the context of the solver."""
    statistics = solver.statistics()
    return int(statistics.get_key_value("rlimit count")) if "rlimit count" in statistics.keys() else 0  # noqa: SIM118  no mapping


def answer_of(reader: Reader, solver: Any, seconds: float) -> Any:
    """Return the answer of the solver within nominal seconds. Interrupt it if it exceeds its own ceiling of time."""
    solver.set(rlimit=max(1, int(UNITS * seconds)), timeout=int(1000 * SLOW * seconds))
    timer = Timer(SLOW * seconds + 1, reader.context.interrupt)
    timer.start()
    try:
        return solver.check()
    finally:
        timer.cancel()


class Search:
    """Searches for a counterexample with few things. The formulas of each size are read once."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._read: list[_Query] = []

    def found(self, seed: int, seconds: float) -> Counterexample | None:
        """Return a counterexample of the least size, confirmed by running it, or None."""
        for query in self._queries():
            solver = solver_of(query.reader, seed)
            solver.add(*query.given)
            if answer_of(query.reader, solver, seconds) == z3.sat:
                found = replay(query.case, query.reader, solver.model())
                if found is not None:
                    return found
        return None

    def _queries(self) -> Iterator["_Query"]:
        yield from self._read
        tried = HOST_SIZES if about_host(self._condition) else SIZES
        for size, case in islice(product(tried, _cases(self._condition)), len(self._read), None):
            self._read.append(_Query(case, *bounded([*case.hypotheses.values(), ~conj(*case.goals)], size)))
            yield self._read[-1]


@dataclass(frozen=True, slots=True)
class _Query:
    """Whether a case fails for one size."""

    case: Condition
    reader: Reader
    given: list[Any]


def about_host(condition: Condition) -> bool:
    """Return whether a condition reads a function of the host tier."""
    step = () if condition.step is None else (condition.step.guard,)
    return any(functions(term) & HOST_NAMES for term in (condition.formula, *step, *condition.hypotheses.values()))


def _cases(condition: Condition) -> Iterator[Condition]:
    """Yield the cases that a state can refute: each has a known policy, and refers to no state but the one before."""
    for case in (condition,) if condition.cases is None else condition.cases:
        of_step = () if case.step is None else (case.step.guard, *(update.value for update in case.step.updates))
        keyed = any(map(reads_unknown_keys, (case.formula, *of_step)))
        yield from (under(case, policy) for policy in (POLICIES.values() if keyed else (LRU,)))


def witness(terms: Iterable[Term], size: Mapping[str, int], seed: int, seconds: float) -> tuple[Reader, Any] | None:
    """Return a model of the formulas for one size, or None."""
    reader, given = bounded(terms, size)
    solver = solver_of(reader, seed)
    solver.add(*given)
    return (reader, solver.model()) if answer_of(reader, solver, seconds) == z3.sat else None


def bounded(terms: Iterable[Term], size: Mapping[str, int]) -> tuple[Reader, list[Any]]:
    """Return the formulas for one size, with the axioms."""
    reader = Reader(size)
    pages = [(capacity, total(PAGE, lambda s: lift(True), lambda s: page_size))]
    if HOST_PAGE.name in size:
        pages.append((host_capacity, total(HOST_PAGE, lambda t: lift(True), lambda t: page_size)))
    return reader, [reader.read(t) for t in (*AXIOMS.values(), *(whole == each for whole, each in pages), page_size <= 2, *terms)]


_compiled = cache(check)  # terms are compared by identity: every seed uses the same ones


def replay(condition: Condition, reader: Reader, model: Any) -> Counterexample | None:
    """Return the counterexample that a model describes, or None if Python does not confirm it."""
    before, numbers = state_of(reader, model)
    after, _ = state_of(reader, model)
    parameters = condition.step.parameters if condition.step else ()
    values = [model.eval(reader.read(p), model_completion=True) for p in parameters]
    arguments = tuple(numbers[v] if v in numbers else v.as_long() for v in values)
    assumed = (term for id_, term in condition.hypotheses.items() if id_ != "guard")
    # A formula may read an undefined value, before or after a wrong step. Then the model is not confirmed.
    with suppress(KeyError, TypeError, ValueError, Refused):
        if condition.step is not None:
            run(condition.step, after, *arguments)
        if all(_compiled(term, parameters)(before, before, *arguments) is None for term in assumed):
            violated = _compiled(condition.formula, parameters)(after, before, *arguments)
            return None if violated is None else Counterexample(before, after, arguments, violated)
    return None
