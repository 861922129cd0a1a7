"""The cache behind SGLang's verbs, with a small scheduler in the place of SGLang's."""

import random
from array import array
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from engine_types import Key, Scheduler, parameters, results

from radixcheck.optimized.heap import POLICIES
from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class, packed
from radixcheck.optimized.keys import pack
from radixcheck.verification.live.engine_backends import Imitation, Miscounting, WrongSlot


def scheduler(size: int = 64, page_size: int = 1, policy: str = "lru", kind: type[SGLangCache] = SGLangCache, **others: Any) -> Scheduler:
    return Scheduler(cache_class(results(), kind)(parameters(size, page_size, policy, **others)))


def serve(one: Scheduler, tokens: list[int], output: list[int], priority: int = 0) -> None:
    one.start(0, tokens, priority)
    one.checkpoint(0, len(tokens))
    one.decode(0, output)
    one.release(0)


def at_random(one: Scheduler, seed: int, steps: int) -> None:
    """Serve overlapping requests that share prefixes, in chunks."""
    draw = random.Random(seed)
    stems = [[draw.randrange(4) for _ in range(24)] for _ in range(3)]
    for _ in range(steps):
        row = draw.randrange(3)
        if row in one.held:
            length = len(one.held[row].origin_input_ids)
            one.checkpoint(row, draw.randrange(one.held[row].kv.cache_protected_len, length + 1))
            one.checkpoint(row, length)
            one.decode(row, [draw.randrange(4) for _ in range(draw.randrange(6))])
            one.release(row)
        else:
            tokens = stems[draw.randrange(3)][: draw.randrange(4, 25)] + [draw.randrange(4) for _ in range(draw.randrange(1, 6))]
            one.start(row, tokens, draw.randrange(3), draw.choice((None, None, "adapter")))
    for row in list(one.held):
        one.release(row)


def test_a_second_turn_finds_the_prompt_and_the_output_of_the_first() -> None:
    one = scheduler()
    serve(one, [1, 2, 3], [7, 8])
    serve(one, [1, 2, 3, 7, 8, 4], [])

    assert one.hits == [0, 5]
    assert one.missing() == 0
    assert (one.cache.evictable_size(), one.cache.protected_size(), one.cache.total_size()) == (6, 0, 6)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("page_size", [1, 2, 16])
def test_requests_that_overlap_read_the_kv_of_their_tokens_and_lose_no_slot(policy: str, page_size: int) -> None:
    for seed in range(2):
        one = scheduler(192, page_size, policy)

        at_random(one, seed, 160)

        assert sum(one.hits) > 0
        assert one.missing() == 0
        assert one.cache.protected_size() == 0
        one.cache.evict(SimpleNamespace(num_tokens=10**6))
        assert one.cache.pool.available == 192


def test_the_slots_of_tokens_that_others_have_cached_meanwhile_are_freed_once() -> None:
    one = scheduler()
    for row in (0, 1):
        one.start(row, [1, 2, 3, 4])
    for row in (0, 1):
        one.checkpoint(row, 4)

    rows = one.cache.req_to_token_pool.req_to_token[:2, :4].tolist()
    assert rows[0] == rows[1]
    assert one.cache.pool.available == 60


def test_the_output_can_be_evicted_without_the_prompt() -> None:
    one = scheduler()
    serve(one, [1, 2, 3], [7, 8])

    evicted = one.cache.evict(SimpleNamespace(num_tokens=1))

    assert evicted.num_tokens_evicted == 2
    assert one.cache.match_prefix(SimpleNamespace(key=Key(array("q", [1, 2, 3, 7])))).device_prefix_len == 3


def test_the_prompt_has_a_greater_priority_than_the_output() -> None:
    one = scheduler(policy="priority")
    serve(one, [1, 2, 3], [7, 8], priority=4)

    (prompt,) = one.cache.root_node.children.values()
    (output,) = prompt.children.values()
    assert (prompt.priority, output.priority) == (5, 4)


