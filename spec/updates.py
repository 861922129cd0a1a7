"""Transitions as data: guarded atomic updates, written as macros over the old state.

An update says `function(x...) := value(x...) where ...`. Everything else stays as it is. Substituting the updates into a formula gives its
weakest precondition (`after`); running them over a finite state is the executable model (`spec/run/reader.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from radixcheck.spec.logic import Function, Term, conj, expand, ite, lift, rebuild, rename, substitute, var


@dataclass(frozen=True, slots=True)
class Image:
    """The pages `at(q)` of the positions q that satisfy `where`: by SLOT_PARTITION the only pages that an update can reach.

    A running state looks at these instead of at all pages; the proofs count them by position (law `freed`).
    """

    where: Callable[[Term], Term]
    at: Callable[[Term], Term]


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """function(parameters) := value where `where`."""

    function: Function
    parameters: tuple[Term, ...]
    where: Term
    value: Term
    image: Image | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Transition:
    """One atomic step: when it is allowed, and what it changes.

    `forgets` lists values that have no meaning afterwards: any value will do. `touched` names the nodes that appear, disappear or change
    their size: the points at which the proofs compare sums over nodes before and after.
    """

    name: str
    parameters: tuple[Term, ...]
    guard: Term
    updates: tuple[Update, ...]
    forgets: tuple[Update, ...] = ()  # their value is unused
    touched: tuple[Term, ...] = ()
    requires: str = ""  # the guard, as a sentence
    effect: str = ""  # the updates, as a sentence


def put(function: Function, where: Callable[..., Term], value: Callable[..., Term | int], image: Image | None = None) -> Update:
    """An update of a function wherever `where` holds."""
    names = where.__code__.co_varnames[: where.__code__.co_argcount]
    x = tuple(var(name, sort) for name, sort in zip(names, function.domain, strict=True))
    return Update(function, x, where(*x), lift(value(*x)), image)


def at_point(function: Function, *point_and_value: Term | int) -> Update:
    """An update at one point: `at_point(f, a, b, value)` is f(a, b) := value."""
    *point, value = point_and_value
    x = tuple(var(f"x{i}", sort) for i, sort in enumerate(function.domain))
    return Update(function, x, conj(*(a == p for a, p in zip(x, point, strict=True))), lift(value))


def at_points(*updates: tuple[Function, Term, Term | int]) -> tuple[Update, ...]:
    """Updates of several functions of one argument, each at one point."""
    return tuple(at_point(*update) for update in updates)


def assign(symbol: Term, value: Term | int) -> Update:
    """An update of a function without arguments."""
    return Update(symbol.args[0], (), lift(True), lift(value))


def forget(function: Function, where: Callable[..., Term], image: Image | None = None) -> Update:
    """Where `where` holds, the value of the function has no meaning afterwards."""
    return put(function, where, lambda *_: False, image)


def after(term: Term, transition: Transition) -> Term:
    """The weakest precondition: `term` (definitions expanded) with every state function as the transition leaves it.

    Terms under `old` speak of the state before and lose only the mark. The transition's parameters stay free.
    """

    def step(t: Term) -> Term:
        if t.op == "old":
            return expand(t.args[0])
        if t.op != "app" or t.args[0].kind != "state":
            return rebuild(t, step)
        function, args = t.args[0], tuple(step(a) for a in t.args[1:])
        result = Term("app", (function, *args), t.sort)
        for update in reversed(transition.updates):
            if update.function is function:
                values = {v.args[0]: a for v, a in zip(update.parameters, args, strict=True)}
                where = substitute(expand(update.where), values)
                result = ite(where, substitute(expand(update.value), values), result)
        return result

    return step(rename(expand(term), "'"))
