"""Reasons of the formulas that speak of the host tier and of copies."""

from functools import partial

from radixcheck.spec.host.host_signature import DOWN, IDLE, RESERVING, UP
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.signature import FREE, LOST, OWN, TREE
from radixcheck.verification.checker.reasons.case import Case, listing
from radixcheck.verification.core.short_text import counted

STAGES = {IDLE: "copies nothing", RESERVING: "prepares a backup", DOWN: "is a backup in flight", UP: "is a load in flight"}


def _host(c: Case) -> HostState:
    assert isinstance(c.seen, HostState), "only a cache with a host tier has these formulas"
    return c.seen


def _copy(c: Case) -> str:
    """Return a copy in words."""
    s, h = _host(c), c["h"]
    what = {RESERVING: "the backup", DOWN: "the backup", UP: "the load"}.get(s.stage.get(h, IDLE), "the load")
    behind = f" behind {c.key(s.floor[h])}" if s.floor.get(h, EPS) != EPS else ""
    return f"{what} of {c.key(s.aim.get(h, EPS))}{behind}"


def _tiers(c: Case, q: int) -> str:
    """Return where a position is."""
    s = _host(c)
    where = [name for name, tier in (("the device", s.resident), ("the host", s.hosted)) if q in tier]
    return f"is on {' and '.join(where)}" if where else "is on no tier"


def reachable(c: Case) -> str:
    """What the tree has is on no tier, or what a tier has is not in the tree."""
    known = "is cached" if c["q"] in c.seen.cached else "is not cached"
    return f"{c.key(c['q'])} {known}, but {_tiers(c, c['q'])}"


def uniform(c: Case) -> str:
    """A node is on a tier only in part."""
    end = c.seen.end.get(c["q"], EPS)
    return f"{c.key(c['q'])} {_tiers(c, c['q'])}, but the end of its node, {c.key(end)}, {_tiers(c, end)}"


def device_closed(c: Case) -> str:
    """A prefix is not on the device."""
    return f"{c.key(c['q'])} is on the device, but its prefix {c.key(c['p'])} is not"


def host_closed(c: Case) -> str:
    """A prefix is not on the host."""
    return f"{c.key(c['q'])} is on the host, but its prefix {c.key(c['p'])} is not, as it must be under write-through"


def host_sound(c: Case) -> str:
    """The host page of a position is not its own."""
    s, q = _host(c), c["q"]
    page = s.host_page.get(q)
    slots = c.slots(page, "host")
    if page is None or s.host_owner[page] != TREE:
        return f"{c.key(q)} is on the host in {slots}, but that is not the tree's"
    return f"{slots} is filed for {c.key(q)}, but what was copied there is {c.key(s.host_content.get(page, EPS))}"


def host_partition(c: Case) -> str:
    """A host page has no right owner."""
    s, t = _host(c), c["t"]
    owner, content = s.host_owner[t], s.host_content.get(t, EPS)
    if owner == LOST:
        return f"{c.slots(t, 'host')} is leaked: it is neither free, nor in the tree, nor reserved by a backup"
    if owner == OWN:
        return f"{c.slots(t, 'host')} is reserved, but by no backup that is being prepared"
    return f"{c.slots(t, 'host')} is in the tree, but not as that of {c.key(content)}, for which it is"


def host_count(c: Case) -> str:
    """The host's free size is wrong."""
    s = _host(c)
    free = sum(owner == FREE for owner in s.host_owner) * c.positions.page_size
    return f"the host says that {s.host_available} tokens are free, but {free} of its slots are"


def pin_count(c: Case) -> str:
    """The pins of a node are not its loads."""
    s, n = _host(c), c["n"]
    loads = sum(
        s.stage.get(h, IDLE) > DOWN and c.positions.le(n, s.aim.get(h, EPS)) and not c.positions.le(n, s.floor.get(h, EPS)) for h in s.held
    )
    reading = f"{loads} loads in flight read" if loads > 1 else f"{'one' if loads else 'no'} load in flight reads"
    return f"{c.node(n)} has {counted(s.pins.get(n, 0), 'pin')}, expected {loads}: {reading} it"


def arrival(pages: str, tier: str, copy: str, c: Case) -> str:
    """A page of a tier is empty, and no copy fills it."""
    page = getattr(_host(c), pages).get(c["q"])
    return f"{c.slots(page, tier)} of {c.key(c['q'])} was never filled, and no {copy} in flight fills it"


def span(c: Case) -> str:
    """A copy does not copy from node to node."""
    s, h = _host(c), c["h"]
    floor, aim, at = s.floor.get(h, EPS), s.aim.get(h, EPS), s.at.get(h, EPS)
    what = f"{_copy(c)} must go from the root or the end of a node to the end of a node, and lock what it copies"
    ends = "; ".join(f"at {c.key(q)} there is no node" for q in (floor, aim) if q != EPS and q not in s.node)
    return f"{what}: {ends or f'it locks {c.key(at)}, and has reserved up to {c.key(s.reserved.get(h, EPS))}'}"


