"""Writes formulas of the specification in SMT-LIB 2, so that another solver can decide the same queries as Z3.

The translation is that of the unbounded `z3_reader`, but independent of Z3: an error in Z3, or in how formulas are passed to it,
does not affect the text. Only `sum_symbol`, which distinguishes the sums, is shared.
"""

import re
from collections.abc import Mapping, Sequence

from radixcheck.spec.logic import Sort, Term, unfold
from radixcheck.spec.signature import POS
from radixcheck.verification.proofs.conditions import Condition
from radixcheck.verification.proofs.laws import AXIOMS
from radixcheck.verification.proofs.z3_reader import sum_symbol

OPERATORS = {
    "and": "and",
    "or": "or",
    "not": "not",
    "implies": "=>",
    "ite": "ite",
    "eq": "=",
    "le": "<=",
    "lt": "<",
    "add": "+",
    "sub": "-",
}
PREDEFINED = ("Bool", "Int")
SIMPLE = re.compile(r"[A-Za-z_?][A-Za-z0-9_.]*")  # a subset of what the standard allows

Environment = Mapping[str, str]


def quoted(name: str) -> str:
    """Return a name as SMT-LIB writes it. Raise ValueError if SMT-LIB cannot write it."""
    if SIMPLE.fullmatch(name):
        return name
    if "|" in name or "\\" in name:
        raise ValueError(f"SMT-LIB cannot write the name {name!r}")
    return f"|{name}|"


def _form(head: str, args: Sequence[str]) -> str:
    """Return a head applied to arguments, or the head without parentheses if there are none."""
    return f"({' '.join((head, *args))})" if args else head


class Printer:
    """Writes terms, and collects the declarations that they need, in order."""

    def __init__(self) -> None:
        self.sorts: dict[str, str] = {}
        self.symbols: dict[str, str] = {}
        self._sums: dict[object, str] = {}

    def sort(self, sort: Sort) -> str:
        """Declare a sort once, and return its name."""
        name = quoted(sort.name)
        if sort.name not in PREDEFINED:
            self.sorts[name] = f"(declare-sort {name} 0)"
        return name

    def symbol(self, name: str, domain: Sequence[Sort], sort: Sort) -> str:
        """Declare a symbol once, and return its name. Raise ValueError for a second symbol of this name, which SMT-LIB forbids."""
        written = quoted(name)
        declaration = f"(declare-fun {written} ({' '.join(self.sort(s) for s in domain)}) {self.sort(sort)})"
        if self.symbols.setdefault(written, declaration) != declaration:
            raise ValueError(f"two symbols have the name {name}: {self.symbols[written]} and {declaration}")
        return written

    def write(self, term: Term, env: Environment = {}) -> str:  # noqa: B006  never written to
        """Return a term as text. Free variables that are not in `env` become constants.

        Raise ValueError for an operator that solvers do not have: `old` must have been resolved.
        """
        match term.op:
            case "var":
                name = term.args[0]
                return env[name] if name in env else self.symbol(name, (), term.sort)
            case "const":
                return _constant(term.args[0])
            case "app":
                return self._apply(term, env)
            case "forall" | "exists":
                return self._quantified(term, env)
            case "sum":
                return self._sum(term, env)
        if term.op not in OPERATORS:
            raise ValueError(f"solvers have no operator {term.op!r}")
        args = [self.write(t, env) for t in term.args]
        if term.op in ("le", "lt") and term.args[0].sort == POS:
            prefix = _form(self.symbol("prefix", (POS, POS), term.sort), args)
            return prefix if term.op == "le" else f"(and {prefix} (not {_form('=', args)}))"
        return _form(OPERATORS[term.op], args)

    def _apply(self, term: Term, env: Environment) -> str:
        function, *args = term.args
        if function.kind == "defined":
            return self.write(unfold(term), env)
        return _form(self.symbol(function.name, function.domain, function.sort), [self.write(a, env) for a in args])

    def _quantified(self, term: Term, env: Environment) -> str:
        bound, body = term.args
        # The prefix distinguishes bound variables from declared symbols. Inner variables hide outer ones, as in our terms.
        names = {v.args[0]: quoted("?" + v.args[0]) for v in bound}
        variables = " ".join(f"({names[v.args[0]]} {self.sort(v.sort)})" for v in bound)
        return f"({term.op} ({variables}) {self.write(body, {**env, **names})})"

    def _sum(self, term: Term, env: Environment) -> str:
        key, holes = sum_symbol(term)
        name = self._sums.setdefault(key, f"sum.{len(self._sums)}")
        return _form(self.symbol(name, tuple(t.sort for t in holes), term.sort), [self.write(t, env) for t in holes])


def _constant(value: bool | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value >= 0 else f"(- {-value})"


def script(condition: Condition, names: Sequence[str], goal: Term) -> str:
    """Return the script that asks whether a goal can fail while the axioms, the named hypotheses and the laws of the condition hold.

    The answer `unsat` proves the goal.
    """
    printer = Printer()
    given = [(f"axiom {name}", term) for name, term in AXIOMS.items()]
    given += [(f"hypothesis {name}", condition.hypotheses[name]) for name in names]
    given += [(f"law {i}", law) for i, law in enumerate(condition.laws_for(goal))]
    asserted = [line for title, term in (*given, ("the goal fails", ~goal)) for line in (f"; {title}", f"(assert {printer.write(term)})")]
    declared = (*printer.sorts.values(), *printer.symbols.values())
    return "\n".join((f"; {condition.name}", "(set-logic UFLIA)", *declared, *asserted, "(check-sat)", ""))
