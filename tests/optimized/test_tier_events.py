"""The KV events of the optimized cache with a host tier, in cases that random calls meet seldom."""

from collections.abc import Sequence
from typing import Any

from numbered_copies import Numbered

from radixcheck.optimized import DevicePool, TieredCache
from radixcheck.spec.events.event_values import DEVICE, HOST, Event, Removed, Stored
from radixcheck.spec.values import Key, Namespace


class Emitting:
    """A cache with pages of one token, which emits into a list. Its pages are numbered as it asks for their ids."""

    def __init__(self, mode: str, host_pages: int) -> None:
        self.events: list[Event] = []
        self.requested: list[tuple[Any, ...]] = []
        self.copier = Numbered()
        pools = DevicePool(16, 1, "cpu"), DevicePool(host_pages, 1, "cpu")
        self.cache = TieredCache(1, "lru", *pools, self.copier, mode, events=self.events, page_ids=self.number)

    def number(self, parent: int | None, namespace: Namespace, tokens: Sequence[int]) -> int:
        """Return the number of a page."""
        self.requested.append((parent, namespace, tuple(tokens)))
        return len(self.requested)

    def put(self, *tokens: int) -> None:
        """Cache tokens."""
        slots = self.cache.alloc(len(tokens))
        self.cache.free(slots[: self.cache.insert(Key(tokens), slots)])

    def settle(self) -> None:
        """Let all copies arrive."""
        for move in self.copier.issued:
            move.wait()
        self.cache.poll()

    def emitted(self) -> list[Event]:
        """Return the events since the last call."""
        found = self.events[:]
        self.events.clear()
        return found


def test_the_id_of_a_page_is_computed_once_for_both_tiers_by_the_function_that_the_caller_gave() -> None:
    it = Emitting("write_through", 8)
    it.put(7, 9)
    it.settle()
    it.cache.evict(2)
    it.cache.load_back(it.cache.match(Key((7, 9))).host_node)
    it.settle()

    on_device, on_host = (Stored(medium, (), None, (1, 2), (7, 9)) for medium in (DEVICE, HOST))
    assert it.emitted() == [on_device, on_host, Removed(DEVICE, (2, 1)), on_device]
    assert it.requested == [(None, (), (7,)), (1, (), (9,))]


def test_what_goes_with_a_victim_that_the_host_has_no_room_for_is_removed_from_the_last_page_up() -> None:
    it = Emitting("write_back", 2)
    for end in (5, 6, 7):
        it.put(*range(2, end))
    it.emitted()
    assert it.cache.evict(1) + it.cache.evict(1) == 2
    last, before = (Stored(HOST, (), page - 1, (page,), (page + 1,)) for page in (5, 4))
    assert it.emitted() == [last, Removed(DEVICE, (5,)), before, Removed(DEVICE, (4,))]

    assert it.cache.evict(1) == 3
    assert it.emitted() == [Removed(HOST, (5,)), Removed(HOST, (4,)), Removed(DEVICE, (3, 2, 1))]
