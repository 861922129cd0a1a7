"""The reference cache, operation by operation. Keys are written as letters: one letter is one token."""

from collections.abc import Callable
from functools import partial

import pytest
from lettered import key, make, put, refused, tree

from radixcheck.reference import POLICIES, Node, SlotPool
from radixcheck.reference.node import split_node
from radixcheck.spec.values import BadAmount, BadKey, CacheError, Key, NoRoom, NotLocked, NotYourSlot, Sizes, StaleHandle, StillHeld
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.reference_subject import reference_subject

# ------------------------------------------------------------------ insertion, matching, splitting


def test_an_insert_caches_whole_pages_and_returns_what_was_cached() -> None:
    cache = make()
    assert [put(cache, "abcde"), put(cache, "abcdef"), put(cache, "a")] == [0, 4, 0]
    assert set(tree(cache)) == {"abcd", "abcdef"}
    assert cache.sizes() == Sizes(available=10, evictable=6, protected=0)


def test_an_insert_keeps_a_copy_of_the_slots_it_takes() -> None:
    cache = make()
    slots = cache.alloc(4)
    given = list(slots)
    cache.insert(key("abcd"), given)
    given[0] = 99
    found = cache.match(key("abcd")).slots
    found[1] = 99

    assert cache.match(key("abcd")).slots == slots


def test_a_match_is_the_longest_cached_prefix_in_whole_pages() -> None:
    cache = make()
    cache.insert(key("abcdefgh"), slots := cache.alloc(8))
    lengths = {"abcdefgh": 8, "abcdefg": 6, "abcx": 2, "xbcd": 0, "a": 0, "": 0}
    assert {text: cache.match(key(text)).length for text in lengths} == lengths
    assert cache.match(key("abcdxx")).slots == slots[:4]


def test_a_split_carries_everything_over_and_the_unused_half_keeps_its_time() -> None:
    cache = make()
    put(cache, "abcdef", priority=3)
    handle = cache.match(key("abcdef")).node
    cache.lock(handle)
    whole = tree(cache)["abcdef"]
    cache.match(key("abcd"))
    upper, lower = tree(cache)["abcd"], tree(cache)["abcdef"]

    assert (upper.time, lower.time) == (3, whole.time)
    assert {(n.creation, n.hits, n.priority, n.lock) for n in (upper, lower, whole)} == {(1, 1, 3, 1)}
    assert [*upper.slots, *lower.slots] == whole.slots
    assert (upper.child_key, lower.child_key) == (tuple(map(ord, "ab")), tuple(map(ord, "ef")))
    assert cache.locate(handle) == lower.name


def test_a_partial_overlap_ticks_once_and_adds_one_new_leaf() -> None:
    cache = make()
    put(cache, "abcdef", priority=1)
    put(cache, "abxxyy", priority=5)

    attributes = {prefix: (n.time, n.creation, n.hits, n.priority) for prefix, n in tree(cache).items()}
    assert attributes == {"ab": (2, 1, 2, 5), "abcdef": (1, 1, 1, 1), "abxxyy": (2, 2, 1, 5)}
    assert cache.now == 2


def test_a_match_counts_no_hit_and_a_peek_changes_nothing() -> None:
    cache = make()
    put(cache, "abcd")
    before = cache.observe()

    assert (cache.peek(key("abxx")), cache.observe()) == (2, before)
    cache.match(key("abcd"))
    assert [(n.time, n.hits) for n in tree(cache).values()] == [(2, 1)]


@pytest.mark.parametrize("page_size", [1, 2, 16, 64])
def test_slots_come_in_whole_aligned_pages(page_size: int) -> None:
    cache = make(page_size, capacity=4 * page_size)
    slots = cache.alloc(page_size + 1)

    assert len(slots) == 2 * page_size
    for start in range(0, len(slots), page_size):
        assert slots[start] % page_size == 0
        assert slots[start : start + page_size] == list(range(slots[start], slots[start] + page_size))


def test_namespaces_never_share_a_node() -> None:
    cache = make()
    put(cache, "abcd", "one")

    assert [cache.peek(key("abcd", *namespace)) for namespace in [("one",), ("two",), (), ("on", "e")]] == [4, 0, 0, 0]
    assert put(cache, "abcd", "two") == 0
    assert {prefix: n.namespace for prefix, n in tree(cache).items()} == {"oneabcd": ("one",), "twoabcd": ("two",)}


# ------------------------------------------------------------------ locks and eviction


def test_a_lock_protects_the_whole_path_until_the_last_unlock() -> None:
    cache = make()
    put(cache, "ab")
    put(cache, "abcd")
    deep, shallow = cache.lock(cache.match(key("abcd")).node), cache.lock(cache.match(key("ab")).node)
    assert cache.sizes() == Sizes(available=12, evictable=0, protected=4)

    cache.unlock(deep)
    assert (cache.evict(16), set(tree(cache))) == (2, {"ab"})
    cache.unlock(shallow)
    assert (cache.evict(16), cache.sizes()) == (2, Sizes(available=16, evictable=0, protected=0))


def test_a_handle_keeps_its_prefix_through_splits() -> None:
    cache = make()
    put(cache, "abcdef")
    handle = cache.match(key("abcdef")).node
    for text in ("abcd", "ab"):
        cache.match(key(text))
    cache.unlock(cache.lock(handle))
    cache.lock(handle)
    assert cache.sizes().protected == 6


