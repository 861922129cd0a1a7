"""Writes terms as Python expressions over a state.

A quantifier is run as a loop over what its guards allow: `q <= t` gives the prefixes of t, `node(q)` the set of nodes, `q == t` one
value. So a check costs what it looks at, and a transition what it changes. A quantifier over positions without such a guard is
refused when it is compiled.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from radixcheck.spec.host.host_signature import HOST_PAGE, device_leaf, gaps, host_capacity
from radixcheck.spec.logic import Term, lift, unfold
from radixcheck.spec.run.host_state import HOST_SETS
from radixcheck.spec.run.state import EVENT_SETS, SETS
from radixcheck.spec.run.terms import free
from radixcheck.spec.signature import ENTRY, PAGE, POS, REQUEST, leaf

_RIGID = {"prev": "prev", "length": "length", "room": "room", "whole": "whole", "namespace": "namespace"}
_RARE = {"page_id": "page_id", "last_page": "page"}  # rigid, too; read where they are used
# Read as f[x]; others as f.get(x).
_DIRECT = {"time", "creation", "hits", "priority", "lock", "owner", "first", "second", "pins", "host_owner"}
_OF_STATE = {gaps.args[0].name, host_capacity.args[0].name}  # rigid symbols that a state with a host tier keeps
ALL_SETS = {*SETS, *HOST_SETS, *EVENT_SETS}
# How a state answers a defined symbol from an index; a test compares it with the definition.
CHEAPER = {leaf: "not {S}.kids.get({0})", device_leaf: "{S}.is_device_leaf({0})"}
_PAGES = "range(len({0}))"
_THINGS = {PAGE: (_PAGES, "owner"), HOST_PAGE: (_PAGES, "host_owner"), REQUEST: ("{0}", "held"), ENTRY: ("{0}", "queued")}  # all of a sort


def conjuncts(term: Term, mark: str = "S") -> list[tuple[Term, str]]:
    """The parts of a conjunction, each with the state (S, or B for before) in which it is read."""
    if term.op == "old":
        return conjuncts(term.args[0], "B")
    if term.op == "and":
        return conjuncts(term.args[0], mark) + conjuncts(term.args[1], mark)
    if term.op == "app" and term.args[0].kind == "defined" and term.args[0] not in CHEAPER:
        return conjuncts(unfold(term), mark)
    return [(term, mark)]


@dataclass(frozen=True, slots=True)
class Loop:
    """One `for` of a comprehension: the variable, what it runs over, and the conditions that can be tested by then."""

    variable: str
    domain: str
    filters: tuple[str, ...]

    def clause(self) -> str:
        """The loop as Python."""
        return f"for {self.variable} in {self.domain}" + "".join(f" if {f}" for f in self.filters)


class Writer:
    """Writes Python expressions for terms and collects the names that they read."""

    def __init__(self) -> None:
        self.reads: set[tuple[str, str]] = set()

    def name(self, variable: Term) -> str:
        """The Python name of a variable."""
        return "v_" + str(variable.args[0]).replace("'", "_p")

    def read(self, function: str, mark: str) -> str:
        """The Python name of a state function, in the state S or in B, the one before."""
        self.reads.add((mark, function))
        return f"{mark}_{function}"

    def expr(self, term: Term, mark: str = "S") -> str:
        """The term as a Python expression."""
        match term.op:
            case "var":
                return self.name(term)
            case "const":
                return repr(term.args[0])
            case "app":
                return self._app(term, mark)
            case "old":
                return self.expr(term.args[0], "B")
            case "not":
                return f"(not {self.expr(term.args[0], mark)})"
            case "implies":
                return f"(not {self.expr(term.args[0], mark)} or {self.expr(term.args[1], mark)})"
            case "ite":
                test, then, otherwise = (self.expr(t, mark) for t in term.args)
                return f"({then} if {test} else {otherwise})"
            case "le" | "lt" if term.args[0].sort == POS:
                return self._prefix(term.op, *(self.expr(t, mark) for t in term.args))
            case "forall" | "exists" | "sum":
                return self._quantified(term, mark)
        sign = {"and": "and", "or": "or", "eq": "==", "le": "<=", "lt": "<", "add": "+", "sub": "-"}[term.op]
        return f"({self.expr(term.args[0], mark)} {sign} {self.expr(term.args[1], mark)})"

    def _prefix(self, op: str, a: str, b: str) -> str:
        return f"(LEVEL[{a}] {'<=' if op == 'le' else '<'} LEVEL[{b}] and ANC[{b}][LEVEL[{a}]] == {a})"

    def _app(self, term: Term, mark: str) -> str:
        function, *args = term.args
        if function.kind == "defined":
            if function in CHEAPER:
                return f"({CHEAPER[function].format(*(self.expr(a, mark) for a in args), S=mark)})"
            return self.expr(unfold(term), mark)
        values = [self.expr(a, mark) for a in args]
        if function.name in _OF_STATE:
            return self.read(function.name, mark)
        if function.name in _RARE:
            return f"P.{_RARE[function.name]}[{values[0]}]"
        if function.kind == "rigid":
            return f"{function.name.upper()}[{values[0]}]" if values else function.name.upper()
        stored = self.read(function.name, mark)
        if not values:
            return stored
        if function.name in ALL_SETS:
            return f"({values[0]} in {stored})"
        if function.name in _DIRECT:
            return f"{stored}[{values[0]}]"
        return f"{stored}.get({values[0]})" if len(values) == 1 else f"{stored}.get(({', '.join(values)}))"

    def _quantified(self, term: Term, mark: str) -> str:
        if term.op == "sum":
            x, where, weight = term.args
            clauses = " ".join(loop.clause() for loop in self.loops((x,), conjuncts(where, mark)))
            return f"sum({self.expr(weight, mark)} {clauses})"
        bound, body = term.args
        if term.op == "exists":
            clauses = " ".join(loop.clause() for loop in self.loops(bound, conjuncts(body, mark)))
            return f"any(True {clauses})"
        guards, claim = guarded(body)
        clauses = " ".join(loop.clause() for loop in self.loops(bound, conjuncts(guards, mark)))
        return f"all({self.expr(claim, mark)} {clauses})"

    def loops(self, bound: Sequence[Term], parts: list[tuple[Term, str]], known: Iterable[str] = ()) -> list[Loop]:
        """One loop per variable over the smallest domain that the guards name; each guard becomes a filter where it can."""
        open_, out, waiting = {v.args[0] for v in bound}, [], list(parts)
        for variable in bound:
            domain, waiting = self._domain(variable, waiting, open_)
            open_ = open_ - {variable.args[0]}
            ready = [p for p in waiting if not free(p[0]) & open_]
            waiting = [p for p in waiting if free(p[0]) & open_]
            out.append(Loop(self.name(variable), domain, tuple(self.expr(t, m) for t, m in ready)))
        return out

    def _domain(self, v: Term, parts: list[tuple[Term, str]], open_: set[str]) -> tuple[str, list[tuple[Term, str]]]:
        """The smallest domain that the guards name, and the guards that are still to be tested."""
        bounds = [p for p in parts if _bounds(p[0], v) and not free(p[0].args[1]) & open_]
        for part in bounds:
            if part[0].op == "eq":
                return f"({self.expr(part[0].args[1], part[1])},)", _without(parts, part)
        if v.sort == POS and bounds:
            return self._prefixes(v, parts, bounds[0], open_)
        for term, mark in parts:
            if term.op == "app" and term.args[0].name in ALL_SETS and _is(term.args[1], v):
                return self.read(term.args[0].name, mark), parts
        if v.sort == POS:
            raise ValueError(f"no guard says over which positions {v.args[0]} runs")
        whole, of = _THINGS[v.sort]
        return whole.format(self.read(of, "S")), parts

    def _prefixes(
        self, v: Term, parts: list[tuple[Term, str]], upper: tuple[Term, str], open_: set[str]
    ) -> tuple[str, list[tuple[Term, str]]]:
        """The prefixes up to a bound; from another bound on, if there is one."""
        high, rest = self.expr(upper[0].args[1], upper[1]), _without(parts, upper)
        if upper[0].op == "lt":
            return f"ANC[{high}][:-1]", rest
        for part in rest:
            if part[0].op == "lt" and _is(part[0].args[1], v) and not free(part[0].args[0]) & open_:
                return f"P.between({self.expr(part[0].args[0], part[1])}, {high})", _without(rest, part)
        return f"ANC[{high}]", rest

    def prologue(self) -> list[str]:
        """The local names that the written expressions use."""
        table = ["P = S.positions", "LEVEL, ANC, EPS = P.level, P.ancestors, 0", "PAGE_SIZE, CAPACITY = P.page_size, S.capacity"]
        table.append(", ".join(n.upper() for n in _RIGID) + " = " + ", ".join(f"P.{n}" for n in _RIGID))
        return table + [f"{mark}_{name} = {mark}.{name}" for mark, name in sorted(self.reads)]


def _is(term: Term, variable: Term) -> bool:
    return bool(term.op == "var" and term.args == variable.args)


def _bounds(part: Term, variable: Term) -> bool:
    """Whether a guard says what the variable equals, or of what it is a prefix."""
    return part.op in ("eq", "le", "lt") and _is(part.args[0], variable)


def _without(parts: list[tuple[Term, str]], one: tuple[Term, str]) -> list[tuple[Term, str]]:
    return [p for p in parts if p is not one]


def guarded(body: Term) -> tuple[Term, Term]:
    """A quantified body as guards and claim."""
    if body.op == "implies":
        return body.args[0], body.args[1]
    if body.op == "not":
        return body.args[0], lift(False)
    return lift(True), body
