"""The optimized cache: storage, handles, loans, content tags, and no read-back."""

from array import array
from collections.abc import Callable, Sequence

import pytest
import torch
from fast_cache import make, nodes, put
from launched import Launched, launched
from lettered import key
from torch import Tensor

from radixcheck.optimized import CountedLoans, DevicePool, ListedLoans, NoTags, RadixCache, TagMismatch, Tags
from radixcheck.optimized.keys import common_pages, pack, unpack
from radixcheck.optimized.node import Node
from radixcheck.spec.values import BadAmount, BadKey, Key, NoRoom, NotYourSlot, Row, Sizes, StaleHandle, StillHeld


def leaf_of(cache: RadixCache, what: Key) -> Node:
    node = cache.match(what).node
    assert isinstance(node, Node)
    return node


def storages(tensors: list[Tensor]) -> set[int]:
    return {tensor.untyped_storage().data_ptr() for tensor in tensors}


# Storage


def test_arguments_and_results_share_no_storage_with_the_cache(device: str) -> None:
    cache = make(device)
    given = cache.alloc(6)
    cache.tags.write(given, key("abcdef"), 0)
    cache.insert(key("abcdef"), given)
    outside = [given, cache.match(key("abcd")).slots, cache.start(1, key("abcdxyz")).slots]
    outside += [cache.decode(1, ord("w")), cache.chunk(1).slots]
    expected = cache.match(key("abcdxyzw")).slots.clone()

    for tensor in outside:
        tensor.fill_(-1)

    assert cache.match(key("abcdxyzw")).slots.equal(expected)
    assert cache.chunk(1).slots.equal(expected)
    kept = [node.slots for node in nodes(cache)] + [cache.requests[1].row]
    assert len(storages(kept)) == len(kept) == 4
    assert storages(kept).isdisjoint(storages(outside))


@pytest.mark.parametrize("text", ["", "a", "ab", "abcd", "abcdxy", "abcdefgh", "xyz"])
def test_insert_and_match_returns_what_a_match_would(text: str) -> None:
    caches = make(), make()
    for cache in caches:
        put(cache, key("abcdef"))
    slots = [cache.alloc(len(text)) for cache in caches]
    for cache, given in zip(caches, slots, strict=True):
        cache.tags.write(given, key(text), 0)

    present, found = caches[0].insert_and_match(key(text), slots[0], 3)

    assert present == caches[1].insert(key(text), slots[1], 3)
    expected = caches[1].match(key(text))
    assert (found.length, found.slots.tolist()) == (expected.length, expected.slots.tolist())
    assert caches[0].tree.now == caches[1].tree.now - 1
    caches[0].lock(found.node)
    assert caches[0].sizes().protected == expected.length


def test_the_halves_of_a_split_hold_no_more_storage_than_their_slots(device: str) -> None:
    cache = make(device)
    put(cache, key("abcdefgh"))
    cache.match(key("ab"))

    upper, lower = (node.slots for node in nodes(cache))

    assert (len(upper), len(lower)) == (2, 6)
    assert [t.untyped_storage().nbytes() for t in (upper, lower)] == [2 * 8, 6 * 8]


def test_a_handle_names_a_prefix_through_splits_until_it_is_evicted() -> None:
    cache = make()
    put(cache, key("abcdef"))
    deep = cache.match(key("abcdef"))
    shallow = cache.match(key("ab"))

    receipt = cache.lock(deep.node)
    assert cache.sizes() == Sizes(26, 0, 6)
    with pytest.raises(StillHeld):
        cache.reset()
    cache.unlock(receipt)
    assert cache.evict(1) == 4
    with pytest.raises(StaleHandle):
        cache.lock(deep.node)
    cache.lock(shallow.node)
    assert cache.sizes() == Sizes(30, 0, 2)


def test_the_default_priority_of_the_fast_cache_is_the_least() -> None:
    cache = make()
    cache.insert(key("ab"), cache.alloc(2))
    cache.insert_and_match(key("ef"), cache.alloc(2))
    cache.start(1, key("cd"))
    cache.chunk(1)

    assert [node.priority for node in nodes(cache)] == [0, 0, 0]


def test_after_a_reset_every_handle_but_that_of_the_root_is_stale() -> None:
    cache = make()
    put(cache, key("abcd"))
    handles = [cache.match(key(text)).node for text in ("abcd", "ab", "")]
    cache.reset()

    for handle in handles[:2]:
        with pytest.raises(StaleHandle):
            cache.lock(handle)
    cache.unlock(cache.lock(handles[2]))
    assert cache.sizes() == Sizes(32, 0, 0)


