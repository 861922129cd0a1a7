"""Converts a counterexample to the form in which subjects show their states, so that it can be drawn."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from radixcheck.spec.host.host_signature import DOWN, UP
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import POS
from radixcheck.spec.values import Sizes
from radixcheck.verification.operations import listed
from radixcheck.verification.proofs.conditions import Condition
from radixcheck.verification.proofs.proof_results import Model, Moment
from radixcheck.verification.proofs.refute import Counterexample
from radixcheck.verification.protocol import Observation, SeenCopy, SeenEntry, SeenNode

OTHERS = ("s", "t", "g", "h", "d", "e")  # variables of formulas that are not positions


def model_of(condition: Condition, found: Counterexample) -> Model:
    """Return the states and the step of a counterexample."""
    before, after = found.before, found.after
    step, call = condition.step, ""
    if step is not None:
        values = {p.args[0]: value for p, value in zip(step.parameters, found.arguments, strict=True)}
        call = f"{step.name}({_values(before, values, [p.args[0] for p in step.parameters if p.sort == POS])})"
    positions = [name for name in found.violated if name not in OTHERS]
    return Model(moment(before), moment(after), call, _values(after, found.violated, positions))


def _values(state: State, values: Mapping[str, int], positions: Sequence[str]) -> str:
    def written(name: str, value: int) -> str:
        return listed(state.positions.tokens(value)) if name in positions else str(value)

    return ", ".join(f"{name} = {written(name, value)}" for name, value in values.items())


def moment(state: State) -> Moment:
    """Return a state of the specification as a subject would show it."""
    heap = sorted(state.queued, key=lambda e: (state.first[e], state.second[e], e))
    aged = frozenset(i for i, e in enumerate(heap) if state.second[e] != state.time.get(state.on[e]))
    entries = [SeenEntry((state.first[e], state.second[e]), state.on[e], e, state.entry.get(state.on[e]) == e) for e in heap]
    copies = list(_copies(state)) if isinstance(state, HostState) else []
    seen = Observation(state.now, _nodes(state), heap=entries or None, copies=copies)
    return Moment(seen, Sizes(state.available, state.evictable, state.protected), aged)


def _nodes(state: State) -> list[SeenNode]:
    p = state.positions
    host_page, pins = (state.host_page, state.pins) if isinstance(state, HostState) else ({}, {})
    nodes = []
    for n in sorted(state.node, key=p.level.__getitem__):
        path = [q for q in p.path(n) if p.level[q] > p.level[state.up[n]]]
        segment = tuple(token for q in path for token in p.page[q])
        parent = None if state.up[n] == EPS else state.up[n]
        attributes = (state.lock[n], state.time[n], state.creation[n], state.hits[n], state.priority[n])
        slots, host_slots = (_slots(p.page_size, map(pages.get, path)) for pages in (state.page, host_page))
        nodes.append(SeenNode(n, parent, segment, slots, p.namespace[n], None, *attributes, host_slots, pins.get(n, 0)))
    return nodes


def _copies(state: HostState) -> Iterator[SeenCopy]:
    """Yield the copies that are in flight."""
    for h in sorted(state.held):
        if state.stage[h] in (DOWN, UP):
            span = [(h, q) for q in state.positions.between(state.floor[h], state.aim[h])]
            device, host = (_slots(state.positions.page_size, map(rows.get, span)) for rows in (state.row, state.host_row))
            up, floor = state.stage[h] == UP, None if state.floor[h] == EPS else state.floor[h]
            yield SeenCopy(up, floor, state.aim[h], *((host, device) if up else (device, host)))


def _slots(size: int, pages: Iterable[int | None]) -> tuple[int, ...]:
    """Return the slots of pages, without those that are unknown."""
    return tuple(slot for page in pages if page is not None for slot in range(page * size, (page + 1) * size))
