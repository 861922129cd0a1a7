"""Reasons of the formulas that speak of evictions, and of pages that a cache frees and the specification does not, or the reverse."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from radixcheck.spec.policies import SLRU_HITS
from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.state import State
from radixcheck.verification.checker.formulas import evictable_leaves
from radixcheck.verification.checker.reasons.case import Case, figure, listing
from radixcheck.verification.core.short_text import counted

Rank = tuple[float, float]
LAST_USED = "last used at"
NOTHING: Mapping[int, int] = MappingProxyType({})

# By policy: the first key, the least leaf first, and the words for it; `{}` is the value of the attribute.
FIRST: dict[str, tuple[Callable[[State, int], float], str, str]] = {
    "lru": (lambda s, n: s.time[n], "time", f"{LAST_USED} {{}}"),
    "lfu": (lambda s, n: s.hits[n], "hits", "hits {}"),
    "fifo": (lambda s, n: s.creation[n], "creation", "cached at {}"),
    "filo": (lambda s, n: -s.creation[n], "creation", "cached at {}"),
    "mru": (lambda s, n: -s.time[n], "time", f"{LAST_USED} {{}}"),
    "slru": (lambda s, n: s.hits[n] >= SLRU_HITS, "hits", f"hits, of which {SLRU_HITS} protect, {{}}"),
    "priority": (lambda s, n: s.priority[n], "priority", "priority {}"),
}


def rank(policy: str, s: State, n: int) -> Rank:
    """Return the key of a node, by which the least leaf goes first."""
    return FIRST[policy][0](s, n), s.time[n]


def goes_first(c: Case, least: int, other: int) -> str:
    """Return why one leaf is evicted before another one."""
    s, (_, name, words) = c.before, FIRST[c.policy]
    first, second = getattr(s, name), s.time
    same = rank(c.policy, s, least)[0] == rank(c.policy, s, other)[0]
    texts = [] if same and name == "time" else [f"{words.format(figure(first[least]))} against {figure(first[other])}"]
    if same and name != "time":
        texts = [f"{words.format(figure(first[least]))} both" if first[least] == first[other] else texts[0]]
    texts += [f"{LAST_USED} {figure(second[least])} against {figure(second[other])}"] if same else []
    return f"{c.key(least)} comes before it under {c.policy}: {', and '.join(texts)}"


def leaves_before(c: Case) -> list[int]:
    """Return the leaves that could be evicted at the call, the least first. Without those that the call itself locks."""
    on_path = {n for n in c.before.node if c.operation == "start" and c.positions.le(n, c.call.found)}
    leaves = evictable_leaves(c.before) - on_path
    return sorted(leaves, key=lambda n: rank(c.policy, c.before, n))


def order(c: Case) -> str:
    """Another leaf should have been evicted."""
    still = [n for n in leaves_before(c) if n in evictable_leaves(c.seen)] or [c["u"]]
    return f"evicted {c.key(c['v'])}, but {goes_first(c, still[0], c['v'])}"


def evict_leaf(c: Case) -> str:
    """An inner node was evicted."""
    k, p = c["k"], c["p"]
    left = f"{c.slots(c.before.page.get(k))} of {c.key(k)} is not free, and cannot be reached any more"
    return f"evicted {c.key(p)} while {c.key(k)} was below it: {left}"


def evict_unlocked(c: Case) -> str:
    """Something locked was evicted."""
    who = [c.holder(h) for h in c.lockers(c["k"], c.before)]
    return f"evicted {c.key(c['k'])}, which {listing(who) if who else 'a lock'} {'have' if len(who) > 1 else 'has'} locked"


def evict_exact(c: Case) -> str:
    """Too much was evicted."""
    freed, wanted = c.freed(), c.call.wanted
    what = f"evicted {counted(freed, 'token')} where {wanted} {'was' if wanted == 1 else 'were'} wanted"
    return f"{what}: before the last victim, of {counted(c.last_size, 'token')}, {freed - c.last_size} were freed already"


def evict_progress(c: Case) -> str:
    """Too little was evicted."""
    left = sorted(evictable_leaves(c.seen), key=lambda n: rank(c.policy, c.seen, n))
    freed = f"freed {c.freed()} of the {counted(c.call.wanted, 'token')} wanted"
    return f"{freed}, though the leaf at {c.key(left[0])} is not locked and could go"


def admission(c: Case) -> str:
    """A start was admitted or refused wrongly, or what it has matched is gone."""
    k = c["k"]
    if "k" in c.values and k not in c.seen.cached:
        return f"the start was admitted, but {c.key(k)}, which it has matched, is not cached any more"
    if "k" in c.values:
        return f"the start was admitted, but {c.key(k)}, which it has matched, is not locked"
    return f"the start was {'admitted' if c.admitted else 'refused'}, but {room_text(c)}"


def room_text(c: Case) -> str:
    """Return what a call needs and what there is, for a guard that compares the two."""
    s, found = c.before, c.call.found
    path = [n for n in s.node if c.positions.le(n, found) and not s.lock[n]]
    spared = sum(c.size(n, s) for n in path)
    end = s.end.get(found, EPS)
    if found != EPS and end not in path and not s.lock.get(end, 1):  # the match ends inside a node
        spared += c.positions.length[found] - c.positions.length[s.up[end]]
    but = f" beside the {counted(spared, 'token')} that it has matched" if spared else ""
    return f"it needs {counted(c.call.needed, 'token')}: {s.available} are free, and {s.evictable - spared} evictable{but}"


def _of_pages(c: Case, pages: Iterable[int], contents: Mapping[int, int], tier: str) -> str:
    """Return what these pages held, and their slots."""
    held = [(contents.get(page, EPS), c.slots(page, tier)) for page in sorted(pages, key=lambda page: (contents.get(page, EPS), page))]
    words = [f"{c.key(q)} in {slots}" if q != EPS else slots for q, slots in held]
    return listing([*words[:3], f"{len(words) - 3} more"] if len(words) > 4 else words)


def contents_of(state: State) -> dict[int, int]:
    """Return what each page holds that the tree or a holder has."""
    return {page: q for (_, q), page in state.row.items()} | {page: q for q, page in state.page.items()}


def freed_text(c: Case, freed: set[int], expected: set[int], written: Mapping[int, int] = NOTHING) -> str:
    """Return how the pages that were freed differ from those that the specification frees.

    `written`: what the engine wrote into the pages, for a case whose state before the operation was not kept.
    """
    if not c.kept:
        return _plainly(c, freed - expected, expected - freed, written)
    held = contents_of(c.before)
    evicted = {held[page] for page in freed if held.get(page) in c.before.end and page == c.before.page.get(held[page])}
    return (victims_text(c, evicted) if c.operation in EVICTING else "") or _plainly(c, freed - expected, expected - freed, held)


def host_freed_text(c: Case, freed: set[int], expected: set[int], written: Mapping[int, int]) -> str:
    """Return the same of host pages. `written`: what a copy was to bring, or has brought, into each."""
    hosted: Mapping[int, int] = getattr(c.before, "host_page", NOTHING) if c.kept else NOTHING
    return _plainly(c, freed - expected, expected - freed, {**written, **{page: q for q, page in hosted.items()}}, "host")


def victims_text(c: Case, evicted: set[int]) -> str:
    """Return why these positions must not leave the cache; empty if they are of the right nodes, though perhaps too few or too many."""
    nodes = sorted({c.before.end[q] for q in evicted}, key=lambda n: rank(c.policy, c.before, n))
    locked = next((n for n in nodes if c.before.lock.get(n)), None)
    if locked is not None:
        return evict_unlocked(replace(c, values={"k": locked}))
    return _of_victims(c, evicted, nodes, leaves_before(c) if c.call.wanted > 0 else [])


def _of_victims(c: Case, evicted: set[int], nodes: list[int], leaves: list[int]) -> str:
    """Return why the victims are not those of the policy; empty if they are, or if only their number is wrong.

    `nodes`: those of which something was evicted; `leaves`: those that could be evicted at the call, the least first.
    """
    if not nodes or not leaves:
        return ""
    s, p = c.before, c.positions
    for n in nodes:
        if c.operation == "start" and p.le(n, c.call.found):
            return f"evicted {c.key(n)}, which this start has matched and must keep"
        matched = c.call.found if c.operation == "start" else EPS  # a start that splits a node keeps its upper part
        left = [q for q in p.between(s.up[n], n) if q not in evicted and not p.le(q, matched)]
        if left:
            return f"evicted a part of {c.node(n)}, which leaves as a whole: {c.key(left[-1])} is still cached"
        below = [m for m in s.node & getattr(s, "resident", s.node) if m != n and p.le(n, m) and m not in nodes]
        if below:
            return f"evicted {c.key(n)} while {c.key(below[0])} was below it: only leaves may go"
    right = [n for n in c.call.victims if n in s.node]
    wrong, missing = [n for n in nodes if n not in right], [n for n in right if n not in nodes]
    if not wrong or not missing or rank(c.policy, s, wrong[0]) < rank(c.policy, s, missing[0]):
        return ""
    return f"evicted {c.key(wrong[0])}, but {goes_first(c, missing[0], wrong[0])}"


def _plainly(c: Case, wrong: set[int], missing: set[int], held: Mapping[int, int], tier: str = "") -> str:
    """Return what was freed and should not be, and what should be and was not."""
    if tier or c.operation not in EVICTING:
        texts = [f"freed {_of_pages(c, wrong, held, tier)}, which this {c.operation} must not free"] if wrong else []
        texts += [f"did not free {_of_pages(c, missing, held, tier)}, which this {c.operation} must free"] if missing else []
        return "; ".join(texts)
    had = f"{counted(c.call.wanted, 'token')} had to be evicted" if c.call.wanted > 0 else "nothing had to be evicted"
    texts = [f"evicted {_of_pages(c, wrong, held, tier)}, which must stay"] if wrong else []
    texts += [f"did not evict {_of_pages(c, missing, held, tier)}, which must go"] if missing else []
    return f"{'; '.join(texts)}: {had}"


REASONS = {
    "ORDER": order,
    "EVICT_LEAF": evict_leaf,
    "EVICT_UNLOCKED": evict_unlocked,
    "EVICT_EXACT": evict_exact,
    "EVICT_PROGRESS": evict_progress,
    "ADMISSION": admission,
}