def test_a_chain_of_thousands_of_nodes_is_walked_in_loops() -> None:
    depth = 2_000
    cache = RadixCache(1, "lru", DevicePool(depth, 1))
    tokens = tuple(range(depth))
    cache.start(1, Key(tokens[:1]))
    for token in tokens[1:]:
        cache.chunk(1)
        cache.decode(1, token)
    cache.finish(1)

    found = cache.match(Key(tokens))
    cache.unlock(cache.lock(found.node))

    assert sum(1 for _ in nodes(cache)) == depth
    assert found.slots.sort().values.equal(torch.arange(depth))
    assert cache.evict(depth) == depth


# Keys, pool, loans


@pytest.mark.parametrize("tokens", [(-1,), (1.0,), ("a",), (None,), (2**64,), array("q", (-1,))])
def test_a_bad_token_is_refused(tokens: Sequence[int]) -> None:
    with pytest.raises(BadKey):
        pack(tokens)


def test_a_token_may_have_64_bits() -> None:
    assert unpack(pack((0, 2**63, 2**64 - 1))) == (0, 2**63, 2**64 - 1)


def test_the_bisection_finds_the_first_page_that_differs() -> None:
    for pages in range(1, 9):
        for same in range(1, pages + 1):
            segment = bytes(pack((7,) * 2 * pages))
            data = pack((5, 5) + (7,) * 2 * same + (7, 8) * (pages - same))

            assert common_pages(segment, data, 16, 16) == same


def test_the_pool_hands_out_whole_aligned_pages_once(device: str) -> None:
    pool = DevicePool(24, 4, device)
    slots = torch.cat([pool.alloc(8), pool.alloc(0), pool.alloc(16)])

    assert sorted(slots.tolist()) == list(range(24))
    assert (slots.view(-1, 4) % 4).tolist() == [[0, 1, 2, 3]] * 6
    with pytest.raises(NoRoom):
        pool.alloc(4)
    with pytest.raises(BadAmount):
        pool.alloc(3)
    pool.free(slots[4:12])
    assert sorted(pool.alloc(8).tolist()) == sorted(slots[4:12].tolist())
    pool.free(slots)
    with pytest.raises(AssertionError):
        pool.free(slots[:4])


def test_listed_loans_refuse_every_slot_that_is_not_on_loan() -> None:
    loans = ListedLoans(2)
    loans.lend(torch.tensor([4, 5, 8, 9]))

    for slots in ([0, 1], [5, 4], [4, 5, 4, 5], [4], [5, 8]):
        with pytest.raises(NotYourSlot):
            loans.settle(torch.tensor(slots))
    assert loans.outstanding == 4
    loans.settle(torch.tensor([8, 9]))
    assert loans.outstanding == 2


def test_counted_loans_refuse_incomplete_pages_and_more_than_is_on_loan() -> None:
    loans = CountedLoans(2)
    loans.lend(torch.tensor([4, 5]))

    for count in (1, 4):
        with pytest.raises(NotYourSlot):
            loans.settle(torch.zeros(count, dtype=torch.int64))


@pytest.mark.parametrize("kind", [CountedLoans, ListedLoans])
def test_slots_on_loan_are_counted(kind: type[CountedLoans | ListedLoans]) -> None:
    loans = kind(2)

    assert loans.outstanding == 0
    for change, slots, amount in ((loans.lend, [4, 5], 2), (loans.lend, [8, 9, 2, 3], 6), (loans.settle, [4, 5], 4)):
        change(torch.tensor(slots))
        assert loans.outstanding == amount


@pytest.mark.parametrize(("page_size", "policy", "pool_page"), [(2, "best", 2), (2, "lru", 1)])
def test_the_fast_cache_refuses_an_unknown_policy_and_a_pool_of_other_pages(page_size: int, policy: str, pool_page: int) -> None:
    with pytest.raises(ValueError, match=r"polic|page"):
        RadixCache(page_size, policy, DevicePool(16, pool_page))


@pytest.mark.parametrize(("capacity", "page_size"), [(16, 0), (0, 0), (-2, 2), (-2, 1), (3, 2)])
def test_a_device_pool_needs_a_capacity_of_whole_pages(capacity: int, page_size: int) -> None:
    with pytest.raises(ValueError, match="capacity"):
        DevicePool(capacity, page_size)


def test_a_device_pool_may_be_empty() -> None:
    assert DevicePool(0, 2).available == 0


# Tags


def swap_two_slots(node: Node) -> None:
    node.slots[:2] = node.slots[:2].flip(0)


def reuse_a_slot(node: Node) -> None:
    node.slots[0] = 30


