"""Reasons of the formulas that speak of the tree, its locks and its sizes."""

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE
from radixcheck.verification.checker.reasons.case import Case, figure, listing
from radixcheck.verification.checker.reasons.eviction_reasons import rank


def no_orphan(c: Case) -> str:
    """A prefix is gone."""
    return f"{c.key(c['q'])} is cached, but its prefix {c.key(c['p'])} is not"


def cover(c: Case) -> str:
    """A position has no node."""
    if "n" in c.values:
        return f"{c.node(c['n'])} does not hold {c.key(c['n'])} itself"
    end = c.seen.end.get(c["q"])
    if end is None or end not in c.seen.node:
        return f"{c.key(c['q'])} is cached, but no node holds it"
    return f"{c.key(c['q'])} is cached, but {c.node(end)}, below {c.above(end)}, does not hold it"


def parent(c: Case) -> str:
    """A node hangs below the wrong node."""
    expected = max((m for m in c.seen.node if m != c["n"] and c.positions.le(m, c["n"])), key=c.positions.level.__getitem__, default=EPS)
    return f"the parent of {c.node(c['n'])} is {c.above(c['n'])}; expected {c.node(expected)}, the deepest one above it"


def child_key(c: Case) -> str:
    """Two nodes begin with the same page."""
    other = c.node(c.seen.end.get(c["q"], EPS))
    return f"{c.key(c['q'])} is on the way to {c.node(c['n'])}, but {other} holds it, which is not on that way"


def page_align(c: Case) -> str:
    """Something ends inside a page."""
    return f"{c.key(c['q'])} is cached, which ends inside a page of {c.positions.page_size} tokens"


def lock_count(c: Case) -> str:
    """A lock count is not the number of its holders."""
    holders = c.lockers(c["n"], c.seen)
    who = f"{listing(map(c.holder, holders))} lock{'s' * (len(holders) == 1)} it or a node below it" if holders else "no holder locks it"
    return f"{c.node(c['n'])} has lock count {c.seen.lock.get(c['n'])}, expected {len(holders)}: {who}"


def lock_nonneg(c: Case) -> str:
    """A lock count is negative, or exceeds that of the parent."""
    n, lock = c["n"], c.seen.lock
    if lock.get(n, 0) < 0:
        return f"{c.node(n)} has lock count {lock.get(n)}, which is negative"
    above = lock.get(c.seen.up.get(n, EPS))
    return f"{c.node(n)} has lock count {lock.get(n)}, more than {c.above(n)} with {above}: each lock goes up to the root"


def lock_span(c: Case) -> str:
    """A holder locks something that is no node."""
    h, at = c["h"], c.seen.at.get(c["h"], EPS)
    if not c.positions.le(at, c.seen.tok.get(h, EPS)):
        return f"{c.holder(h)} locks {c.key(at)}, which is no prefix of its tokens {c.key(c.seen.tok.get(h, EPS))}"
    return f"{c.holder(h)} locks {c.key(at)}, at whose end there is no node"


def sizes_text(found: tuple[int, int, int], expected: tuple[int, int, int], tree: str = "") -> str:
    """Return which of the sizes (available, evictable, protected) are wrong. `tree`: whose nodes and slots these are.

    >>> sizes_text((2, 4, 0), (2, 2, 0))
    'evictable says 4, the unlocked nodes hold 2'
    """
    names = ("available", "evictable", "protected")
    facts = ("{} {} free", "the unlocked nodes hold {}", "the locked nodes hold {}")
    out = []
    for name, fact, says, holds in zip(names, facts, found, expected, strict=True):
        if says != holds:
            out.append(f"{name} says {says}, {fact.format(holds, 'slot is' if holds == 1 else 'slots are')}")
    return ", and ".join(out) + tree


def of_nodes(state: State, page_size: int) -> tuple[int, int, int]:
    """Return what the three sizes must be: tokens of free slots, of unlocked nodes and of locked nodes, on the device."""
    resident = getattr(state, "resident", state.cached)
    on_node = [state.lock.get(state.end.get(q, EPS), 0) for q in state.cached & resident]
    free = sum(owner == FREE for owner in state.owner)
    return free * page_size, sum(not lock for lock in on_node) * page_size, sum(bool(lock) for lock in on_node) * page_size


def count(c: Case) -> str:
    """A size is not that of the nodes or slots."""
    s = c.seen
    return sizes_text((s.available, s.evictable, s.protected), of_nodes(s, c.positions.page_size))


def no_ties(c: Case) -> str:
    """Two leaves have one key."""
    time = c.seen.time
    return f"the leaves at {c.key(c['a'])} and {c.key(c['b'])} tie under {c.policy}: last used at {time.get(c['a'])} and {time.get(c['b'])}"


def lock_liveness(c: Case) -> str:
    """A lock is left over."""
    left = [n for n in sorted(c.seen.node) if c.seen.lock.get(n)]
    return "nothing is held any more, but " + listing(f"{c.node(n)} has lock count {c.seen.lock[n]}" for n in left[:3])


def protected(c: Case) -> str:
    """What a holder locks is not protected."""
    if "a" in c.values:
        return f"{c.key(c['a'])} and {c.key(c['b'])} have the same {c.slots(c.seen.page.get(c['a']))}"
    h, q = c["h"], c["q"]
    what = f"{c.holder(h)} locks {c.key(c.seen.at.get(h, EPS))}, but"
    if q not in c.seen.cached:
        return f"{what} {c.key(q)} is not in the tree any more"
    if c.host is not None and q not in c.host.resident:
        return f"{what} {c.key(q)} is not on the device any more"
    return f"{what} {c.node(c.seen.end.get(q, EPS))} has lock count {c.seen.lock.get(c.seen.end.get(q, EPS))}"


def heap_full(c: Case) -> str:
    """A leaf has no entry."""
    return f"the leaf at {c.key(c['n'])} may be evicted, but the heap has no entry that is current for it"


def heap_stale(c: Case) -> str:
    """An entry would surface too late."""
    e = c.seen.entry.get(c["n"], -1)
    stored = ", ".join(f"{x:g}" for x in (c.seen.first.get(e, 0), c.seen.second.get(e, 0)))
    now = ", ".join(map(figure, rank(c.policy, c.seen, c["n"])))
    return (
        f"the entry of the leaf at {c.key(c['n'])} has the key ({stored}), later than that of the leaf now, ({now}): it surfaces too late"
    )


REASONS = {
    "NO_ORPHAN": no_orphan,
    "COVER": cover,
    "PARENT": parent,
    "CHILD_KEY": child_key,
    "PAGE_ALIGN": page_align,
    "LOCK_COUNT": lock_count,
    "LOCK_NONNEG": lock_nonneg,
    "LOCK_SPAN": lock_span,
    "COUNT": count,
    "NO_TIES": no_ties,
    "LOCK_LIVENESS": lock_liveness,
    "PROTECTED": protected,
    "HEAP_FULL": heap_full,
    "HEAP_STALE": heap_stale,
    "HOST_HEAP_FULL": heap_full,
    "HOST_HEAP_STALE": heap_stale,
}
