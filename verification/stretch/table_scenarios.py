"""Scenarios with many of one thing in the tree: children, namespaces, victims, nodes on a path, holders of what is split."""

from radixcheck.spec.values import Key
from radixcheck.verification.operations import Op
from radixcheck.verification.stretch.world import THRESHOLDS, Ops, World, around

IN_ORDER, AT_RANDOM = 300, 1_000  # children: past 2^8, and so many that two of them share 16 bits of any hash
NAMESPACES = 1_100
DEPTH = 1_100  # past 2^10, and past the recursion limit of Python
PARENT, SHARED, TAIL = 1, 2, 3  # pages
NEXT = 1_000  # names of children from here on


def root_children(w: World, total: int) -> Ops:
    """Children of the root."""
    return _many(w, [w.key(name) for name in _names(w, total)])


def inner_children(w: World, total: int) -> Ops:
    """Children of an inner node, which is split from its first child."""
    yield from _many(w, [w.key(PARENT, name) for name in _names(w, total)])


def namespaces(w: World, total: int) -> Ops:
    """The same key in so many namespaces: each finds its own pages and no others."""
    return _many(w, [w.key(PARENT, SHARED, namespace=("salt", n)) for n in range(total)])


def _names(w: World, total: int) -> list[int]:
    return [*range(NEXT, NEXT + IN_ORDER), *w.random.sample(range(2**20, 2**31), total - IN_ORDER)]


def _many(w: World, keys: list[Key]) -> Ops:
    """Cache the keys one after another. Each must be unknown before and found afterwards, and none of the others be lost.

    At the end each is read once, and they leave in the order of their accesses: some one by one, the others in one call.
    """
    checked = {*THRESHOLDS, *around(9, 10)}
    for n, key in enumerate(keys, 1):
        yield from w.peek(key)
        yield from w.put(key)
        for other in keys[:n] if n in checked else (keys[0], key):
            yield from w.peek(other)
        w.due(n)
    for n in w.shuffled(len(keys)):
        yield from w.look(keys[n - 1])
    for _ in range(20):
        yield from w.evict(1)
    yield from w.empty()


def victims(w: World, total: int) -> Ops:
    """So many victims in one call, of a full pool: always those that have not been used for longest."""
    names = iter(range(NEXT, 2**30))
    for _ in range(w.pages):
        yield from w.put(w.key(next(names)))
    for n in THRESHOLDS:
        yield from w.evict(n)
        for _ in range(n):
            yield from w.put(w.key(next(names)))
        if w.has("alloc") and n in around(*range(1, 9)):
            yield Op("alloc", w.filler(n), 1)
            yield Op("free", holder=1)
            for _ in range(n):
                yield from w.put(w.key(next(names)))
        w.due(n)
    for _ in range(20):
        yield from w.evict(1)
    yield from w.empty()


def depth(w: World, total: int) -> Ops:
    """So many nodes on one path, by splits from above; then the path is held, released and evicted from below."""
    whole = w.key(*range(NEXT, NEXT + total))
    tokens, checked = whole.tokens, {*THRESHOLDS, *around(9, 10), *range(0, total, 50)}
    yield from w.put(whole)
    for n in range(1, total):
        yield from w.look(Key(tokens[: n * w.page_size]))
        yield from w.peek(whole) if n in checked else ()
        w.due(n)
    yield from w.look(whole)
    yield from w.hold(whole, 1)
    yield from w.evict_nothing()
    yield from w.release(1)
    w.due(total)
    for _ in range(20):
        yield from w.evict(1)
        yield from w.peek(whole)
    yield from w.put(whole)
    yield from w.empty()


def held_splits(w: World, total: int) -> Ops:
    """So many holders of a node that is split: both halves stay protected until the last of them ends."""
    for n in THRESHOLDS:
        yield from _held_split(w, n, requests=False)
        w.due(n)


def requests_over_splits(w: World, total: int) -> Ops:
    """The same with live requests."""
    for n in THRESHOLDS:
        yield from _held_split(w, n, requests=True)
        w.due(n)


def _held_split(w: World, n: int, requests: bool) -> Ops:
    w.restart()
    held, other = w.key(PARENT, SHARED, 10 + n), w.key(PARENT, SHARED, 1_000 + n)
    yield from w.put(held)
    yield from w.look(held)
    for holder in range(1, n + 1):
        if requests:
            yield Op("start", held, holder)
        else:
            yield from w.hold(held, holder)
    yield from w.put(other)  # splits
    yield from w.look(w.key(PARENT))  # splits what has just been split
    yield from w.evict(1)
    for holder in range(1, n + 1):
        yield from w.evict_nothing() if holder in (2, n) else ()
        if requests:
            yield Op("finish" if holder % 2 else "abort", holder=holder)
        else:
            yield from w.release(holder)
    yield from w.look(held)
    for _ in range(3):
        yield from w.evict(1)
