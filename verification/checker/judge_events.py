"""Judges the KV events of a cache: folded after every operation, they give the pages that the specification has on each tier.

A page can be read, and so is announced, when its KV has arrived: a copy that was issued and is not acknowledged has brought nothing yet.
"""

from collections.abc import Sequence

from radixcheck.spec.events.event_fold import EVENT_ID, EVENT_ORDER, EVENT_PARENT, EVENT_REPLAY, Resident
from radixcheck.spec.events.event_values import DEVICE, HOST, Event, Removed, Stored
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.core.found import Violation


class EventLog:
    """The events of one run. After the first fault they are not judged any more, and the run goes on."""

    def __init__(self, page_size: int, positions: Positions) -> None:
        self._fold, self._positions = Resident(page_size), positions
        self._places: dict[int, int] = {}  # by id
        self._wrong = False

    def judge(self, run: CheckedRun) -> list[Violation]:
        """Fold the events of an operation that the subject and the specification have both performed, and compare."""
        events = run.engine.take_events()
        if self._wrong:
            return []
        out = [Violation(fault.property, fault.sentence) for event in events for fault in self._fold.apply(event)]
        there = readable(run.oracle.model.state)
        if not out:
            out = [fault for medium, expected in there.items() for fault in self._differences(medium, expected)]
        self._count(run, events, any(there.values()))
        self._wrong = bool(out)
        return out

    def _differences(self, medium: str, expected: set[int]) -> list[Violation]:
        found = {self._place(id_) for id_ in self._fold.pages.get(medium, ())}
        for lacking, text in ((expected - found, "the events do not give"), (found - expected, "the events give, and the cache has not,")):
            if lacking:
                shortest = min(lacking, key=self._positions.length.__getitem__)
                pages = f"{len(lacking)} pages that {text} on the {medium}"
                return [Violation(EVENT_REPLAY, f"expected none, found {pages}; the first is for {prefix_text(self._positions, shortest)}")]
        return []

    def _place(self, id_: int) -> int:
        """Return the position that an id stands for."""
        place = self._places.get(id_)
        if place is None:
            prefix = self._fold.prefix(id_)
            assert prefix is not None, "no event of this run was wrong"
            place = self._places[id_] = self._positions.of(prefix)
        return place

    def _count(self, run: CheckedRun, events: Sequence[Event], any_page: bool) -> None:
        stored = [event for event in events if isinstance(event, Stored)]
        run.tally.count(EVENT_REPLAY, any_page)
        run.tally.count(EVENT_ORDER, bool(events))
        run.tally.count(EVENT_ID, bool(stored))
        run.tally.count(EVENT_PARENT, any(event.parent is not None for event in stored) or any(isinstance(e, Removed) for e in events))


def readable(state: State) -> dict[str, set[int]]:
    """Return the positions that can be read on each tier."""
    if not isinstance(state, HostState):
        return {DEVICE: state.cached - {EPS}}
    device = {q for q in state.resident if state.page[q] in state.filled}
    return {DEVICE: device, HOST: {q for q in state.hosted if state.host_page[q] in state.host_filled}}
