"""A second, naive reader of terms: whole domains, no guards looked at. Slow and obvious; the compiled reader is compared with it."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from radixcheck.spec.logic import Sort, Term
from radixcheck.spec.run.state import SETS, State
from radixcheck.spec.signature import ENTRY, PAGE, POS, REQUEST

SPARE = 7_000  # a request and an entry that no state knows


def domain(sort: Sort, state: State) -> Iterable[int]:
    """Everything of a sort."""
    if sort == POS:
        return range(len(state.positions.prev))
    if sort == PAGE:
        return range(len(state.owner))
    assert sort in (REQUEST, ENTRY), sort
    return {SPARE} | (state.held if sort == REQUEST else state.queued)


def value(term: Term, state: State, names: Mapping[str, Any]) -> Any:
    """What a term is worth in a state."""
    match term.op:
        case "var":
            return names[term.args[0]]
        case "const":
            return term.args[0]
        case "app":
            return _apply(term, state, names)
        case "ite":
            return value(term.args[1 if value(term.args[0], state, names) else 2], state, names)
        case "not":
            return not value(term.args[0], state, names)
        case "and":
            return all(value(a, state, names) for a in term.args)
        case "or":
            return any(value(a, state, names) for a in term.args)
        case "implies":
            return not value(term.args[0], state, names) or value(term.args[1], state, names)
        case "forall" | "exists":
            bound = term.args[0]
            rows = product(*(domain(v.sort, state) for v in bound))
            names_of = ({**names, **{v.args[0]: x for v, x in zip(bound, row, strict=True)}} for row in rows)
            return (all if term.op == "forall" else any)(value(term.args[1], state, n) for n in names_of)
        case "sum":
            x, where, weight = term.args
            inside = ({**names, x.args[0]: v} for v in domain(x.sort, state))
            return sum(value(weight, state, n) for n in inside if value(where, state, n))
    a, b = (value(side, state, names) for side in term.args)
    return _compare(term, a, b, state)


def _compare(term: Term, a: Any, b: Any, state: State) -> Any:
    if term.op == "eq":
        return a == b
    if term.op in ("add", "sub"):
        return a + b if term.op == "add" else a - b
    if term.args[0].sort != POS:
        return a <= b if term.op == "le" else a < b
    if a is None or b is None:
        return False
    while state.positions.level[b] > state.positions.level[a]:
        b = state.positions.prev[b]
        if a == b:
            return True
    return a == b and term.op == "le"


def _apply(term: Term, state: State, names: Mapping[str, Any]) -> Any:
    function, *terms = term.args
    args = [value(t, state, names) for t in terms]
    if function.kind == "defined":
        return value(function.body, state, {p.args[0]: a for p, a in zip(function.parameters, args, strict=True)})
    if function.kind == "rigid":
        return _rigid(function.name, args, state)
    if function.name in SETS:
        return args[0] in getattr(state, function.name)
    if function.name == "owner":
        return state.owner[args[0]] if args[0] is not None else None
    held = getattr(state, function.name)
    return held if not args else held.get(args[0] if len(args) == 1 else tuple(args))


def _rigid(name: str, args: list[Any], state: State) -> Any:
    fixed = {"eps": 0, "page_size": state.positions.page_size, "capacity": state.capacity}
    if name in fixed:
        return fixed[name]
    return None if args[0] is None else getattr(state.positions, name)[args[0]]
