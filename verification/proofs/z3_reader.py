"""Gives formulas of the specification to Z3, in two ways.

Unbounded, to prove: sorts are uninterpreted, sums are functions of what they depend on (`laws` says what is known).
Bounded, to refute: each sort has so many things, quantifiers and sums are written out: exact for that size.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from radixcheck.spec.logic import Function, Sort, Term, expand, unfold
from radixcheck.spec.run.terms import bindings, free
from radixcheck.spec.signature import POS

try:
    import z3
except ImportError as missing:
    raise ImportError("the proofs need Z3: pip install 'radixcheck[verify]'") from missing

# The other modules take z3 from here, and so fail with the same words when it is missing.
__all__ = ["Reader", "z3"]

Environment = Mapping[str, Any]


def shape(term: Term, bound: Sequence[str], holes: list[Term]) -> object:
    """A term without its names: equal for sums that differ only in what they depend on, which goes to `holes`."""
    names = free(term)
    if names and not names & set(bound):
        holes.append(term)
        return "hole"
    if term.op == "var":
        return "bound", len(bound) - 1 - tuple(reversed(bound)).index(term.args[0])
    if term.op == "const":
        return term.args
    inner = (*bound, *(v.args[0] for v in bindings(term)))
    head = term.args[0].name if term.op == "app" else tuple(v.sort.name for v in bindings(term))
    skipped = 1 if term.op in ("forall", "exists", "sum", "app") else 0
    return term.op, head, *(shape(t, inner, holes) for t in term.args[skipped:])


class Reader:
    """One Z3 context with the symbols of the specification. `size`, if given, bounds the sorts by name."""

    def __init__(self, size: Mapping[str, int] | None = None) -> None:
        self.context = z3.Context()
        self.size = size
        self._sorts: dict[str, Any] = {"Bool": z3.BoolSort(self.context), "Int": z3.IntSort(self.context)}
        self.things: dict[str, list[Any]] = {}
        self._symbols: dict[object, Any] = {}
        self._depth = 0
        for name in size or ():
            self.sort(Sort(name))

    def sort(self, sort: Sort) -> Any:
        """The sort in Z3."""
        if sort.name not in self._sorts:
            if self.size is None:
                self._sorts[sort.name] = z3.DeclareSort(sort.name, self.context)
            else:
                names = [f"{sort.name}{i}" for i in range(self.size[sort.name])]
                self._sorts[sort.name], self.things[sort.name] = z3.EnumSort(sort.name, names, self.context)
        return self._sorts[sort.name]

    def constant(self, name: str, sort: Sort) -> Any:
        """A free variable."""
        return z3.Const(name, self.sort(sort))

    def symbol(self, key: object, name: str, domain: Sequence[Sort], sort: Sort) -> Any:
        """A function symbol, one for each key."""
        if key not in self._symbols:
            sorts = [self.sort(s) for s in (*domain, sort)]
            self._symbols[key] = z3.Function(name, *sorts) if domain else z3.Const(name, sorts[0])
        return self._symbols[key]

    def function(self, function: Function) -> Any:
        """A rigid or state function."""
        return self.symbol(function.name, function.name, function.domain, function.sort)

    def read(self, term: Term, env: Environment = {}) -> Any:  # noqa: B006  never written to
        """The term in Z3; free variables that `env` does not name become constants."""
        match term.op:
            case "var":
                name = term.args[0]
                return env[name] if name in env else self.constant(name, term.sort)
            case "const":
                value = term.args[0]
                return z3.BoolVal(value, self.context) if isinstance(value, bool) else z3.IntVal(value, self.context)
            case "app":
                return self._apply(term, env)
            case "forall" | "exists":
                return self._quantified(term, env)
            case "sum":
                return self._sum(term, env)
        return self._operator(term, [self.read(t, env) for t in term.args])

    def _operator(self, term: Term, args: list[Any]) -> Any:
        if term.op in ("le", "lt") and term.args[0].sort == POS:
            prefix = self.symbol("prefix", "prefix", (POS, POS), term.sort)(*args)
            return prefix if term.op == "le" else z3.And(prefix, args[0] != args[1])
        match term.op:
            case "and":
                return z3.And(*args)
            case "or":
                return z3.Or(*args)
            case "not":
                return z3.Not(*args)
            case "implies":
                return z3.Implies(*args)
            case "ite":
                return z3.If(*args)
            case "eq":
                return args[0] == args[1]
            case "le":
                return args[0] <= args[1]
            case "lt":
                return args[0] < args[1]
            case "add":
                return args[0] + args[1]
            case "sub":
                return args[0] - args[1]
        raise ValueError(f"a solver has no word for {term.op!r}")

    def _apply(self, term: Term, env: Environment) -> Any:
        function, *args = term.args
        if function.kind == "defined":
            return self.read(unfold(term), env)
        symbol = self.function(function)
        return symbol(*(self.read(a, env) for a in args)) if args else symbol

    def _environments(self, bound: Sequence[Term], env: Environment) -> list[Environment]:
        """One environment for each choice of things for the bound variables."""
        choices = product(*(self.things[v.sort.name] for v in bound))
        return [{**env, **{v.args[0]: thing for v, thing in zip(bound, choice, strict=True)}} for choice in choices]

    def _quantified(self, term: Term, env: Environment) -> Any:
        bound, body = term.args
        if self.size is not None:
            join = z3.And if term.op == "forall" else z3.Or
            return join(*(self.read(body, each) for each in self._environments(bound, env)))
        self._depth += 1
        names = [z3.Const(f"{v.args[0]}.{self._depth}", self.sort(v.sort)) for v in bound]
        inner = self.read(body, {**env, **{v.args[0]: name for v, name in zip(bound, names, strict=True)}})
        return (z3.ForAll if term.op == "forall" else z3.Exists)(names, inner)

    def _sum(self, term: Term, env: Environment) -> Any:
        if self.size is not None:
            x, where, weight = term.args
            zero = z3.IntVal(0, self.context)
            each = self._environments((x,), env)
            return z3.Sum(*(z3.If(self.read(where, e), self.read(weight, e), zero) for e in each))
        holes: list[Term] = []
        x = term.args[0]
        key = (x.sort.name, *(shape(t, (x.args[0],), holes) for t in expand(term).args[1:]))
        symbol = self.symbol(key, f"sum{len(self._symbols)}", tuple(t.sort for t in holes), term.sort)
        return symbol(*(self.read(t, env) for t in holes)) if holes else symbol