@pytest.mark.parametrize("damage", [swap_two_slots, reuse_a_slot])
def test_a_slot_with_wrong_content_is_detected_when_it_is_handed_out(device: str, damage: Callable[[Node], None]) -> None:
    cache = make(device)
    put(cache, key("abcdef"))
    damage(leaf_of(cache, key("abcd")))

    with pytest.raises(TagMismatch, match="token 0"):
        cache.match(key("abxy"))
    with pytest.raises(TagMismatch):
        cache.start(1, key("abcdef"))


def test_a_row_with_a_wrong_slot_is_detected_at_the_next_chunk() -> None:
    cache = make()
    cache.start(1, key("abcd"))
    cache.requests[1].row[3] = 20

    with pytest.raises(TagMismatch, match="token 3"):
        cache.chunk(1)


def test_tags_differ_by_prefix_position_and_namespace() -> None:
    tags = Tags(16)
    slots = torch.arange(4)
    for start, what in ((0, key("aaaa", -1)), (4, key("abba")), (8, key("baab"))):
        tags.write(slots + start, what, 0)

    tags.check(Row(0, slots), key("aaaa", -1))
    assert len(set(tags.content[:12].tolist())) == 12
    for other in (key("aaaa", -2), key("aaaa"), key("baaa", -1)):
        with pytest.raises(TagMismatch, match="token 0"):
            tags.check(Row(0, slots), other)


def test_even_an_empty_tensor_of_slots_is_on_the_pools_device() -> None:
    cache = RadixCache(2, "lru", DevicePool(8, 2, "meta"))

    assert cache.match(Key(())).slots.device == cache.alloc(0).device == torch.device("meta")


def test_tags_are_on_the_given_device() -> None:
    assert Tags(8, "meta").content.device == torch.device("meta")


# No read-back


def test_hot_paths_launch_a_few_operations_and_read_nothing_back() -> None:
    """On the meta device tensors have no data: a read-back fails."""
    cache = RadixCache(2, "lru", DevicePool(64, 2, "meta"))
    alloc = "narrow_copy"
    free, free_several = "slice copy_", "slice cat"
    slots = cache.alloc(8)
    handle = cache.match(Key(())).node

    assert launched(lambda: cache.alloc(8)) == alloc
    assert launched(lambda: cache.insert(Key((1, 2, 3, 4, 5, 6, 7, 8)), slots)) == "narrow_copy"
    assert launched(lambda: cache.match(Key((1, 2, 3, 4)))) == "narrow_copy narrow_copy"
    assert launched(lambda: cache.match(Key((1, 2, 3, 4))).slots) == "clone"
    assert launched(lambda: cache.match(Key((1, 2, 3, 4, 5, 6, 7, 8))).slots) == "cat"
    assert launched(lambda: cache.unlock(cache.lock(handle))) == ""
    assert launched(lambda: cache.start(1, Key((1, 2, 3, 4, 9, 9, 9)))) == f"{alloc} cat narrow_copy"
    assert launched(lambda: cache.decode(1, 3)) == "select clone"
    assert launched(lambda: cache.decode(1, 3)) == f"{alloc} cat select clone"
    assert launched(lambda: cache.chunk(1)) == "narrow_copy narrow_copy"
    assert launched(lambda: cache.finish(1)) == f"slice {free}"
    assert launched(lambda: cache.evict(2)) == free
    assert launched(lambda: cache.evict(64)) == free_several


def test_tags_are_computed_on_their_device() -> None:
    """Only the last number is read back, which fails on the meta device."""
    tags = Tags(8, "meta")
    slots = torch.arange(3, device="meta")

    with pytest.raises(RuntimeError, match="item"), Launched() as mode:
        tags.write(slots, Key((1, 2, 3)), 0)
    assert (mode.devices, mode.names[-1]) == ({"meta"}, "_local_scalar_dense")


def test_a_read_back_would_be_detected() -> None:
    pool = DevicePool(8, 2, "meta")
    cache = RadixCache(2, "lru", pool, NoTags(), ListedLoans(2))

    with pytest.raises(NotImplementedError, match="meta"):
        cache.alloc(2)


def test_a_token_has_the_same_tag_alone_and_in_a_key(device: str) -> None:
    together, alone = Tags(8, device), Tags(8, device)
    slots, tokens = torch.arange(8, device=device), (5, 0, 2**40, 2**64 - 1)

    whole = together.write(slots, Key(tokens, ("lora",)), 0)
    tag = alone.write(slots, Key((), ("lora",)), 0)
    for n in range(1, 5):
        tag = alone.append(slots[n - 1], Key(tokens[:n], ("lora",)), tag)

    assert torch.equal(together.content, alone.content)
    assert tag == whole == int(alone.content[3]) != 0
