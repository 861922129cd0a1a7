"""The fold of events: right streams pass, and each kind of wrong event is a fault of its property, after which the fold goes on."""

from dataclasses import replace

import pytest

from radixcheck.spec.events.event_fold import EVENT_ID, EVENT_ORDER, EVENT_PARENT, EVENT_REPLAY, Resident
from radixcheck.spec.events.event_values import DEVICE, HOST, Cleared, Event, Removed, Stored
from radixcheck.spec.values import Key

FIRST = Stored(DEVICE, (), None, (11, 12, 13), (1, 2, 3, 4, 5, 6))
COPIED = Stored(HOST, (), None, (11, 12), (1, 2, 3, 4))
RIGHT: list[list[Event]] = [
    [FIRST, Removed(DEVICE, (13, 12)), Stored(DEVICE, (), 11, (12,), (3, 4))],
    [FIRST, Removed(DEVICE, (12, 13))],  # one event is judged as a whole
    [FIRST, COPIED, Removed(DEVICE, (13, 12, 11)), Stored(DEVICE, (), None, (11,), (1, 2)), Removed(HOST, (12,))],
    [FIRST, COPIED, Removed(HOST, (11,)), Removed(HOST, (12,))],  # on the host a page may follow one that is on the device alone
    [FIRST, Cleared(), FIRST, Cleared(), Cleared()],
    [FIRST, Stored(DEVICE, ("a",), None, (21,), (1, 2)), Stored(DEVICE, (), 13, (14,), (1, 2))],
    [Stored(DEVICE, (), None, (), ()), Removed(DEVICE, ())],
]
WRONG: list[tuple[str, list[Event], Event]] = [
    (EVENT_ORDER, [FIRST], Stored(DEVICE, (), 11, (12,), (3, 4))),
    (EVENT_ORDER, [], Removed(DEVICE, (11,))),
    (EVENT_ORDER, [FIRST], Removed(HOST, (13,))),
    (EVENT_ORDER, [FIRST], Removed(DEVICE, (13, 13))),
    (EVENT_ORDER, [FIRST, Cleared()], Removed(DEVICE, (13,))),
    (EVENT_PARENT, [], Stored(DEVICE, (), 10, (11,), (1, 2))),
    (EVENT_PARENT, [FIRST, Removed(DEVICE, (13,))], Stored(HOST, (), 13, (14,), (1, 2))),
    (EVENT_PARENT, [FIRST], Stored(DEVICE, ("a",), 13, (14,), (1, 2))),
    (EVENT_PARENT, [FIRST], Removed(DEVICE, (12,))),
    (EVENT_PARENT, [FIRST, COPIED], Removed(DEVICE, (11,))),  # though it is on the host, too
    (EVENT_PARENT, [FIRST, COPIED, Removed(DEVICE, (13, 12, 11))], Removed(HOST, (11,))),
    (EVENT_ID, [FIRST], Stored(DEVICE, (), 13, (14,), (1,))),
    (EVENT_ID, [FIRST], Stored(DEVICE, (), 13, (), (1, 2))),
    (EVENT_ID, [FIRST], Stored(HOST, (), None, (12,), (3, 4))),
    (EVENT_ID, [FIRST], Stored(HOST, ("a",), None, (11,), (1, 2))),
    (EVENT_ID, [FIRST], Stored(HOST, (), None, (11,), (1, 9))),
    (EVENT_ID, [FIRST], Stored(HOST, (), None, (15,), (1, 2))),
    (EVENT_ID, [FIRST, Removed(DEVICE, (13,))], Stored(DEVICE, (), 12, (13,), (5, 7))),
    (EVENT_ID, [FIRST, Cleared()], Stored(DEVICE, (), None, (15,), (1, 2))),
]


def folded(events: list[Event]) -> Resident:
    """The fold after these events, each of which must be right."""
    fold = Resident(page_size=2)
    assert [fault for event in events for fault in fold.apply(event)] == []
    return fold


@pytest.mark.parametrize("events", RIGHT)
def test_right_events_pass(events: list[Event]) -> None:
    assert folded(events).pages.keys() <= {DEVICE, HOST}


@pytest.mark.parametrize(("property_", "events", "wrong"), WRONG)
def test_a_wrong_event_is_a_fault_of_its_property_and_names_the_event(property_: str, events: list[Event], wrong: Event) -> None:
    faults = folded(events).apply(wrong)

    assert {fault.property for fault in faults} == {property_}
    assert [replace(fault, sentence="") for fault in faults if not fault.sentence or fault.event is not wrong] == []


def test_what_a_wrong_event_gives_is_taken() -> None:
    fold = folded([FIRST])

    assert len(fold.apply(Removed(DEVICE, (99, 13)))) == 1
    assert len(fold.apply(Stored(DEVICE, (), 98, (14, 15), (7, 8, 9, 9)))) == 1
    assert fold.apply(Removed(DEVICE, (15, 14))) == ()
    assert sorted(fold.pages[DEVICE]) == [11, 12]


def test_a_page_that_is_stored_twice_is_removed_once() -> None:
    fold = folded([FIRST])
    fold.apply(FIRST)

    assert fold.apply(Removed(DEVICE, (13, 12, 11))) == ()
    assert fold.pages == {DEVICE: {}}
    assert fold.apply(FIRST) == ()


def test_a_prefix_is_read_through_all_tiers() -> None:
    fold = folded([FIRST, COPIED, Removed(DEVICE, (13, 12)), Stored(HOST, ("a",), None, (21,), (1, 2))])

    assert fold.prefix(12) == Key((1, 2, 3, 4))
    assert fold.prefix(21) == Key((1, 2), ("a",))
    assert fold.prefix(13) is None
    assert fold.holds(HOST, (11, 12))
    assert not fold.holds(DEVICE, (11, 12))


def test_a_page_without_its_beginning_or_in_a_circle_has_no_prefix() -> None:
    fold = Resident(page_size=1)
    fold.apply(Stored(DEVICE, (), 1, (2,), (5,)))
    assert fold.prefix(2) is None

    fold.apply(Stored(DEVICE, (), 2, (1,), (5,)))
    assert fold.prefix(2) is None


def test_both_kinds_of_difference_from_a_cache_are_seen() -> None:
    fold = folded([FIRST])
    there = [Key((1, 2)), Key((1, 2, 3, 4)), Key((1, 2, 3, 4, 5, 6))]

    assert fold.differences(DEVICE, there) == fold.differences(HOST, []) == ()
    assert [fault.property for fault in fold.differences(DEVICE, there[:2])] == [EVENT_REPLAY]
    assert [fault.property for fault in fold.differences(DEVICE, [*there[:2], Key((9, 9)), Key((9, 8))])] == [EVENT_REPLAY] * 2
    assert "2 pages" in fold.differences(DEVICE, [*there, Key((9, 9)), Key((9, 8))])[0].sentence
    fold.apply(Stored(DEVICE, (), 98, (14,), (7, 8)))
    assert len(fold.differences(DEVICE, there)) == 1


def test_ids_of_pages_that_are_gone_are_forgotten_some_time() -> None:
    fold = Resident(page_size=1, remembered_max=10)
    fold.apply(Stored(DEVICE, (), None, (1,), (1,)))
    for id_ in range(2, 30):
        assert fold.apply(Stored(DEVICE, (), 1, (id_,), (id_,))) == fold.apply(Removed(DEVICE, (id_,))) == ()

    assert fold.apply(Stored(DEVICE, (), 1, (2,), (7,)))[1:] == ()
    assert fold.apply(Stored(HOST, (), None, (1,), (8,)))[0].property == EVENT_ID
