"""Decides a condition: proves it without bounds, or refutes it by a state on which the transition is run in Python.

`UNKNOWN` is an honest answer: no proof in the time, and no counterexample within the sizes tried.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Timer
from time import perf_counter
from typing import Any

from radixcheck.spec.logic import Term, conj, expand, lift, total
from radixcheck.spec.signature import PAGE, capacity, page_size
from radixcheck.verification.model.reader import Binding, check, run
from radixcheck.verification.model.state import State
from radixcheck.verification.proofs.conditions import Condition, parts
from radixcheck.verification.proofs.laws import AXIOMS
from radixcheck.verification.proofs.replay import state_of
from radixcheck.verification.proofs.z3_reader import Reader, z3

TREE = ("NO_ORPHAN", "COVER", "PARENT", "CHILD_KEY")  # the shape of the tree is what most proofs need
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


def decide(condition: Condition, seed: int = 0, seconds: float = 5.0) -> Verdict:
    """Try to prove from few hypotheses, then to refute in larger and larger sizes, then to prove from all."""
    start, every = perf_counter(), list(condition.hypotheses)
    own = condition.name.rpartition("/")[2]
    plain = [name for name in every if not _counts(condition.hypotheses[name])]
    tree = [name for name in every if name in (*TREE, own, "guard")]
    without_sums = replace(condition, laws=tuple(law for law in condition.laws if not _counts(law)))

    def verdict(word: str, method: str, names: Sequence[str], found: Counterexample | None = None) -> Verdict:
        return Verdict(condition.name, word, method, perf_counter() - start, seed, tuple(names), found)

    for given, names in ((without_sums, tree), (condition, [*plain, *({own} & {*every} - {*plain})])):
        if prove(given, names, seed, 1.0):
            return verdict(PROVED, "unbounded", names)
    counterexample = refute(condition, seed, seconds)
    if counterexample is not None:
        return verdict(REFUTED, "bounded", every, counterexample)
    return verdict(PROVED if prove(condition, every, seed, seconds) else UNKNOWN, "unbounded", every)


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


def prove(condition: Condition, names: Sequence[str], seed: int, seconds: float) -> bool:
    """Whether every goal follows from the named hypotheses, for any number of things, found within the time."""
    reader = Reader()
    terms = [*AXIOMS.values(), *(condition.hypotheses[n] for n in names), *condition.laws]
    random.Random(seed).shuffle(terms)
    given = [reader.read(t) for t in terms]
    end = perf_counter() + seconds
    for goal in condition.goals:
        left = end - perf_counter()
        # Instances by patterns only: guessing models of so many quantified formulas never ends.
        options = {"auto_config": False, "mbqi": False}
        if left <= 0 or _check(reader, seed, left, [*given, z3.Not(reader.read(goal))], **options)[1] != z3.unsat:
            return False
    return True


def refute(condition: Condition, seed: int, seconds: float) -> Counterexample | None:
    """A counterexample of the least size tried, confirmed by running it."""
    for size in SIZES:
        model = witness([*condition.hypotheses.values(), ~conj(*condition.goals)], size, seed, seconds)
        if model is not None:
            found = replay(condition, *model)
            if found is not None:
                return found
    return None


def witness(terms: Iterable[Term], size: Mapping[str, int], seed: int, seconds: float) -> tuple[Reader, Any] | None:
    """A model of the formulas with so many things, if there is one."""
    reader = Reader(size)
    pages = total(PAGE, lambda s: lift(True), lambda s: page_size)
    given = [reader.read(t) for t in (*AXIOMS.values(), capacity == pages, page_size <= 2, *terms)]
    solver, answer = _check(reader, seed, seconds, given)
    return (reader, solver.model()) if answer == z3.sat else None


def replay(condition: Condition, reader: Reader, model: Any) -> Counterexample | None:
    """The counterexample that a model describes, if the Python reader agrees with every word of it."""
    before, numbers = state_of(reader, model)
    after, _ = state_of(reader, model)
    arguments: tuple[int, ...] = ()
    if condition.step is not None:
        values = [model.eval(reader.read(p), model_completion=True) for p in condition.step.parameters]
        arguments = tuple(numbers[v] if v in numbers else v.as_long() for v in values)
        run(condition.step, after, *arguments)
    if any(check(term)(before) is not None for id_, term in condition.hypotheses.items() if id_ != "guard"):
        return None
    violated = check(condition.formula)(after, before)
    return None if violated is None else Counterexample(before, after, arguments, violated)