@pytest.mark.parametrize(("policy", "expected"), list(zip(POLICIES, ["cadb", "cbda", "abcd", "dcba", "bdac", "cbad", "bcad"], strict=True)))
def test_a_policy_evicts_its_least_leaf_first(policy: str, expected: str) -> None:
    cache = make(page_size=1, policy=policy)
    for text, priority in [("a", 2), ("b", 0), ("c", 1), ("d", 3), ("a", 0), ("a", 0), ("d", 0)]:
        put(cache, text, priority=priority)
    cache.match(key("b"))

    actual = ""
    while before := set(tree(cache)):
        assert cache.evict(1) == 1
        actual += (before - set(tree(cache))).pop()
    assert actual == expected


def test_a_parent_is_evicted_once_its_last_child_is_gone() -> None:
    cache = make()
    for text in ("ab", "abcd", "abef", "xy"):
        put(cache, text)

    assert cache.evict(5) == 6  # abcd, abef, and then ab: a leaf by now, and used before xy was
    assert set(tree(cache)) == {"xy"}


def test_eviction_frees_whole_leaves_until_there_is_enough() -> None:
    cache = make()
    put(cache, "abcdef")
    put(cache, "xy")
    assert [cache.evict(0), cache.evict(1), cache.evict(9), cache.evict(1)] == [0, 6, 2, 0]


def test_an_allocation_evicts_the_shortfall_only() -> None:
    cache = make(capacity=8)
    for text in ("ab", "cd", "ef"):
        put(cache, text)

    assert len(cache.alloc(3)) == 4
    assert set(tree(cache)) == {"cd", "ef"}


# ------------------------------------------------------------------ misuse


def test_a_tree_call_outside_its_guard_is_refused_and_changes_nothing() -> None:
    cache = make()
    put(cache, "abcd")
    loan, cached = cache.alloc(4), cache.match(key("abcd")).slots
    wrong: list[tuple[type[CacheError], Callable[[], object]]] = [
        *((BadKey, lambda: cache.match(Key((1, -1)))), (BadKey, lambda: cache.peek(Key((1, -1))))),
        (BadKey, lambda: cache.insert(Key((-1, 1)), loan)),
        *((BadAmount, lambda: cache.evict(-1)), (BadAmount, lambda: cache.alloc(-1))),
        (BadAmount, lambda: cache.insert(key("abcdefgh"), loan)),
        (BadAmount, lambda: cache.insert(key("xy"), loan, priority=-1)),
        (NotYourSlot, lambda: cache.insert(key("abxx"), cached)),
        (NotYourSlot, lambda: cache.free(cached)),
        (NotYourSlot, lambda: cache.insert(key("wxyz"), loan[:2] * 2)),
        *((NotYourSlot, lambda: cache.free(loan[:1])), (NotYourSlot, lambda: cache.free(loan[:2] * 2))),
        (NotYourSlot, lambda: cache.free([loan[1], loan[0]])),
        *((StaleHandle, lambda: cache.lock("no handle")), (StaleHandle, lambda: cache.lock(make().root))),
        *((NotLocked, lambda: cache.unlock("no receipt")), (StillHeld, cache.reset)),
    ]
    for error, call in wrong:
        refused(cache, error, call)

    cache.free(loan)
    refused(cache, NotYourSlot, lambda: cache.free(loan))


def test_a_receipt_is_valid_for_one_unlock() -> None:
    cache = make()
    put(cache, "ab")
    handle = cache.match(key("ab")).node
    first, second = cache.lock(handle), cache.lock(handle)
    cache.unlock(first)

    refused(cache, NotLocked, lambda: cache.unlock(first))
    cache.unlock(second)


def test_a_handle_is_stale_once_its_node_has_left_the_tree() -> None:
    cache = make()
    put(cache, "ab")
    put(cache, "abcd")
    evicted, forgotten = cache.match(key("abcd")).node, cache.match(key("ab")).node
    cache.evict(1)
    put(cache, "abcd")

    refused(cache, StaleHandle, lambda: cache.lock(evicted))
    below_forgotten = cache.match(key("abcd")).node
    cache.reset()
    for handle in (forgotten, below_forgotten):
        refused(cache, StaleHandle, partial(cache.lock, handle))
    cache.lock(cache.match(key("ab")).node)  # nothing is cached: the root can be locked


def test_a_pool_refuses_slots_that_it_has_not_handed_out() -> None:
    pool = SlotPool(8, 2)
    slots = pool.alloc(4)
    pool.free(slots[:2])

    for wrong in (slots[:2], slots[2:3], slots[2:] * 2, [100, 101]):
        with pytest.raises(NotYourSlot):
            pool.free(wrong)
    for error, amount in ((BadAmount, 1), (NoRoom, 8)):
        with pytest.raises(error):
            pool.alloc(amount)
    assert pool.available == 6


@pytest.mark.parametrize(("page_size", "policy", "pool_page"), [(2, "best", 2), (2, "lru", 1)])
def test_an_unknown_policy_and_a_pool_of_other_pages_are_refused(page_size: int, policy: str, pool_page: int) -> None:
    with pytest.raises(ValueError, match=r"policy|pages"):
        reference_subject(Setup(page_size, policy, SlotPool(16, pool_page)))


@pytest.mark.parametrize("length", [0, 1, 4])
def test_a_split_leaves_whole_pages_on_both_sides(length: int) -> None:
    root = Node(None, (), (), [])
    node = Node(root, (1, 2), (1, 2, 3, 4), [0, 1, 2, 3])
    with pytest.raises(AssertionError):
        split_node(node, length, 2)