def test_a_request_counts_each_node_once_however_many_its_chunks() -> None:
    one = scheduler()
    one.start(0, list(range(9)))
    for up_to in (3, 6, 9, 9):
        one.checkpoint(0, up_to)
    one.release(0)

    hits = []
    node = one.cache.root_node
    while node.children:
        (node,) = node.children.values()
        hits.append(node.hits)
    assert hits == [1, 1, 1]


def test_namespaces_share_nothing() -> None:
    one = scheduler()
    for space in (None, "a", "b"):
        one.start(0, [1, 2, 3], space=space)
        one.release(0)

    assert one.hits == [0, 0, 0]


def test_a_lock_counts_and_shows_what_it_protects() -> None:
    one = scheduler()
    serve(one, [1, 2, 3], [])
    node = one.cache.match_prefix(SimpleNamespace(key=Key(array("q", [1, 2])))).last_device_node

    assert one.cache.inc_lock_ref(node).delta == -2
    assert one.cache.inc_lock_ref(node).delta == 0
    assert one.cache.evict(SimpleNamespace(num_tokens=9)).num_tokens_evicted == 1
    assert (one.cache.dec_lock_ref(node).delta, one.cache.dec_lock_ref(node).delta) == (0, 2)
    with pytest.raises(AssertionError, match="no holder"):
        one.cache.dec_lock_ref(node)


def test_a_reset_cache_has_nothing_and_serves_again() -> None:
    one = scheduler()
    serve(one, [1, 2, 3], [])
    allocator = one.cache.token_to_kv_pool_allocator
    allocator.__init__(64, 1)
    one.cache.reset()
    serve(one, [1, 2, 3], [])

    assert one.hits == [0, 0]
    assert one.missing() == 0


def test_insert_keeps_copies_and_evictions_are_counted_by_sglang() -> None:
    one = scheduler(enable_metrics=True)
    slots = torch.arange(1, 4)
    assert one.cache.insert(SimpleNamespace(key=Key(array("q", [1, 2, 3])), value=slots, inserted_len=0, priority=0)).prefix_len == 0
    slots[:] = 0
    again = one.cache.insert(SimpleNamespace(key=Key(array("q", [1, 2, 3])), value=None, inserted_len=0, priority=0))

    assert again.prefix_len == 3
    assert one.cache.path_device_indices(again.last_device_node).tolist() == [1, 2, 3]
    one.cache.token_to_kv_pool_allocator.free_pages = []
    one.cache.evict(SimpleNamespace(num_tokens=2))
    assert one.cache.metrics == [3]


@pytest.mark.parametrize("tokens", [array("q", [5, 6, 7]), [5, 6, 7], array("Q", [5, 6, 7]), array("i", [5, 6, 7])])
def test_tokens_of_any_kind_are_packed_as_the_cache_packs_them(tokens: Any) -> None:
    assert packed(tokens, 2) == pack((5, 6))


def test_a_wrong_slot_is_seen_by_the_scheduler_of_these_tests() -> None:
    one = scheduler(192, kind=WrongSlot)

    with pytest.raises(AssertionError, match="of row"):
        at_random(one, 0, 300)


def test_a_miscount_is_seen_by_the_scheduler_of_these_tests() -> None:
    one = scheduler(kind=Miscounting)
    serve(one, [1, 2, 3], [])

    assert one.missing() < 0


def test_the_imitation_keeps_the_half_that_was_not_used_and_the_cache_does_not() -> None:
    """L5: [1 2 3 4] is older than [9]; looking up [1 2] makes only that part younger."""
    kept = {}
    for kind in (SGLangCache, Imitation):
        one = scheduler(kind=kind)
        serve(one, [1, 2, 3, 4], [])
        serve(one, [9], [])
        one.cache.touch_prefix(Key(array("q", [1, 2])))
        one.cache.evict(SimpleNamespace(num_tokens=1))
        kept[kind] = one.cache.match_prefix(SimpleNamespace(key=Key(array("q", [9])))).device_prefix_len

    assert kept == {SGLangCache: 1, Imitation: 0}
