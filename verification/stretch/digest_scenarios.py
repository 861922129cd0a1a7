"""Scenarios with pages that agree in a digest, at the root and inside a segment, and with random pages below a node."""

from radixcheck.spec.values import Key
from radixcheck.verification.stretch.digests import Page, pairs, random_pages
from radixcheck.verification.stretch.world import Ops, World

RANDOM = 1_000  # pages: two of them agree in any digest of 16 bits, but for a chance of one in two thousand
ABOVE = 99  # name of a page


def alike(w: World, total: int) -> Ops:
    """Two pages that agree in a digest: one is not found where only the other is cached, and each finds its own slots."""
    for n, (one, other) in enumerate(pairs(w.page_size), 1):
        if max(one + other) > w.integer_max:
            continue
        for before, after in (((), ()), ((ABOVE,), (ABOVE,))):
            yield from _apart(w, *(Key(w.key(*before).tokens + page + w.key(*after).tokens) for page in (one, other)))
        w.due(n)


def _apart(w: World, one: Key, other: Key) -> Ops:
    w.restart()
    yield from w.put(one)
    yield from w.peek(other)
    yield from w.look(other)
    yield from w.put(other)
    yield from w.look(one)
    yield from w.look(other)
    yield from w.empty()


def at_random(w: World, total: int) -> Ops:
    """So many random pages below one node."""
    above: Page = w.key(ABOVE).tokens
    keys = [Key(above + page) for page in random_pages(w.page_size, total, w.random)]
    for n, key in enumerate(keys, 1):
        yield from w.peek(key)
        yield from w.put(key)
        w.due(n)
    for key in keys:
        yield from w.look(key)
    yield from w.empty()
