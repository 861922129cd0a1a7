"""Operations as Python functions: what a call is worth before it is taken, and which transition each stage of its chain takes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from radixcheck.spec.logic import Term, lift
from radixcheck.spec.operations import OPERATIONS, Operation, Stage, found, hit, key, longest, needed, new_priority, used, wanted
from radixcheck.spec.run.reader import build
from radixcheck.spec.run.terms import free
from radixcheck.spec.run.writer import Writer
from radixcheck.spec.signature import POS, eps
from radixcheck.spec.transitions import s
from radixcheck.spec.updates import Transition
from radixcheck.spec.values import CacheError

VALUES = (key, longest, found, used, hit, new_priority, needed, wanted)  # what `Ready.prepare` returns, in this order


@dataclass(frozen=True, slots=True)
class ReadyStage:
    """A stage that can be run. `choose(state, *given, *values)` is a transition with its arguments (but for the page), or None."""

    choose: Callable[..., tuple[Transition, tuple[int, ...]] | None]
    loop: Transition | None = None  # the transition that is repeated


@dataclass(frozen=True, slots=True)
class Ready:
    """An operation that can be run. `prepare(state, deepest, *given)` returns the refusal, if there is one, and the values of the call."""

    operation: Operation
    names: tuple[str, ...]  # of what it takes
    prepare: Callable[..., tuple[CacheError | None, tuple[int, ...]]]
    stages: tuple[ReadyStage, ...]


@cache
def ready(name: str) -> Ready:
    """The operation, compiled once."""
    operation = OPERATIONS[name]
    names = tuple(p.args[0] for p in operation.takes)
    return Ready(operation, names, _prepare(operation), tuple(_stage(operation, stage) for stage in operation.chain))


def _meaning(operation: Operation, value: Term) -> Term:
    """The term that a value of a call is."""
    if value is key:
        return operation.key
    return operation.values.get(value.args[0], eps if value.sort == POS else lift(0))


def _prepare(operation: Operation) -> Any:
    """Refusals that read no value of the call come first: where they hold, it may have none."""
    writer = Writer()
    errors = {f"error{i}": refusal for i, refusal in enumerate(operation.refusals)}
    names = {value.args[0] for value in VALUES}
    outright = [name for name, refusal in errors.items() if not free(refusal.when) & names]
    values = f"({', '.join(writer.name(value) for value in VALUES)})"

    def refuse(name: str, result: str) -> str:
        message = ", ".join(writer.expr(value) for value in errors[name].values)
        return f"if {writer.expr(errors[name].when)}: return {name}.error({name}.message.format({message})), {result}"

    lines = [refuse(name, "NO_VALUES") for name in outright]
    for value in VALUES:
        meaning = "deepest(v_key)" if value is longest else writer.expr(_meaning(operation, value))
        lines.append(f"{writer.name(value)} = {meaning}")
    lines += [refuse(name, values) for name in errors if name not in outright]
    given = ["S", "deepest", *(writer.name(p) for p in operation.takes)]
    body = [*writer.prologue(), *lines, f"return None, {values}"]
    return build("prepare", given, body, NO_VALUES=(0,) * len(VALUES), **errors)


def _stage(operation: Operation, stage: Stage) -> ReadyStage:
    """A loop is run by the machine, which has a cheap way to choose what the loop takes."""
    if stage.loop:
        (take,) = stage.takes
        return ReadyStage(lambda *_: None, take.transition)
    writer, lines = Writer(), list[str]()
    steps = {f"step{i}": take.transition for i, take in enumerate(stage.takes)}
    for name, take in zip(steps, stage.takes, strict=True):
        arguments = "".join(f"{writer.expr(argument)}, " for argument in take.arguments if argument is not s)
        lines.append(f"if {writer.expr(take.when)}: return {name}, ({arguments})")
    given = ["S", *(writer.name(p) for p in (*operation.takes, *VALUES))]
    return ReadyStage(build("choose", given, [*writer.prologue(), *lines, "return None"], **steps))
