"""Translates formulas of the specification to Z3, in two ways.

Unbounded, for proofs: sorts are uninterpreted, and a sum is an uninterpreted function of what it depends on (`laws` has its axioms).
Bounded, for refutations: each sort is an enumeration, and quantifiers and sums are expanded, which is exact for that size.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

from radixcheck.spec.logic import Function, Sort, Term, expand, unfold
from radixcheck.spec.run.terms import bindings, free
from radixcheck.spec.signature import POS
from radixcheck.verification.core.installing import install_command

try:
    import z3
except ImportError as missing:
    raise ImportError(f"the proofs need Z3: {install_command('verify')}") from missing

# The other modules import z3 from here, so that a missing Z3 gives the same message everywhere.
__all__ = ["Reader", "z3"]

OPERATORS: dict[str, Callable[..., Any]] = {
    **{"and": z3.And, "or": z3.Or, "not": z3.Not, "implies": z3.Implies, "ite": z3.If},
    **{"eq": operator.eq, "le": operator.le, "lt": operator.lt, "add": operator.add, "sub": operator.sub},
}

Environment = Mapping[str, Any]


def shape(term: Term, bound: Sequence[str], holes: list[Term]) -> object:
    """Return a term without its names, equal for terms that differ only in the subterms without `bound`, which are added to `holes`."""
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


def sum_symbol(term: Term) -> tuple[object, list[Term]]:
    """Return a key for a sum, and the terms that it depends on. Sums with equal keys are the same function of those terms."""
    holes: list[Term] = []
    x = term.args[0]
    return (x.sort.name, *(shape(t, (x.args[0],), holes) for t in expand(term).args[1:])), holes


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
        """Return the sort in Z3."""
        if sort.name not in self._sorts:
            if self.size is None:
                self._sorts[sort.name] = z3.DeclareSort(sort.name, self.context)
            else:
                names = [f"{sort.name}{i}" for i in range(self.size[sort.name])]
                self._sorts[sort.name], self.things[sort.name] = z3.EnumSort(sort.name, names, self.context)
        return self._sorts[sort.name]

    def constant(self, name: str, sort: Sort) -> Any:
        """Return a free variable."""
        return z3.Const(name, self.sort(sort))

    def symbol(self, key: object, name: str, domain: Sequence[Sort], sort: Sort) -> Any:
        """Return the function symbol of a key."""
        if key not in self._symbols:
            sorts = [self.sort(s) for s in (*domain, sort)]
            self._symbols[key] = z3.Function(name, *sorts) if domain else z3.Const(name, sorts[0])
        return self._symbols[key]

    def function(self, function: Function) -> Any:
        """Return the symbol of a rigid or state function."""
        return self.symbol(function.name, function.name, function.domain, function.sort)

    def has(self, function: Function) -> bool:
        """Return whether a formula that was read has this rigid or state function."""
        return function.name in self._symbols

    def read(self, term: Term, env: Environment = {}) -> Any:  # noqa: B006  never written to
        """Return the term in Z3. Free variables that are not in `env` become constants."""
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
        if term.op not in OPERATORS:
            raise ValueError(f"solvers have no operator {term.op!r}")
        args = [self.read(t, env) for t in term.args]
        if term.op in ("le", "lt") and term.args[0].sort == POS:
            prefix = self.symbol("prefix", "prefix", (POS, POS), term.sort)(*args)
            return prefix if term.op == "le" else z3.And(prefix, args[0] != args[1])
        return OPERATORS[term.op](*args)

    def _apply(self, term: Term, env: Environment) -> Any:
        function, *args = term.args
        if function.kind == "defined":
            return self.read(unfold(term), env)
        symbol = self.function(function)
        return symbol(*(self.read(a, env) for a in args)) if args else symbol

    def _environments(self, bound: Sequence[Term], env: Environment) -> list[Environment]:
        """Return an environment for each choice of things for the bound variables."""
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
        key, holes = sum_symbol(term)
        symbol = self.symbol(key, f"sum{len(self._symbols)}", tuple(t.sort for t in holes), term.sort)
        return symbol(*(self.read(t, env) for t in holes)) if holes else symbol
