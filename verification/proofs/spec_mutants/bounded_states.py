"""Searches small states for one that catches a mutant, and confirms it in Python."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain, product
from typing import Any

from radixcheck.spec.logic import Function, Term
from radixcheck.spec.run.reader import Check, Refused, check, run
from radixcheck.spec.run.state import State
from radixcheck.spec.updates import Transition, after
from radixcheck.verification.proofs.conditions import forgetting
from radixcheck.verification.proofs.model_run import state_of
from radixcheck.verification.proofs.proof_results import TIERED_MACHINES, Mutant
from radixcheck.verification.proofs.refute import answer_of, bounded, host_sizes, sizes, solver_of
from radixcheck.verification.proofs.spec_mutants.proved_formulas import hypotheses, proved_formulas, state_functions
from radixcheck.verification.proofs.step_postconditions import arguments
from radixcheck.verification.proofs.z3_reader import Environment, Reader, z3

SIZES = sizes((3, 2, 1, 2), (3, 2, 2, 2), (4, 3, 2, 3), (5, 4, 2, 3))
HOST_SIZES = host_sizes((3, 2, 1, 1), (3, 2, 2, 1), (3, 3, 1, 1), (3, 3, 2, 1), (4, 3, 1, 1), (4, 3, 2, 1), (5, 3, 1, 1))
SECONDS = 5.0  # nominal, for one query


class _After(Reader):
    """Reads formulas in the state after a step: its state functions have symbols of their own, and `old` is the state before."""

    def __init__(self, before: Reader) -> None:
        self.__dict__.update(before.__dict__)  # share the context, the things and the symbols
        self.before = before

    def function(self, function: Function) -> Any:
        """Return the symbol of a function in the state after the step."""
        if function.kind != "state":
            return self.before.function(function)
        return self.symbol(("after", function.name), f"{function.name}'", function.domain, function.sort)

    def read(self, term: Term, env: Environment = {}) -> Any:  # noqa: B006  never written to
        """Return the term in Z3. `old` is read in the state before."""
        return self.before.read(term.args[0], env) if term.op == "old" else super().read(term, env)


class BoundedStates:
    """All states of one size in which the state formulas hold, and all states that may follow them.

    The formulas are read once; only the effect of a mutant is read for each mutant.
    """

    def __init__(self, machine: str, size: Mapping[str, int]) -> None:
        self.before, given = bounded(hypotheses(machine).values(), size)
        self.after = _After(self.before)
        self._given = given
        self._functions = state_functions(machine)
        self._broken: dict[tuple[str, str], Any] = {}

    def broken(self, step: str, id_: str, formula: Term) -> Any:
        """Return the assertion that a formula, read with the parameters of the step, fails afterwards."""
        if (step, id_) not in self._broken:
            self._broken[step, id_] = z3.Not(self.after.read(formula))
        return self._broken[step, id_]

    def taken(self, step: Transition) -> Iterator[Any]:
        """Yield assertions that the guard of the step holds, and that the state after it is its result."""
        yield self.before.read(step.guard)
        forgetful = forgetting(step)
        for function in self._functions:
            names = arguments(function)
            result = after(function(*names), forgetful)
            for things in product(*(self.before.things[v.sort.name] for v in names)):
                env = {v.args[0]: thing for v, thing in zip(names, things, strict=True)}
                symbol = self.after.function(function)
                yield (symbol(*things) if things else symbol) == self.before.read(result, env)

    def model(self, assertions: Iterable[Any], seed: int) -> Any:
        """Return a model of the assertions, or None if none is found with that effort."""
        solver = solver_of(self.before, seed)  # a fresh one: what it answered before would change the model
        solver.add(*self._given, *assertions)
        return solver.model() if answer_of(self.before, solver, SECONDS) == z3.sat else None


def sizes_of(machine: str) -> tuple[dict[str, int], ...]:
    """Return the sizes that are searched for a machine, in this order."""
    return HOST_SIZES if machine in TIERED_MACHINES else SIZES


@cache
def _states(machine: str, size: int) -> BoundedStates:
    return BoundedStates(machine, sizes_of(machine)[size])


def forget_states() -> None:
    """Forget what was read, so that the next answers of the solver do not depend on what it was asked before."""
    _states.cache_clear()


@cache
def _check(machine: str, step: Transition, tier: int, id_: str) -> Check:
    return check(proved_formulas(machine, step.name)[tier][id_], step.parameters)


def _fails(check_: Check, state: State, before: State, values: Sequence[int]) -> bool:
    with suppress(KeyError, TypeError):  # the formula reads a value that is undefined after the step
        return check_(state, before, *values) is not None
    return False


def _outcomes(mutant: Mutant, states: BoundedStates, model: Any, values: Sequence[int]) -> Iterator[tuple[str, State]]:
    """Yield the state after the step, by running it and from the model: some mutants cannot be run."""
    state, _ = state_of(states.before, model)
    with suppress(KeyError, TypeError, ValueError, Refused):  # a set without bounds, or an undefined value
        run(mutant.transition, state, *values)
        yield "run", state
    yield "model", state_of(states.after, model)[0]


def _violated(mutant: Mutant, states: BoundedStates, model: Any, tier: int) -> str:
    """Return the formula that fails after the step, and how Python confirmed it, or "" if it is not confirmed."""
    step = mutant.original
    before, numbers = state_of(states.before, model)
    found = [model.eval(states.before.read(p), model_completion=True) for p in step.parameters]
    values = [numbers[v] if v in numbers else v.as_long() for v in found]
    if any(_fails(_check(mutant.machine, step, 0, id_), before, before, values) for id_ in hypotheses(mutant.machine)):
        return ""
    for how, state in _outcomes(mutant, states, model, values):
        for id_ in proved_formulas(mutant.machine, step.name)[tier]:
            if _fails(_check(mutant.machine, step, tier, id_), state, before, values):
                return f"{step.name}/{id_} ({how})"
    return ""


def caught(mutant: Mutant, size: int, seed: int) -> str:
    """Return a formula that the mutant breaks in some state of this size, or "" if none is found."""
    states, step = _states(mutant.machine, size), mutant.original.name
    taken = list(states.taken(mutant.transition))
    for tier, formulas in enumerate(proved_formulas(mutant.machine, step)):
        broken = [states.broken(step if tier else "", id_, formula) for id_, formula in formulas.items()]
        first = states.model([*taken, z3.Or(*broken)], seed) if broken else None
        if first is not None:
            # Each formula alone, if the first model is not confirmed.
            models = chain([first], (states.model([*taken, each], seed) for each in broken))
            found = (_violated(mutant, states, model, tier) for model in models if model is not None)
            if name := next(filter(None, found), ""):
                return name
    return ""


def possible(mutant: Mutant, seed: int) -> bool:
    """Return whether the mutant can be taken in some state. Otherwise anything could be proved of it."""
    sizes_ = (_states(mutant.machine, size) for size in range(len(sizes_of(mutant.machine))))
    return any(states.model(states.taken(mutant.transition), seed) is not None for states in sizes_)
