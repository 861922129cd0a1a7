"""The cache behind SGLang's verbs, with a small scheduler in the place of SGLang's."""

from array import array
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from engine_types import Key, Scheduler, at_random, parameters, results

from radixcheck.optimized.heap import POLICIES
from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class, packed
from radixcheck.optimized.keys import pack
from radixcheck.verification.live.engine_backends import Miscounting, WrongSlot
from radixcheck.verification.watch.imitation import Imitation


def scheduler(size: int = 64, page_size: int = 1, policy: str = "lru", kind: type[SGLangCache] = SGLangCache, **others: Any) -> Scheduler:
    return Scheduler(cache_class(results(), kind)(parameters(size, page_size, policy, **others)))


def serve(one: Scheduler, tokens: list[int], output: list[int], priority: int = 0) -> None:
    one.start(0, tokens, priority)
    one.checkpoint(0, len(tokens))
    one.decode(0, output)
    one.release(0)


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
    serve(one, [9, 9, 9], [])
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


def test_evictions_are_counted_by_sglang() -> None:
    one = scheduler(enable_metrics=True)
    serve(one, [1, 2, 3], [])
    one.cache.evict(SimpleNamespace(num_tokens=2))

    ((count, start),) = one.cache.metrics
    assert count == 3
    assert start > 0


def test_a_match_has_one_node_for_all_tiers_and_slots_of_int64() -> None:
    one = scheduler()
    serve(one, [1, 2, 3], [])
    found = one.cache.match_prefix(SimpleNamespace(key=Key(array("q", [1, 2, 3]))))

    assert found.last_device_node is found.last_host_node is found.best_match_node
    assert one.cache.path_device_indices(found.last_device_node).dtype == torch.int64
    assert isinstance(one.cache.lock(found.last_device_node).receipt, one.cache.results.DecLockRefParams)
    assert (one.cache.protected_size(), one.cache.total_size()) == (3, 3)


def test_a_key_is_looked_up_as_far_as_its_limit() -> None:
    one = scheduler()
    for _ in range(2):
        serve(one, [1, 2, 3], [])

    assert one.hits == [0, 2]


@pytest.mark.parametrize("prompt", [[1], [1, 2, 3]])
def test_a_prompt_that_is_cached_with_its_output_at_once_is_cut_there(prompt: list[int]) -> None:
    one = scheduler(policy="priority")
    one.start(0, prompt, 4)
    one.decode(0, [7, 8])
    one.release(0)

    (first,) = one.cache.root_node.children.values()
    (second,) = first.children.values()
    assert [(node.end, node.priority, node.hits) for node in (first, second)] == [(len(prompt), 5, 1), (len(prompt) + 2, 4, 1)]
    assert one.cache.tree.path_to(second) == [first, second]  # the trail has the cut
    assert one.cache.match_prefix(SimpleNamespace(key=Key(array("q", [*prompt, 7])))).device_prefix_len == len(prompt) + 1
    assert one.missing() == 0


def test_a_cut_below_other_nodes_is_at_the_end_of_the_prompt() -> None:
    one = scheduler(policy="priority")
    serve(one, [1, 2], [])
    one.start(0, [1, 2, 3, 4], 4)
    one.decode(0, [7, 8, 9])
    one.release(0)

    found, node = [], one.cache.root_node
    while node.children:
        (node,) = node.children.values()
        found.append((node.end, node.priority))
    assert found == [(2, 5), (4, 5), (7, 4)]


def test_the_tree_keeps_copies_of_a_row_of_int64() -> None:
    one = scheduler()
    rows = one.cache.req_to_token_pool
    rows.req_to_token = rows.req_to_token.long()
    request = one.start(0, [1, 2, 3])
    one.checkpoint(0, 3)
    before = rows.req_to_token[0, :3].tolist()
    rows.req_to_token[0] = 0

    assert one.cache.path_device_indices(request.last_node).tolist() == before


def test_a_prompt_alone_has_its_own_priority_and_none_counts_as_0() -> None:
    one = scheduler(policy="priority")
    one.start(0, [1, 2], None)
    one.checkpoint(0, 2)
    (node,) = one.cache.root_node.children.values()
    assert node.priority == 0

    one.decode(0, [7])
    one.release(0)
    assert node.priority == 1


def test_salts_share_nothing_and_an_empty_salt_counts_as_no_salt() -> None:
    one = scheduler()
    lengths = []
    for salt in (None, "", "a", "b"):
        one.start(0, [1, 2, 3], salt=salt)
        one.release(0)
        lengths.append(one.cache.total_size())

    assert lengths == [3, 3, 6, 9]
    assert one.hits == [0, 2, 0, 0]


def test_it_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    cache = scheduler(page_size=16).cache
    cache.pretty_print()

    assert capsys.readouterr().out == "#tokens: 0\n"
    assert cache.supports_prefix_sharing()
    assert (cache.device, cache.pool.device, cache.pool.page_size) == (torch.device("cpu"), torch.device("cpu"), 16)


def test_tokens_below_zero_are_packed() -> None:
    assert packed([-1, -2], 1) == packed(array("q", [-1, -2]), 1)


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
