"""What the optimized cache refuses, and what its parts assert. Keys are written as letters: one letter is one token."""

import pytest
from fast_cache import make
from lettered import key

from radixcheck.optimized import RadixCache
from radixcheck.optimized.keys import pack, unpack
from radixcheck.optimized.node import NO_CHILDREN, Node
from radixcheck.optimized.tree import Walk
from radixcheck.spec.values import Key, NoRoom, Sizes


def put(cache: RadixCache, *texts: str) -> Node:
    """Let requests compute these; return the node where the last one ends."""
    for text in texts:
        cache.start(0, key(text))
        cache.finish(0)
    node = cache.match(key(texts[-1])).node
    assert isinstance(node, Node)
    return node


@pytest.mark.parametrize("cached", [("abcdef",), ("ab", "abcdef"), ("ab", "abcd", "abcdef"), ("abcdefgh",), ("abcd", "abcdefgh")])
def test_the_match_of_a_request_is_not_room_for_it(cached: tuple[str, ...]) -> None:
    cache = make(capacity=8)
    put(cache, *cached)
    before = cache.sizes()

    with pytest.raises(NoRoom):
        cache.start(1, key("abcdefxxxx"))
    assert (cache.sizes(), cache.requests) == (before, {})
    assert cache.start(1, key("abcdefxx")).cached == 6
    assert cache.sizes() == Sizes(0, 0, 6)


@pytest.mark.parametrize(("others", "text", "expected"), [(["xy"], "abcdefgh", 4), ([], "abefgh", 2)])
def test_a_request_with_a_locked_prefix_or_inside_a_locked_edge_has_the_rest_as_room(others: list[str], text: str, expected: int) -> None:
    cache = make(capacity=8)
    cache.lock(put(cache, "abcd"))
    for other in others:
        put(cache, other)

    assert cache.start(1, key(text)).cached == expected


def test_a_request_may_have_tokens_of_64_bits() -> None:
    cache = make()
    tokens = (2**64 - 1, 2**63, 5)
    cache.start(1, Key(tokens))
    cache.decode(1, 2**64 - 2)
    cache.chunk(1)

    assert unpack(pack((0, *tokens))) == (0, *tokens)
    assert tuple(cache.requests[1].tokens) == (*tokens, 2**64 - 2)
    assert cache.peek(Key((*tokens, 2**64 - 2))) == 4


@pytest.mark.parametrize("inside", [0, 4])
def test_a_split_leaves_a_part_on_both_sides_and_a_node_without_a_lock_is_not_released(inside: int) -> None:
    cache = make()
    node = put(cache, "abcd")

    with pytest.raises(AssertionError):
        cache.tree.split(Walk([], inside, node, inside, b""))
    with pytest.raises(AssertionError):
        cache.tree.unlock_path(node)


def test_leaves_share_one_empty_dictionary() -> None:
    cache = make()
    put(cache, "abcd", "abef", "gh")
    cache.evict(16)

    assert NO_CHILDREN == {}
    assert cache.tree.root.children == {}
