"""Reasons of the formulas that speak of times, hits, priorities and creations; and of a peek, which changes nothing."""

from functools import partial

from radixcheck.spec.run.positions import EPS
from radixcheck.verification.checker.reasons.case import Case, figure
from radixcheck.verification.core.short_text import counted

HIDDEN = ("evictable", "protected", "available")


def time_mono(c: Case) -> str:
    """A child was used after its parent."""
    time = c.seen.time
    n, p = c["n"], c.seen.up.get(c["n"], EPS)
    return f"{c.node(n)} was last used at {figure(time[n])}, its parent {c.node(p)} at {figure(time[p])}: each access goes up to the root"


def chain(attribute: str, done: str, why: str, c: Case) -> str:
    """Two nodes beside each other have one time."""
    return f"{c.node(c['a'])} and {c.node(c['b'])} were both {done} at {figure(getattr(c.seen, attribute)[c['a']])}, but {why} one path"


def attribute_mono(c: Case) -> str:
    """A parent is younger, hit less often or less important than its child."""
    s, n = c.seen, c["n"]
    p = s.up.get(n, EPS)
    wrong = []
    if s.creation[p] > s.creation[n]:
        wrong.append(f"was cached at {figure(s.creation[p])}, after its child at {figure(s.creation[n])}")
    if s.hits[n] > s.hits[p]:
        wrong.append(f"has {counted(s.hits[p], 'hit')}, fewer than its child with {s.hits[n]}")
    if s.priority[n] > s.priority[p]:
        wrong.append(f"has priority {s.priority[p]}, less than its child with {s.priority[n]}")
    return f"{c.node(p)} {', and '.join(wrong)}; the child is {c.node(n)}"


def clock(c: Case) -> str:
    """A time, a hit count or a priority makes no sense."""
    s, n = c.seen, c["n"]
    if "n" not in c.values:
        return f"{c.holder(c['h'])} has the priority {s.request_priority.get(c['h'])}, which is negative"
    times = f"was cached at {figure(s.creation[n])} and last used at {figure(s.time[n])}; it is {figure(s.now)} now"
    return f"{c.node(n)} {times}; it has {counted(s.hits[n], 'hit')} and priority {s.priority[n]}"


def _used(c: Case) -> str:
    """Return why the value of a token changes, or why it does not."""
    q = c["q"]
    if q not in c.before.cached:
        return f"this {c.operation} has cached it"
    if q == EPS or not c.positions.le(q, c.call.used):
        return f"this {c.operation} does not use it"
    return f"this {c.operation} uses it"


def recency(c: Case) -> str:
    """A time is not that of the last use."""
    q, s, old = c["q"], c.seen, c.before
    kept = q in old.cached and not c.positions.le(q, c.call.used)
    expected = old.time[old.end[q]] if kept else s.now
    return f"{c.key(q)} has the time {figure(s.time[s.end[q]])} of last use, expected {figure(expected)}: {_used(c)}"


def freq(c: Case) -> str:
    """A hit count is wrong."""
    q, s, old = c["q"], c.seen, c.before
    used = c.positions.le(q, c.call.used)
    expected = (old.hits[old.end[q]] if q in old.cached else 0) + (c.call.hit if used else 0)
    hits = f", which counts as {'a' if c.call.hit else 'no'} hit" if used else ""
    return f"{c.key(q)} has {counted(s.hits[s.end[q]], 'hit')}, expected {expected}: {_used(c)}{hits}"


def priority(c: Case) -> str:
    """A priority is wrong."""
    q, s, old, given = c["q"], c.seen, c.before, c.call.new_priority
    before = old.priority[old.end[q]] if q in old.cached else None
    used = c.positions.le(q, c.call.used)
    kept = before is not None and (not used or given < before)
    why = f"{_used(c)} with priority {given}" if used else _used(c)
    why += f", it had {before}{', and the larger one counts' if used else ''}" if before is not None else ""
    return f"{c.key(q)} has priority {s.priority[s.end[q]]}, expected {before if kept else given}: {why}"


def creation(c: Case) -> str:
    """The time at which something was cached has changed, or is not now."""
    q, s, old = c["q"], c.seen, c.before
    found = f"{c.key(q)} says that it was cached at {figure(s.creation[s.end[q]])}, expected"
    if q in old.cached:
        return f"{found} {figure(old.creation[old.end[q]])}, when it was: this {c.operation} must not change it"
    return f"{found} {figure(s.now)}: this {c.operation} has cached it"


def peek_pure(c: Case) -> str:
    """A peek has changed something."""
    s, old = c.seen, c.before
    changed = [f"{name} from {getattr(old, name)} to {getattr(s, name)}" for name in HIDDEN if getattr(s, name) != getattr(old, name)]
    for q in sorted(s.cached & old.cached):
        here, there = s.end[q], old.end[q]
        changed += [f"the end of the node that holds {c.key(q)}: {c.key(there)} before, {c.key(here)} now"] if here != there else []
        if s.time[here] != old.time[there]:
            changed.append(f"the time of last use of {c.key(q)} from {figure(old.time[there])} to {figure(s.time[here])}")
        if s.lock[here] != old.lock[there]:
            changed.append(f"the lock count of {c.key(q)} from {old.lock[there]} to {s.lock[here]}")
        if s.page.get(q) != old.page.get(q):
            changed.append(f"the slots of {c.key(q)} from {c.slots(old.page.get(q))} to {c.slots(s.page.get(q))}")
    changed += [f"what is cached: {c.key(q)} is new" for q in sorted(s.cached - old.cached)]
    changed += [f"what is cached: {c.key(q)} is gone" for q in sorted(old.cached - s.cached)]
    changed += [f"who is live: {c.holder(h)}" for h in sorted(s.held ^ old.held)]
    locks = [(h, old.at.get(h, EPS), s.at.get(h, EPS)) for h in sorted(s.held & old.held)]
    changed += [f"what {c.holder(h)} locks: {c.key(there)} before, {c.key(here)} now" for h, there, here in locks if here != there]
    changed += [f"the row of {c.holder(h)} for {c.key(q)}" for h, q in sorted({at for at, _ in s.row.items() ^ old.row.items()})]
    changed += [f"the owner of {c.slots(i)}" for i, (a, b) in enumerate(zip(s.owner, old.owner, strict=True)) if a != b]
    return f"this peek has changed {changed[0]}" if changed else ""


REASONS = {
    "TIME_MONO": time_mono,
    "TIME_CHAIN": partial(chain, "time", "last used", "one access uses"),
    "CREATION_CHAIN": partial(chain, "creation", "cached", "one insert caches"),
    "ATTRIBUTE_MONO": attribute_mono,
    "CLOCK": clock,
    "RECENCY": recency,
    "FREQ": freq,
    "PRIORITY": priority,
    "CREATION": creation,
    "PEEK_PURE": peek_pure,
}
