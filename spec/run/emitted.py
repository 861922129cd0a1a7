"""The event that a step of the event machine emits, as a value that others can fold."""

from collections.abc import Callable
from functools import cache

from radixcheck.spec.events.event_machine import Emission
from radixcheck.spec.events.event_signature import announced, host_announced
from radixcheck.spec.events.event_values import DEVICE, HOST, Cleared, Event, Removed, Stored
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.reader import build
from radixcheck.spec.run.state import State
from radixcheck.spec.run.writer import Writer
from radixcheck.spec.updates import Transition

MEDIA = {announced: DEVICE, host_announced: HOST}


@cache
def _ends(emission: Emission, step: Transition) -> Callable[..., tuple[int, int]]:
    """A function (state, *parameters) -> the position before the first page of an event, and that of its last page."""
    writer = Writer()
    ends = ", ".join(writer.expr(term) for term in (emission.low, emission.high))
    names = ["S", *(writer.name(p) for p in step.parameters)]
    result: Callable[..., tuple[int, int]] = build("ends", names, [*writer.prologue(), f"return {ends}"])
    return result


def emitted(emission: Emission, step: Transition, state: State, *arguments: int) -> Event:
    """The event of a step that is about to be taken in this state."""
    if emission.event is Cleared:
        return Cleared()
    p = state.positions
    low, high = _ends(emission, step)(state, *arguments)
    places = p.between(low, high)
    ids = tuple(p.page_id[q] for q in places)
    if emission.event is Removed:
        return Removed(MEDIA[emission.tier], ids[::-1])
    parent = None if low == EPS else p.page_id[low]
    return Stored(MEDIA[emission.tier], p.namespace[high], parent, ids, tuple(token for q in places for token in p.page[q]))