def source(c: Case) -> str:
    """A copy reads a page that is not there."""
    s, h, q = _host(c), c["h"], c["q"]
    if s.stage.get(h, IDLE) <= DOWN:
        return f"{_copy(c)} reads {c.slots(s.page.get(q))} of {c.key(q)}, which is not filled"
    reads = f"{_copy(c)} reads {c.slots(s.host_row.get((h, q)), 'host')} for {c.key(q)}"
    if q not in s.hosted:
        return f"{reads}, which has left the host"
    if s.host_row.get((h, q)) != s.host_page.get(q):
        return f"{reads}, but the host has it in {c.slots(s.host_page.get(q), 'host')}"
    return f"{reads}, which is not filled"


def target(c: Case) -> str:
    """A copy writes a page that is not its own."""
    s, h, q = _host(c), c["h"], c["q"]
    if s.stage.get(h) == UP:
        return f"{_copy(c)} writes {c.slots(s.page.get(q))} for {c.key(q)}, which is filled already or filled by another copy"
    page = c.slots(s.host_row.get((h, q)), "host")
    if q not in s.hosted:
        return f"{_copy(c)} writes {page} for {c.key(q)}, which has left the host"
    return f"{_copy(c)} writes {page} for {c.key(q)}, but that is not its own"


def arrived_before_read(c: Case) -> str:
    """A request runs before what it reads has arrived."""
    s, h = _host(c), c["h"]
    if "q" not in c.values:
        return f"{c.holder(h)} runs, and {STAGES.get(s.stage.get(h, IDLE), 'prepares a load')}"
    return f"{c.holder(h)} runs, but {c.slots(s.row.get((h, c['q'])))} of its row, for {c.key(c['q'])}, is not filled yet"


def pinned(c: Case) -> str:
    """What a load reads is not pinned."""
    s = _host(c)
    if "a" in c.values:
        return f"{c.key(c['a'])} and {c.key(c['b'])} have the same {c.slots(s.host_page.get(c['a']), 'host')}"
    if "q" in c.values:
        return f"{_copy(c)} reads {c.key(c['q'])}, whose node has {counted(s.pins.get(s.end.get(c['q'], EPS), 0), 'pin')}"
    return f"{c.node(c['n'])} has {counted(s.pins.get(c['n'], 0), 'pin')}, which is negative"


def in_use(attribute: str, what: str, c: Case) -> str:
    """A node that is locked has left the device, or one that is pinned the host."""
    return f"{c.node(c['n'])} has {counted(getattr(_host(c), attribute).get(c['n'], 0), what)}, but {_tiers(c, c['n'])}"


def some_copy(c: Case) -> str:
    """Nothing of what is cached was ever filled."""
    return f"{c.key(c['q'])} {_tiers(c, c['q'])}, but nothing has been filled there"


def quiet_host(c: Case) -> str:
    """After everything has ended something is left of a copy."""
    s = _host(c)
    tiers = (("", s.resident, s.page, s.filled), ("host", s.hosted, s.host_page, s.host_filled))
    empty = ((c.slots(page[q], tier), q) for tier, on, page, filled in tiers for q in sorted(on) if page[q] not in filled)
    left = [f"{slots} of {c.key(q)} was never filled" for slots, q in empty]
    left += [f"{c.slots(t, 'host')} is still reserved" for t, owner in enumerate(s.host_owner) if owner == OWN]
    left += [f"{c.node(n)} has {counted(s.pins[n], 'pin')}" for n in sorted(s.node) if s.pins.get(n)]
    return "nothing is held any more, but " + listing(left[:3]) if left else ""


REASONS = {
    "REACHABLE": reachable,
    "UNIFORM": uniform,
    "DEVICE_CLOSED": device_closed,
    "HOST_CLOSED": host_closed,
    "HOST_SOUND": host_sound,
    "HOST_PARTITION": host_partition,
    "HOST_COUNT": host_count,
    "PIN_COUNT": pin_count,
    "ARRIVAL": partial(arrival, "page", "", "load"),
    "HOST_ARRIVAL": partial(arrival, "host_page", "host", "backup"),
    "SPAN": span,
    "SOURCE": source,
    "TARGET": target,
    "ARRIVED_BEFORE_READ": arrived_before_read,
    "PINNED": pinned,
    "LOCKED_RESIDENT": partial(in_use, "lock", "lock"),
    "PINNED_HOSTED": partial(in_use, "pins", "pin"),
    "SOME_COPY": some_copy,
    "LOADABLE": some_copy,
    "QUIESCENT": quiet_host,
}
