"""A small many-sorted first-order logic as a tree of terms.

A formula is data, not code. The same term is run on states, printed, and given to a solver, each by its own reader.
Terms are built with Python operators: `&`, `|`, `~`, `>>` (implies), `==`, `!=`, `<=`, `<`, `+`, `-`. On positions `<=` and `<` are
the prefix order. A term has no truth value in Python: `bool(term)` raises TypeError, so that a formula in an `if` never passes silently.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sort:
    """A set of things that variables range over."""

    name: str


BOOL = Sort("Bool")
INT = Sort("Int")


@dataclass(frozen=True, eq=False, slots=True)
class Term:
    """One node of a formula: an operator, its arguments (terms, or what the operator needs), and the sort of its value."""

    op: str
    args: tuple[Any, ...]
    sort: Sort

    def __bool__(self) -> bool:
        raise TypeError("a term has no truth value: compile it, print it or prove it")

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> "Term":  # type: ignore[override]
        right = lift(other)
        if self.sort != right.sort:
            raise TypeError(f"a {self.sort.name} cannot equal a {right.sort.name}")
        return Term("eq", (self, right), BOOL)

    def __ne__(self, other: object) -> "Term":  # type: ignore[override]
        return ~(self == other)

    def __le__(self, other: "Term | int") -> "Term":
        return Term("le", (self, lift(other)), BOOL)

    def __lt__(self, other: "Term | int") -> "Term":
        return Term("lt", (self, lift(other)), BOOL)

    def __ge__(self, other: "Term | int") -> "Term":
        return lift(other) <= self

    def __gt__(self, other: "Term | int") -> "Term":
        return lift(other) < self

    def __add__(self, other: "Term | int") -> "Term":
        return Term("add", (self, lift(other)), INT)

    def __sub__(self, other: "Term | int") -> "Term":
        return Term("sub", (self, lift(other)), INT)

    def __and__(self, other: "Term | bool") -> "Term":
        return Term("and", (self, lift(other)), BOOL)

    def __or__(self, other: "Term | bool") -> "Term":
        return Term("or", (self, lift(other)), BOOL)

    def __rshift__(self, other: "Term | bool") -> "Term":
        return Term("implies", (self, lift(other)), BOOL)

    def __invert__(self) -> "Term":
        return Term("not", (self,), BOOL)


def lift(value: object) -> Term:
    """A Python integer or truth value as a term; a term as itself."""
    if isinstance(value, Term):
        return value
    if isinstance(value, bool):
        return Term("const", (value,), BOOL)
    if isinstance(value, int):
        return Term("const", (value,), INT)
    raise TypeError(f"{value!r} is neither a term nor an integer nor a truth value")


@dataclass(frozen=True, slots=True)
class Function:
    """A symbol of one of three kinds.

    `rigid`: never changes. `state`: its values are the state. `defined`: abbreviates a term.
    """

    name: str
    domain: tuple[Sort, ...]
    sort: Sort
    kind: str
    parameters: tuple[Term, ...] = ()
    body: Term | None = None

    def __call__(self, *args: Term) -> Term:
        """The symbol applied. Raises TypeError for arguments of other sorts."""
        if tuple(a.sort for a in args) != self.domain:
            raise TypeError(f"{self.name} takes {[s.name for s in self.domain]}, not {[a.sort.name for a in args]}")
        return Term("app", (self, *args), self.sort)


def var(name: str, sort: Sort) -> Term:
    """A variable: bound by a quantifier or a sum, or a parameter of a transition or operation."""
    return Term("var", (name,), sort)


def define(name: str, domain: tuple[Sort, ...], body: Callable[..., Term]) -> Function:
    """An abbreviation. Readers expand it."""
    parameters = _variables(body, domain)
    meaning = body(*parameters)
    return Function(name, domain, meaning.sort, "defined", parameters, meaning)


def _variables(body: Callable[..., Term], sorts: tuple[Sort, ...]) -> tuple[Term, ...]:
    names = body.__code__.co_varnames[: body.__code__.co_argcount]
    return tuple(var(n, s) for n, s in zip(names, sorts, strict=True))


def forall(sorts: Sort | tuple[Sort, ...], body: Callable[..., Term]) -> Term:
    """For all values of these sorts. The variables take the names of the parameters of `body`."""
    bound = _variables(body, sorts if isinstance(sorts, tuple) else (sorts,))
    return Term("forall", (bound, body(*bound)), BOOL)


def exists(sorts: Sort | tuple[Sort, ...], body: Callable[..., Term]) -> Term:
    """For some values of these sorts. Witnesses use it, invariants never do: what an invariant would look for is a state function."""
    bound = _variables(body, sorts if isinstance(sorts, tuple) else (sorts,))
    return Term("exists", (bound, body(*bound)), BOOL)


def total(sort: Sort, where: Callable[[Term], Term], weight: Callable[[Term], Term | int]) -> Term:
    """The finite sum of `weight(x)` over the x that satisfy `where`."""
    (x,) = _variables(where, (sort,))
    return Term("sum", (x, where(x), lift(weight(x))), INT)


def ite(condition: Term, then: Term | int, otherwise: Term | int) -> Term:
    """If-then-else as a term."""
    first = lift(then)
    return Term("ite", (condition, first, lift(otherwise)), first.sort)


def conj(*parts: Term) -> Term:
    """The conjunction of the parts; true when there are none."""
    result: Term | None = None
    for part in parts:
        result = part if result is None else result & part
    return lift(True) if result is None else result


def old(term: Term) -> Term:
    """The value of a term at the call (in postconditions, and in conditions of loops that count what was done since)."""
    return Term("old", (term,), term.sort)


def rebuild(term: Term, change: Callable[[Term], Term]) -> Term:
    """The same operator over changed arguments. Bound variables stay."""
    if term.op in ("var", "const"):
        return term
    if term.op in ("forall", "exists"):
        return Term(term.op, (term.args[0], change(term.args[1])), term.sort)
    if term.op == "sum":
        return Term(term.op, (term.args[0], change(term.args[1]), change(term.args[2])), term.sort)
    return Term(term.op, tuple(change(a) if isinstance(a, Term) else a for a in term.args), term.sort)


def substitute(term: Term, values: Mapping[str, Term]) -> Term:
    """Replace free variables by terms. The caller must choose names such that no bound variable is free in the values."""
    if term.op == "var":
        return values.get(term.args[0], term)
    if term.op in ("forall", "exists", "sum"):
        bound = {v.args[0] for v in (term.args[0] if term.op != "sum" else (term.args[0],))}
        values = {k: v for k, v in values.items() if k not in bound}
    return rebuild(term, lambda t: substitute(t, values))


def unfold(term: Term) -> Term:
    """The definition of the symbol at the top of a term, applied to its arguments."""
    function, *args = term.args
    values = {p.args[0]: a for p, a in zip(function.parameters, args, strict=True)}
    return substitute(rename(function.body, "_" + function.name), values)


def expand(term: Term) -> Term:
    """Replace every defined symbol by its definition."""
    if term.op == "app" and term.args[0].kind == "defined":
        return expand(unfold(term))
    return rebuild(term, expand)


def rename(term: Term, suffix: str) -> Term:
    """Add a suffix to every bound variable, so that a substitution cannot capture one."""
    if term.op in ("forall", "exists", "sum"):
        bound = (term.args[0],) if term.op == "sum" else term.args[0]
        fresh = tuple(var(v.args[0] + suffix, v.sort) for v in bound)
        names = {v.args[0]: f for v, f in zip(bound, fresh, strict=True)}
        inner = tuple(rename(substitute(t, names), suffix) for t in term.args[1:])
        return Term(term.op, ((fresh[0] if term.op == "sum" else fresh), *inner), term.sort)
    return rebuild(term, lambda t: rename(t, suffix))
