"""A counterexample as a subject would show it: trees before and after, what the step was given, and the same in a program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import POS
from radixcheck.spec.values import Sizes
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import listed
from radixcheck.verification.proofs.conditions import Condition
from radixcheck.verification.proofs.refute import Counterexample
from radixcheck.verification.protocol import Observation, SeenEntry, SeenNode

OTHERS = ("s", "g", "h", "d", "e")  # variables of formulas that are no positions


@dataclass(frozen=True, slots=True)
class Moment:
    """A state of the specification as a subject shows itself, and what it says of its sizes."""

    seen: Observation  # the heap from its least entry to its greatest
    sizes: Sizes
    aged: frozenset[int]  # entries of the heap, by their place, that were stored before their node's last access


@dataclass(frozen=True, slots=True)
class Model:
    """Before and after one step (equal where there is none)."""

    before: Moment
    after: Moment
    step: str  # with its arguments; empty: the claim is of one state
    violated: str  # where the formula fails


@dataclass(frozen=True, slots=True)
class Run:
    """Operations on a cache, and what is broken after the last one."""

    cache: str
    operations: tuple[str, ...]
    violation: Violation


def model_of(condition: Condition, found: Counterexample) -> Model:
    """What a counterexample shows."""
    before, after = found.before, found.after
    step, given = condition.step, ""
    if step is not None:
        values = {p.args[0]: value for p, value in zip(step.parameters, found.arguments, strict=True)}
        given = f"{step.name}({_values(before, values, [p.args[0] for p in step.parameters if p.sort == POS])})"
    positions = [name for name in found.violated if name not in OTHERS]
    return Model(moment(before), moment(after), given, _values(after, found.violated, positions))


def _values(state: State, values: Mapping[str, int], positions: Sequence[str]) -> str:
    def shown(name: str, value: int) -> str:
        return listed(state.positions.tokens(value)) if name in positions else str(value)

    return ", ".join(f"{name} = {shown(name, value)}" for name, value in values.items())


def moment(state: State) -> Moment:
    """What there is to be seen in a state of the specification."""
    heap = sorted(state.queued, key=lambda e: (state.first[e], state.second[e], e))
    aged = frozenset(i for i, e in enumerate(heap) if state.second[e] != state.time.get(state.on[e]))
    entries = [SeenEntry((state.first[e], state.second[e]), state.on[e], e, state.entry.get(state.on[e]) == e) for e in heap]
    return Moment(
        Observation(state.now, _nodes(state), heap=entries or None), Sizes(state.available, state.evictable, state.protected), aged
    )


def _nodes(state: State) -> list[SeenNode]:
    p = state.positions
    nodes = []
    for n in sorted(state.node, key=p.level.__getitem__):
        path = [q for q in p.path(n) if p.level[q] > p.level[state.up[n]]]
        segment = tuple(token for q in path for token in p.page[q])
        slots = tuple(slot for q in path for slot in _slots(p.page_size, state.page.get(q)))
        parent = None if state.up[n] == EPS else state.up[n]
        marks = (state.lock[n], state.time[n], state.creation[n], state.hits[n], state.priority[n])
        nodes.append(SeenNode(n, parent, segment, slots, p.namespace[n], None, *marks))
    return nodes


def _slots(size: int, page: int | None) -> range:
    return range(0) if page is None else range(page * size, (page + 1) * size)
