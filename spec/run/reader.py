"""The Python reader: formulas become functions that check a state, transitions become functions that change one."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from radixcheck.spec.logic import Term, var
from radixcheck.spec.run.host_state import HOST_COUNTERS, HOST_LISTS
from radixcheck.spec.run.state import COUNTERS, LISTS, State
from radixcheck.spec.run.writer import ALL_SETS, Writer, conjuncts, guarded
from radixcheck.spec.signature import POS
from radixcheck.spec.updates import Transition, Update

Binding = dict[str, int]
Check = Callable[..., Binding | None]


class Refused(Exception):
    """The guard of a transition does not hold: whoever built the chain is wrong."""


def build(name: str, parameters: Sequence[str], lines: Sequence[str], **names: Any) -> Any:
    """A function of this name from the lines of its body, which may use the other names."""
    source = f"def {name}({', '.join(parameters)}):\n" + "\n".join("    " + line for line in lines)
    scope: dict[str, Any] = {"Refused": Refused, **names}
    exec(source, scope)
    return scope[name]


def check(formula: Term, parameters: Sequence[Term] = ()) -> Check:
    """A function (state[, before, *parameters]) -> None if the formula holds, else the values of its variables where it fails."""
    writer, body = Writer(), []
    for part, mark in conjuncts(formula):
        if part.op != "forall":
            body.append(f"if not {writer.expr(part, mark)}: return {{}}")
            continue
        guards, claim = guarded(part.args[1])
        loops = writer.loops(part.args[0], conjuncts(guards, mark))
        depth = ""
        for loop in loops:
            body.append(f"{depth}for {loop.variable} in {loop.domain}:")
            depth += "  "
            body.extend(f"{depth}if not {f}: continue" for f in loop.filters)
        shown = ", ".join(f"{v.args[0]!r}: {writer.name(v)}" for v in part.args[0])
        body.append(f"{depth}if not {writer.expr(claim, mark)}: return {{{shown}}}")
    names = ["S", "B=None", *(f"{writer.name(p)}=None" for p in parameters)]
    check_: Check = build("check", names, [*writer.prologue(), *body, "return None"])
    return check_


def holds(formula: Term, parameters: Sequence[Term] = ()) -> Callable[..., bool]:
    """A function (state[, before, *parameters]) -> whether the formula holds; for witnesses."""
    writer = Writer()
    value = writer.expr(formula)
    names = ["S", "B=None", *(f"{writer.name(p)}=None" for p in parameters)]
    result: Callable[..., bool] = build("holds", names, [*writer.prologue(), f"return {value}"])
    return result


def _pairs(writer: Writer, update: Update, with_value: bool) -> str:
    """The (argument, value) pairs of one update, as an expression over the old state."""
    parts = conjuncts(update.where)
    key = ", ".join(writer.name(p) for p in update.parameters)
    key = key if len(update.parameters) == 1 else f"({key})"
    item = f"({key}, {writer.expr(update.value)})" if with_value else key
    if update.image:
        q = var("q_image", POS)
        pages = " ".join(loop.clause() for loop in writer.loops((q,), conjuncts(update.image.where(q))))
        tests = " and ".join(writer.expr(t, m) for t, m in parts)
        return f"[{item} {pages} for {key} in ({writer.expr(update.image.at(q))},) if {tests}]"
    return f"[{item} {' '.join(loop.clause() for loop in writer.loops(update.parameters, parts))}]"


def _apply(name: str, values: str) -> str:
    if name in ALL_SETS:
        return f"for k, v in {values}: (S.{name}.add if v else S.{name}.discard)(k)"
    if name in (*LISTS, *HOST_LISTS):
        return f"for k, v in {values}: S.{name}[k] = v"
    if name == "up":
        return f"for k, v in {values}: S.move_up(k, v)"
    return f"S.{name}.update({values})"


def _drop(name: str) -> str:
    if name == "up":
        return "S.drop_up(k)"
    return f"S.{name}.discard(k)" if name in ALL_SETS else f"S.{name}.pop(k, None)"


@cache
def execute(transition: Transition) -> Callable[..., None]:
    """A function (state, *parameters) that checks the guard, then changes the state in place. Raises `Refused`."""
    writer = Writer()
    guard = " and ".join(writer.expr(t, m) for t, m in conjuncts(transition.guard))
    compute, apply = [], []
    for i, update in enumerate(transition.updates):
        if update.function.name in (*COUNTERS, *HOST_COUNTERS):
            compute.append(f"u{i} = {writer.expr(update.value)}")
            apply.append(f"S.{update.function.name} = u{i}")
        else:
            compute.append(f"u{i} = {_pairs(writer, update, True)}")
            apply.append(_apply(update.function.name, f"u{i}"))
    for i, gone in enumerate(transition.forgets):
        compute.append(f"g{i} = {_pairs(writer, gone, False)}")
        apply.append(f"for k in g{i}: {_drop(gone.function.name)}")
    refuse = f"if not ({guard}): raise Refused({transition.name!r})"
    names = ["S", *(writer.name(p) for p in transition.parameters)]
    run: Callable[..., None] = build(transition.name, names, [*writer.prologue(), refuse, *compute, *apply])
    return run


def run(transition: Transition, state: State, *arguments: int) -> None:
    """Take one transition."""
    execute(transition)(state, *arguments)


def tuples(x: Term, where: Term, values: Sequence[Term]) -> Callable[[State], list[Any]]:
    """A function (state) -> the tuple of `values` for every x that satisfies `where`."""
    writer = Writer()
    clauses = " ".join(loop.clause() for loop in writer.loops((x,), conjuncts(where)))
    row = ", ".join(writer.expr(v) for v in values)
    result: Callable[[State], list[Any]] = build("tuples", ["S"], [*writer.prologue(), f"return [({row}) {clauses}]"])
    return result


def row_of(x: Term, values: Sequence[Term]) -> Callable[[State, int], Any]:
    """A function (state, x) -> the tuple of `values` for one x."""
    writer = Writer()
    row = ", ".join(writer.expr(v) for v in values)
    result: Callable[[State, int], Any] = build("row_of", ["S", writer.name(x)], [*writer.prologue(), f"return ({row})"])
    return result
