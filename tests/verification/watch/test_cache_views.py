"""Which caches are watched, and how our tree is read. The trees of SGLang are read in test_live_mutants.py."""

from array import array
from types import SimpleNamespace
from typing import Any

import pytest
from engine_types import Scheduler, parameters, results

from radixcheck.optimized.integrations.sglang_cache import cache_class
from radixcheck.verification.watch.cache_views import CLASSIC, PYTHON_CORE, UNIFIED, NotWatched, known_as, view_of
from radixcheck.verification.watch.our_view import OurView
from radixcheck.verification.watch.sglang_views import policy_of


def kind(name: str, *bases: type) -> type:
    """A class with the name of one of SGLang's."""
    module, _, short = name.rpartition(".")
    return type(short, bases, {"__module__": module})


def unified(core: str = PYTHON_CORE, **others: Any) -> Any:
    """What decides whether a unified cache is watched."""
    cache = kind(UNIFIED)()
    strategy = kind("sglang.srt.mem_cache.evict_policy.LRUStrategy")()
    tree = kind(core)()
    vars(tree).update(is_eagle=False, eviction_strategy=others.pop("strategy", strategy))
    full = SimpleNamespace(is_full=True)
    about = {"disable": False, "token_to_kv_pool_allocator": SimpleNamespace(page_size=1), "page_size": 1, "tree_components": (full,)}
    vars(cache).update(about, enable_session_radix_cache=False, linker=None, cache_controller=None, tree_core=tree)
    vars(cache).update(others)
    return cache


REASONS = [
    ({"disable": True}, "it is disabled"),
    ({"token_to_kv_pool_allocator": None}, "it has no allocator"),
    ({"page_size": 2}, "its allocator has pages of another size"),
    ({"is_eagle": True}, "its keys are pairs of tokens (speculative decoding)"),
    ({"cache_controller": object()}, "it has a host tier"),
    ({"tree_components": (SimpleNamespace(is_full=True), object())}, "it holds more than full attention (SWA, Mamba)"),
    ({"tree_components": (SimpleNamespace(is_full=False),)}, "it holds more than full attention (SWA, Mamba)"),
    ({"enable_session_radix_cache": True}, "it counts the sessions that refer to a node"),
    ({"linker": object()}, "an external store is linked to it"),
    (
        {"core": "sglang.srt.mem_cache.rust_tree_core.adapter.RustUnifiedTreeCore"},
        "its tree is inside RustUnifiedTreeCore, where no node can be read",
    ),
    ({"strategy": kind("sglang.srt.mem_cache.evict_policy.TLRUStrategy")()}, "its policy tlru compares what other nodes have"),
]


@pytest.mark.parametrize(("changes", "reason"), REASONS, ids=[f"{number}-{reason}" for number, (_, reason) in enumerate(REASONS)])
def test_a_cache_that_cannot_be_watched_has_a_reason(changes: dict[str, Any], reason: str) -> None:
    assert view_of(unified(**changes)) == NotWatched(reason)


def test_a_class_of_the_engine_that_is_not_known_is_not_watched() -> None:
    derived = kind("sglang.srt.mem_cache.storage.other.OtherRadixCache", kind(CLASSIC))

    assert view_of(derived()) == NotWatched("sglang.srt.mem_cache.storage.other.OtherRadixCache is not known")
    assert view_of(object()) == NotWatched("builtins.object is not known")
    assert known_as(kind("tests.Altered", kind(CLASSIC))(), (CLASSIC,)) == CLASSIC


def test_a_policy_is_named_after_its_strategy() -> None:
    names = [policy_of(kind(f"sglang.srt.mem_cache.evict_policy.{name}Strategy")()) for name in ("LRU", "SLRU", "Priority")]

    assert names == ["lru", "slru", "priority"]


def read(page_size: int) -> Any:
    """Our view, and three nodes: the common prefix of two prompts, which has two children, of which the second is locked."""
    cache = cache_class(results())(parameters(64, page_size))
    one = Scheduler(cache)
    for row, tokens in enumerate(([1, 2, 3, 4], [1, 2, 5, 6])):
        one.start(row, tokens, space="adapter")
        one.checkpoint(row, 4)
    one.release(0)
    view = view_of(cache)
    assert isinstance(view, OurView)
    (upper,) = view.children(view.root)
    return view, upper, *view.children(upper)


@pytest.mark.parametrize("page_size", [1, 2])
def test_our_tree_is_read(page_size: int) -> None:
    view, upper, first, second = read(page_size)

    assert (view.cache_name, view.policy, view.page_size, view.capacity) == ("radixcheck", "lru", page_size, 64)
    assert view.slots_end == 64 + page_size
    assert [view.size(node) for node in (upper, first, second)] == [2, 2, 2]
    assert [list(view.tokens(node)) for node in (upper, first, second)] == [[1, 2], [3, 4], [5, 6]]
    assert {view.namespace(node) for node in (upper, first, second)} == {("adapter", None)}
    assert [view.parent(node) for node in (first, upper, view.root)] == [upper, view.root, None]
    assert [len(view.slots(node)) for node in (upper, first)] == [2, 2]
    assert view.sizes() == (2, 4)


@pytest.mark.parametrize("page_size", [1, 2])
def test_our_locks_count_holders_and_protected_children(page_size: int) -> None:
    view, upper, first, second = read(page_size)

    assert [view.locks(node) for node in (upper, first, second)] == [1, 0, 1]
    assert [view.weight(locks) for locks in (0, 1, 7)] == [0, 1, 1]
    assert [view.is_candidate(node) for node in (upper, first, second)] == [False, True, False]
    first.entry = None
    assert not view.is_candidate(first)


@pytest.mark.parametrize("page_size", [1, 2])
def test_our_children_are_filed_under_their_first_page(page_size: int) -> None:
    view, upper, first, second = read(page_size)
    space = ("adapter", None)

    assert [view.filed(node) for node in (upper, first, second)] == [upper, first, second]
    assert view.below(view.root, space, array("q", [1, 2, 9])) is upper
    assert view.below(view.root, (None, None), array("q", [1, 2, 9])) is None
    assert view.below(upper, space, [5, 6]) is second
    assert view.below(upper, space, []) is None
    first.segment = second.segment
    assert view.filed(first) is second


def test_our_order_is_that_of_the_policy() -> None:
    view, _, first, _ = read(1)

    assert view.order(first) == (view.time(first), view.time(first))
    assert view.time(first) == first.time
    view.cache.tree.heap.key = lambda node: (-node.time, node.time)
    assert view.order(first) == (-first.time, first.time)
