"""The pages of the device while events arrive: seen after each page, with copies counted where a server reports them."""

from collections.abc import Sequence

from radixcheck.spec.events.event_values import DEVICE, HOST, Cleared, Event, Removed, Stored
from radixcheck.verification.event_streams.batch_format import Reported
from radixcheck.verification.event_streams.device_pages import DevicePages

WHOLE = Stored(DEVICE, (), None, (11, 12, 13), (1, 2, 3, 4, 5, 6))


def seen(events: Sequence[Event], names_group: bool = False) -> list[int]:
    """How much of a prompt of seven tokens is there after each page of each event."""
    pages = DevicePages()
    return [pages.cached((1, 2, 3, 4, 5, 6, 7)) for event in events for _ in pages.take(Reported(event, 0, 2, None, names_group))]


def test_a_page_is_there_from_its_own_moment_on() -> None:
    assert seen([WHOLE]) == [2, 4, 6]
    assert seen([WHOLE, Removed(DEVICE, (13, 12, 11))]) == [2, 4, 6, 4, 2, 0]
    assert seen([WHOLE, Removed(DEVICE, (12,))]) == [2, 4, 6, 2]
    assert seen([WHOLE, Cleared()]) == [2, 4, 6, 0]


def test_a_page_that_comes_back_has_its_followers_again() -> None:
    assert seen([WHOLE, Removed(DEVICE, (12,)), Stored(DEVICE, (), 11, (12,), (3, 4))]) == [2, 4, 6, 2, 6]


def test_a_prompt_without_a_namespace_does_not_see_pages_of_one_nor_of_another_tier() -> None:
    assert seen([Stored(DEVICE, ("lora",), None, (11,), (1, 2)), Stored(HOST, (), None, (21,), (1, 2)), Removed(HOST, (21,))]) == []


def test_copies_are_counted_where_events_name_a_group() -> None:
    events: list[Event] = [
        WHOLE,
        Stored(DEVICE, (), 12, (13,), (5, 6)),
        Removed(DEVICE, (13,)),
        Removed(DEVICE, (13,)),
        Removed(DEVICE, (13,)),
    ]

    assert seen(events, names_group=True) == [2, 4, 6, 6, 6, 4, 4]
    assert seen(events) == [2, 4, 6, 6, 4, 4, 4]
