"""Tokens in a buffer: the same keys as in any other container, which the engine may change as soon as a call has returned."""

from array import array
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from fast_cache import nodes

from radixcheck.optimized import DevicePool, Lookup, RadixCache, TokenBuffer
from radixcheck.optimized.keys import pack
from radixcheck.spec.values import BadKey, Key

WIDEST = 2**64 - 1


def key(tokens: Sequence[int]) -> Key:
    return Key(cast(Any, tokens))


def make(page_size: int = 2) -> RadixCache:
    return RadixCache(page_size, "lru", DevicePool(60 * page_size, page_size))


def test_a_buffer_is_a_sequence_of_its_tokens_in_its_own_memory() -> None:
    tokens = TokenBuffer(first := TokenBuffer((7, 0)))
    first.append(1)
    tokens.append(WIDEST)
    tokens.extend(array("Q", (8, 9)))
    tokens.extend(tokens)
    expected = (7, 0, WIDEST, 8, 9) * 2

    assert (len(tokens), tuple(tokens), tokens[:], tokens[3:1:-1]) == (10, expected, expected, expected[3:1:-1])
    assert (tokens[-1], tokens.index(8), tokens.count(9), 5 in tokens) == (9, 3, 2, False)
    assert (len(TokenBuffer()), tuple(first)) == (0, (7, 0, 1))
    assert pack(tokens) == array("Q", expected).tobytes()
    with pytest.raises(IndexError):
        tokens[10]


@pytest.mark.parametrize("bad", [-1, 2**64, "a", None, 1.0])
def test_a_buffer_refuses_a_bad_token_and_does_not_change(bad: Any) -> None:
    tokens = TokenBuffer((5,))
    calls: list[tuple[Callable[[Any], object], Any]] = [(TokenBuffer, (5, bad)), (tokens.append, bad), (tokens.extend, (6, bad))]
    for call, given in calls:
        with pytest.raises(BadKey):
            call(given)
    assert tuple(tokens) == (5,)


HOLDERS: list[Callable[[Sequence[int]], Sequence[int]]] = [tuple, list, lambda tokens: array("Q", tokens), TokenBuffer]


@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_a_key_does_not_depend_on_the_container_of_its_tokens(page_size: int) -> None:
    """For each pair of containers one is inserted and the other peeked at, for keys that end with a page or not."""
    for size in range(8):
        tokens = range(1, size + 1)
        whole = size // page_size * page_size
        for inserting in HOLDERS:
            for looking in HOLDERS:
                cache = make(page_size)
                cache.insert(key((1, 2, 9, 9, 9, 9)), cache.alloc(6))
                cache.insert(key(inserting(tokens)), cache.alloc(size))
                held = key(looking(tokens))

                found = cache.match(held)
                assert found.length == cache.peek(held) == cache.lookup(held).length == len(found.slots) == whole
                assert cache.insert_and_match(held, found.slots).present == whole


def test_the_cache_keeps_only_copies_of_a_buffer() -> None:
    cache, buffer = make(), TokenBuffer((1, 2, 3, 4))
    lookup = cache.lookup(key(buffer))
    cache.insert(key(buffer), cache.alloc(4))
    cache.start(1, key(buffer))
    kept = [node.segment for node in nodes(cache)]

    buffer.data[:] = bytes(len(buffer.data))

    assert [node.segment for node in nodes(cache)] == kept == [pack((1, 2, 3, 4))]
    assert all(type(segment) is bytes for segment in kept)
    assert cache.match_many([lookup]) == [4]
    assert tuple(cache.requests[1].tokens) == (1, 2, 3, 4)
    assert (cache.peek(key((1, 2, 3, 4))), cache.peek(key(buffer))) == (4, 0)


def test_a_lookup_over_the_buffer_itself_would_see_its_changes() -> None:
    cache, buffer = make(), TokenBuffer((1, 2, 3, 4))
    cache.insert(key(buffer), cache.alloc(4))
    aliasing = Lookup(cache.tree, (), cast(bytes, buffer.data))
    buffer.data[:] = bytes(len(buffer.data))
    cache.evict(4)

    cache.insert(key((1, 2, 3, 4)), cache.alloc(4))

    assert cache.match_many([aliasing]) == [0]


def test_a_request_continues_in_the_buffer_of_its_prompt() -> None:
    """An engine with the tree verbs: one buffer from the prompt to the end of the answer, whose current tokens are passed to every call."""
    cache, buffer = make(), TokenBuffer((1, 2, 3, 4))
    row = cache.alloc(16)
    receipt = cache.lock(cache.match(key(buffer)).node)
    for token in range(5, 17):
        present, found = cache.insert_and_match(key(buffer), row[: len(buffer)])
        assert (present, found.length) == (max(0, (token - 2) // 2 * 2 if token > 5 else 0), (token - 1) // 2 * 2)
        cache.unlock(receipt)
        receipt = cache.lock(found.node)
        buffer.append(token)

    assert cache.sizes().protected == 14
    assert cache.insert(key(buffer), row) == 14
    assert cache.match(key(tuple(range(1, 17)))).slots.tolist() == row.tolist()
