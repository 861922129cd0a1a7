"""Scenarios with few nodes and a large number of calls: accesses, hits, holders, requests, resets, refused calls.

Each yields operations whose answers show when a counter has wrapped: the order of victims, what a protected node gives back, the sizes.
"""

from collections.abc import Callable

from radixcheck.spec.values import Key
from radixcheck.verification.operations import Op
from radixcheck.verification.stretch.world import Ops, World, around

PERIOD = 100  # accesses between two checks of the order: a clock that wraps at more is seen, wherever it began
FEW, MANY = 4_200, 66_000  # past 2^12 and past 2^16
LIVE = 1_100  # past 2^10
LOCKED = 520  # past 2^9
BUSY, OLD, YOUNG = 1, 2, 3  # pages


def accesses(w: World, total: int) -> Ops:
    """Accesses to one page; every PERIOD rounds, the page that has not been used for longest must be the victim.

    The victim is accessed before all others of its period, so that a clock that wraps or rounds within it makes a later page older.
    """
    yield from _begun(w)
    yield from _periods(w, w.tick, total, 2 if w.requests else 1)
    yield from cycles(w, 1)


def hits(w: World, total: int) -> Ops:
    """Hits on one page. The light pages have two each, so that a count that wraps makes the busy one the victim."""
    yield from _begun(w)
    yield from _periods(w, w.hit, total, 1)
    yield from cycles(w, 1)


def creations(w: World, total: int) -> Ops:
    """Accesses with the busy page protected, under a policy that orders by the time of creation: the victim was created first."""
    yield from w.put(w.key(BUSY))
    yield from w.look(w.key(BUSY))
    yield from w.hold(w.key(BUSY), 1)
    yield from w.put(w.key(OLD))
    yield from w.put(w.key(YOUNG))
    yield from _periods(w, w.tick, total, 2 if w.requests else 1)
    yield from w.release(1)
    yield from w.empty()


def _begun(w: World) -> Ops:
    for page in (BUSY, OLD, OLD, YOUNG, YOUNG):
        yield from w.put(w.key(page))


