"""Scenarios with large values: tokens, priorities, slots, and the length of a key."""

from collections.abc import Sequence

from radixcheck.spec.values import Key
from radixcheck.verification.operations import Op
from radixcheck.verification.stretch.world import FILLER, Ops, World, around

WIDTHS = (7, 8, 12, 15, 16, 20, 24, 31, 32, 48, 53, 62, 63)  # bits of a number
BASES = (0, 1, 5)  # tokens; a token that is cut to k bits is that of one of these and 2^k
LONG = 2**16 + 64  # tokens
SHORT = 2**12 + 1  # tokens of a key that is cached from nothing


def values(largest: int) -> list[int]:
    """Return the tokens around each power of two, and those that lose one bit to become another."""
    chosen = {*BASES, *around(*WIDTHS), *(2**k + base for k in WIDTHS for base in BASES), largest - 1, largest}
    return sorted(value for value in chosen if value <= largest)


def tokens(w: World, total: int) -> Ops:
    """Tokens around powers of two, as the first page of a key and behind another page: each key finds its own pages only."""
    found = values(w.integer_max)
    for parent in ((), (2,)):
        w.restart()
        keys = [w.key(*parent, value) for value in found]
        for n, key in enumerate(keys, 1):
            yield from w.peek(key)
            yield from w.put(key)
            yield from w.look(key)
            w.due(n)
        for key in keys:
            yield from w.look(key)
        yield from w.empty()
    if w.requests and w.has("decode"):
        yield from _decoded(w, found)


def _decoded(w: World, found: Sequence[int]) -> Ops:
    for value in found:
        key = w.key(2, value)
        yield Op("start", w.key(2), 1)
        for _ in range(w.page_size):
            yield Op("decode", holder=1, amount=value)
        yield from w.peek(key)
        yield Op("finish", holder=1)
        yield from w.look(key)
        yield from w.serve(w.key(3, value))
        yield from w.look(w.key(3, value))
    yield from w.empty()


def priorities(w: World, total: int) -> Ops:
    """Priorities around powers of two: the least one is the victim, though it was used last."""
    found = values(w.integer_max)
    groups = [found[i : i + 3] for i in range(len(found) - 2)] + [[1, value, value + 1] for value in found if 1 < value < w.integer_max]
    for n, group in enumerate(groups, 1):
        for put in (w.put, w.serve) if w.tree and w.requests else (w.put,):
            w.restart()
            for name, priority in reversed(list(enumerate(group, 1))):
                yield from put(w.key(name), priority)
            for _ in group:
                yield from w.evict(1)
        w.due(n)


def slots(w: World, total: int) -> Ops:
    """Slots around each power of two, which a loan makes the next free ones: they are answered, cached, evicted and used again."""
    at, loans = 0, range(8, 17)
    for k in loans:
        pages = (2**k - 4) // w.page_size - at
        yield Op("alloc" if w.has("alloc") else "start", w.key(*([FILLER + k] * pages)), k)
        at += pages
        yield from _use_slots(w)
        if w.due(2**k):
            yield from w.empty()
    for k in loans:
        yield Op("free" if w.has("alloc") else "abort", holder=k)
    yield from w.empty()


def _use_slots(w: World) -> Ops:
    first, second = w.key(1, 2, 3, 4), w.key(1, 2, 5, 6, 7)
    yield from w.put(first)
    yield from w.put(second)
    yield from w.look(first)
    yield from w.look(second)
    if w.requests and w.has("decode", "chunk"):
        yield Op("start", w.key(1, 2, 8), 1)
        for token in range(w.page_size):
            yield Op("decode", holder=1, amount=token)
        yield Op("chunk", holder=1)
        yield Op("finish", holder=1)
        yield from w.look(w.key(1, 2, 8))
    yield from w.evict(1)
    yield from w.put(second)
    yield from w.look(second)


def keys(w: World, total: int) -> Ops:
    """Keys of 2^k - 1, 2^k and 2^k + 1 tokens or pages, cached and read; the longest one is also split there, and evicted in parts."""
    size, pages = w.page_size, -(-total // w.page_size)
    whole = w.key(*(FILLER + i % 1_000 for i in range(pages)))
    for n in sorted({*around(*range(6, 13)), *(size * n for n in around(*range(6, 13)))}):
        if n <= SHORT:
            w.restart()
            yield from w.put(Key(whole.tokens[:n]))
            yield from w.look(Key(whole.tokens[:n]))
            yield from w.empty()
            w.due(n)
    w.restart()
    yield from w.put(whole)
    yield from w.look(whole)
    w.due(total)
    for n in around(15, 16):
        yield from w.look(Key(whole.tokens[:n]))
    yield from w.look(whole)
    yield from w.peek(whole)
    yield from w.evict(1)
    yield from w.look(whole)
    yield from w.empty()
    if w.requests and w.has("decode", "chunk"):
        for n in (2**8, 2**10, 2**12, total):
            w.restart()
            yield from _long_request(w, Key(whole.tokens[: n - 1]))


def _long_request(w: World, key: Key) -> Ops:
    yield Op("start", key, 1)
    for token in range(3):
        yield Op("decode", holder=1, amount=token)
    yield Op("chunk", holder=1)
    yield Op("finish", holder=1)
    yield from w.look(Key((*key.tokens, 0, 1, 2)))
    yield from w.empty()
