"""What the optimized cache with a host tier refuses, and what it does when there is no room or a copy fails."""

from typing import Any

import pytest
from tier_shape import by_prefix, check_counters, nodes_of

from radixcheck.optimized import DevicePool, TieredCache
from radixcheck.optimized.tags import TagMismatch, Tags
from radixcheck.reference.copies import Copies
from radixcheck.spec.values import BadAmount, BadKey, Key, StaleHandle, StillHeld


class Held(Copies):
    """A copier for tensors. What is waited for arrives, or fails."""

    waits_fail = False

    def copy(self, up: bool, sources: Any, targets: Any) -> Any:
        """Issue it."""
        transfer = super().copy(up, sources.tolist(), targets.tolist())
        transfer.done = transfer.failed = self.waits_fail
        return transfer

    def finish(self, failed: bool = False) -> None:
        """Complete all that is in flight."""
        for transfer in self.in_flight():
            transfer.complete(failed)


def cache(mode: str = "write_through", pages: int = 4, host_pages: int = 8, policy: str = "lru", tags: Tags | None = None) -> TieredCache:
    return TieredCache(1, policy, DevicePool(pages, 1, "cpu"), DevicePool(host_pages, 1, "cpu"), Held(), mode, tags)


def put(tiered: TieredCache, *tokens: int) -> None:
    slots = tiered.alloc(len(tokens))
    tiered.free(slots[: tiered.insert(Key(tokens), slots)])


def settle(tiered: TieredCache, failed: bool = False) -> int:
    assert isinstance(tiered.copier, Held)
    tiered.copier.finish(failed)
    return len(tiered.poll())


def tiers(tiered: TieredCache) -> dict[Any, str]:
    return {prefix: "d" * seen[0] + "h" * seen[1] for prefix, seen in by_prefix(tiered).items()}


def test_a_node_that_only_the_host_has_cannot_be_locked_and_can_be_loaded() -> None:
    tiered = cache()
    put(tiered, 1, 2)
    assert settle(tiered) == 1
    assert tiered.evict(2) == 2
    found = tiered.match(Key((1, 2)))
    assert (found.length, found.host_length) == (0, 2)
    with pytest.raises(StaleHandle, match="not on the device"):
        tiered.lock(found.host_node)
    assert tiered.load_back(found.host_node) == 2
    assert tiered.match(Key((1, 2))).slots.numel() == 2
    tiered.unlock(tiered.lock(found.host_node))
    assert settle(tiered) == 1
    check_counters(tiered)


def test_a_load_for_which_the_device_has_no_room_issues_no_copy() -> None:
    tiered = cache(pages=2)
    put(tiered, 1, 2)
    settle(tiered)
    tiered.evict(2)
    before = by_prefix(tiered)
    loan = tiered.alloc(1)
    found = tiered.match(Key((1, 2)))
    assert tiered.load_back(found.host_node) == 0
    assert tiered.copies == []
    assert {prefix: seen[:4] for prefix, seen in by_prefix(tiered).items()} == {prefix: seen[:4] for prefix, seen in before.items()}
    tiered.free(loan)
    assert tiered.load_back(found.host_node) == 2


def test_a_failed_load_takes_the_node_off_the_device_again() -> None:
    tiered = cache()
    put(tiered, 1, 2)
    settle(tiered)
    tiered.evict(2)
    assert tiered.load_back(tiered.match(Key((1, 2))).host_node) == 2
    assert settle(tiered, failed=True) == 1
    assert tiers(tiered) == {((), 1, 2): "h"}
    assert tiered.evict_host(1) == 2
    assert nodes_of(tiered) == []
    tiered.reset()


def loading(mode: str = "write_through") -> TieredCache:
    """A cache in which one copy loads two nodes, one below the other."""
    tiered = cache(mode)
    put(tiered, 1)
    put(tiered, 1, 2)
    settle(tiered)
    tiered.evict(2)
    assert tiered.load_back(tiered.match(Key((1, 2))).host_node) == 2
    assert len(tiered.copies) == 1
    return tiered


def test_a_failed_load_of_two_nodes_takes_both_off_the_device_again() -> None:
    tiered = loading()
    assert settle(tiered, failed=True) == 1
    assert tiered.copies == []
    assert tiers(tiered) == {((), 1): "h", ((), 1, 2): "h"}
    assert tiered.sizes() == (4, 0, 0)
    check_counters(tiered)