def _periods(w: World, use: Callable[[Key], Ops], total: int, in_round: int) -> Ops:
    busy, old, young = (w.key(page) for page in (BUSY, OLD, YOUNG))
    exact = {n - 1 for n in around(*range(5, 17))}
    for n in range(1, total // in_round + 1):
        yield from use(busy)
        if (n % PERIOD == 0 or n in exact) and w.due(n * in_round):
            yield from w.look(young)
            yield from w.evict(1)  # the old one
            yield from w.put(old)
            yield from w.put(old)
            old, young = young, old


def hits_of_two(w: World, total: int) -> Ops:
    """Of two pages with many hits, the one with one hit less is the victim, though it was used last: no count stops at a largest value."""
    for k in (4, 5, 6, 7, 8, 10):
        w.restart()
        less, more = w.key(BUSY), w.key(YOUNG)
        for _ in range(2**k):
            yield from w.put(less)
        for _ in range(2**k + 1):
            yield from w.put(more)
        yield from w.look(less)
        yield from w.evict(1)
        yield from w.empty()
        w.due(2**k)


def holders(w: World, total: int) -> Ops:
    """So many holders of one node and its parent: as long as one of them is left, nothing is evicted."""
    key = w.key(BUSY, YOUNG)
    yield from w.put(w.key(BUSY))
    yield from w.put(key)
    yield from w.look(key)
    checked = {*around(*range(1, 17)), *range(0, total, 64)}
    for n in range(1, total + 1):
        yield from w.hold(key, n)
        if n in checked and w.due(n):
            yield from w.evict_nothing()
    for n, holder in enumerate(w.shuffled(total), 1):
        yield from w.release(holder)
        if total - n in checked and n < total and w.due(total):
            yield from w.evict_nothing()
    yield from w.empty()


def locks(w: World, total: int) -> Ops:
    """So many nodes that are locked at once, each by one holder: none of them is evicted before it is released."""
    checked = around(*range(1, 11))
    for n in range(1, total + 1):
        yield from w.put(w.key(10 + n))
        yield from w.look(w.key(10 + n))
        yield from w.hold(w.key(10 + n), n)
        if n in checked and w.due(n):
            yield from w.put(w.key(OLD))
            yield from w.evict(2)
    for n in w.shuffled(total):
        yield from w.release(n)
        yield from w.evict(1) if n in checked else ()
    yield from w.empty()


def live_requests(w: World, total: int) -> Ops:
    """So many requests live at once, each with a page of its own behind a common one."""
    yield from w.put(w.key(BUSY))
    checked = around(*range(1, 11))
    for n in range(1, total + 1):
        yield Op("start", w.key(BUSY, 10 + n), n)
        if n in checked and w.due(n):
            yield from w.evict_nothing()
            yield from w.serve(w.key(OLD), holder=0)
            yield from w.peek(w.key(OLD))
            yield from w.evict(1)
            yield from [Op("decode", holder=n, amount=n)] * w.has("decode") + [Op("chunk", holder=n)] * w.has("chunk")
    for n in range(1, total + 1):
        if w.has("decode"):
            yield Op("decode", holder=n, amount=10_000 + n)
        if w.has("chunk") and n % 2:
            yield Op("chunk", holder=n)
    for n in w.shuffled(total):
        yield Op("finish" if n % 3 else "abort", holder=n)
    for n in range(1, total + 1):
        yield from w.peek(w.key(BUSY, 10 + n))
    yield from w.empty()


def loans(w: World, total: int) -> Ops:
    """So many allocations that a caller holds at once; then all of the pool in one."""
    for n in range(1, total + 1):
        yield Op("alloc", w.key(10 + n), n)
        w.due(n)
    for n in w.shuffled(total):
        yield Op("free", holder=n)
    yield Op("alloc", w.filler(w.pages), 0)
    yield Op("free", holder=0)


def resets(w: World, total: int) -> Ops:
    """A small tree that is forgotten again and again. The whole pool must be free afterwards, and nothing be found."""
    short, long = w.key(BUSY), w.key(BUSY, YOUNG)
    for n in range(1, total + 1):
        yield from w.put(short)
        yield from w.put(long)
        yield Op("reset")
        yield from w.peek(long)
        w.due(n)
    yield from w.put(short)
    yield from w.put(long)
    yield from w.look(long)
    yield from w.evict(1)
    yield from w.look(long)
    yield from w.evict(1)


def refused(w: World, total: int) -> Ops:
    """Calls that ask for more than there is: they change nothing, however many there are."""
    yield from w.put(w.key(BUSY))
    yield from w.put(w.key(BUSY, YOUNG))
    yield from w.look(w.key(BUSY, YOUNG))
    yield from w.hold(w.key(BUSY, YOUNG), 1)
    large = w.filler(w.pages + 1)
    refusals = [Op(name, large, 2) for name in ("alloc", "start") if w.has(name)] + [Op("reset")] * w.has("reset")
    for n in range(1, total + 1):
        yield from refusals
        if n % PERIOD == 0 and w.due(n):
            yield from w.put(w.key(OLD))
            yield from w.evict(1)
    yield from w.release(1)
    yield from w.evict(1)
    yield from w.look(w.key(BUSY, YOUNG))
    yield from w.empty()
    yield from w.put(w.filler(w.pages))
    yield from w.empty()
    if w.requests and w.has("decode"):
        yield Op("start", w.filler(w.pages), 3)
        yield from [Op("decode", holder=3, amount=1)] * total
        yield Op("abort", holder=3)


def cycles(w: World, total: int) -> Ops:
    """All verbs in turn, with two splits and some evictions in each round."""
    for n in range(1, total + 1):
        yield from _tree_cycle(w, 10 * n) if w.tree else ()
        yield from _request_cycle(w, 10 * n) if w.requests else ()
        yield from [Op("reset")] * w.has("reset")
        w.due(n)
    yield from w.empty()


def _tree_cycle(w: World, first: int) -> Ops:
    key, other = w.key(first, first + 1, first + 2), w.key(first, first + 1, first + 3)
    yield from w.put(key)
    yield from w.look(w.key(first))  # splits
    yield from w.put(other)  # splits
    yield from w.peek(key)
    if w.has("lock"):
        yield from w.look(key)
        yield Op("lock", key, 1)
        yield from w.evict(4)
        yield Op("unlock", holder=1)
    if w.has("alloc"):
        yield Op("alloc", w.key(first), 2)
        yield Op("free", holder=2)
    yield from w.evict(1)
    yield from w.look(key)
    yield from w.empty()


def _request_cycle(w: World, first: int) -> Ops:
    yield Op("start", w.key(first, first + 1), 1)
    yield Op("start", w.key(first, first + 2), 2)
    for holder in (1, 2):
        if w.has("chunk"):
            yield Op("chunk", holder=holder)
        if w.has("decode"):
            yield Op("decode", holder=holder, amount=first + 3)
    yield Op("finish", holder=1)
    yield Op("abort", holder=2)
    yield from w.look(w.key(first, first + 1, first + 3))
    yield from w.evict(1)
    yield from w.empty()