@pytest.mark.parametrize("mode", ["write_through", "write_back"])  # under write-back nothing else holds the two nodes
def test_a_failed_load_is_issued_again_if_another_node_was_cached_below_one_of_its_nodes(mode: str) -> None:
    tiered = loading(mode)
    put(tiered, 1, 3)
    loads = [copy for copy in tiered.copies if copy.up]
    for copy in loads:
        assert copy.ticket is not None
        copy.ticket.complete(True)  # type: ignore[attr-defined]
    tiered.poll()
    assert [copy.end for copy in tiered.copies if copy.up] == [copy.end for copy in loads]
    settle(tiered)
    assert {prefix: where[0] for prefix, where in tiers(tiered).items()} == {((), 1): "d", ((), 1, 2): "d", ((), 1, 3): "d"}
    check_counters(tiered)


def test_a_victim_for_which_the_host_has_no_room_takes_along_what_the_host_has_behind_it() -> None:
    tiered = cache("write_back", pages=8, host_pages=2)
    put(tiered, 1, 2, 3)
    put(tiered, 1, 2, 3, 4)
    assert tiered.evict(1) == 1
    assert tiers(tiered) == {((), 1, 2, 3): "d", ((), 1, 2, 3, 4): "h"}
    assert tiered.evict(1) == 3
    assert tiers(tiered) == {}
    assert tiered.host_available() == 2
    tiered.reset()


def test_a_match_is_compared_with_the_tags() -> None:
    tags = Tags(4)
    tiered = cache(tags=tags)
    slots = tiered.alloc(1)
    tiered.insert(Key((1,)), slots)
    with pytest.raises(TagMismatch, match=f"slot {int(slots)} does not hold token 0"):
        tiered.match(Key((1,)))
    tags.write(slots, Key((1,)), 0)
    assert tiered.match(Key((1,))).slots.tolist() == slots.tolist()


def test_a_failed_write_back_drops_what_only_the_host_has_behind_the_victim() -> None:
    tiered = cache("write_back")
    assert isinstance(tiered.copier, Held)
    put(tiered, 1)
    put(tiered, 1, 2)
    assert tiered.evict(1) == 1
    assert tiers(tiered) == {((), 1): "d", ((), 1, 2): "h"}
    tiered.copier.waits_fail = True
    assert tiered.evict(1) == 1
    assert tiers(tiered) == {}
    assert tiered.host_available() == 8
    check_counters(tiered)


def test_a_reset_is_refused_while_a_copy_is_in_flight() -> None:
    tiered = cache()
    put(tiered, 1)
    with pytest.raises(StillHeld, match="1 copies are in flight"):
        tiered.reset()
    settle(tiered)
    tiered.reset()
    assert (tiered.host_available(), tiered.sizes().available) == (8, 4)


def test_handles_of_nodes_that_have_left_and_wrong_values_are_refused() -> None:
    tiered, other = cache(), cache()
    put(tiered, 1)
    settle(tiered)
    tiered.evict(1)
    node = tiered.match(Key((1,))).host_node
    tiered.evict_host(1)
    for handle in (node, None, 3, tiered.match(Key(())).node.children, other.tree.root):
        with pytest.raises(StaleHandle):
            tiered.load_back(handle)
        with pytest.raises(StaleHandle):
            tiered.backup(handle)
    with pytest.raises(BadAmount):
        tiered.evict_host(-1)
    with pytest.raises(BadKey):
        tiered.match(Key(("a",)))  # type: ignore[arg-type]
    assert (tiered.load_back(tiered.tree.root), tiered.backup(tiered.tree.root)) == (0, 0)


def test_a_mode_that_does_not_exist_and_pages_of_another_size_are_refused() -> None:
    pool = DevicePool(4, 2, "cpu")
    with pytest.raises(ValueError, match="no mode 'write_around': choose one of write_through,"):
        TieredCache(2, "lru", pool, pool, Held(), "write_around")
    with pytest.raises(ValueError, match="page size 2 over a host pool of pages of 1"):
        TieredCache(2, "lru", pool, DevicePool(4, 1, "cpu"), Held(), "write_back")


def test_host_slots_have_a_storage_of_their_own() -> None:
    tiered = cache()
    put(tiered, 1, 2, 3)
    settle(tiered)
    tiered.match(Key((1,)))  # splits
    nodes = nodes_of(tiered)
    storages = [node.host.untyped_storage() for node in nodes if node.host is not None]
    assert [len(storage) // 8 for storage in storages] == [node.size for node in nodes] == [1, 2]
