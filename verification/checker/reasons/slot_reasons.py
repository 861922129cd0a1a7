"""Reasons of the formulas that speak of slots: whose they are, what they hold, and who reads them."""

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.signature import FREE, LOST, OWN, TREE
from radixcheck.verification.checker.reasons.case import Case

LEAKED = "leaked: neither free, nor in the tree, nor in the row of a live request"


def match_sound(c: Case) -> str:
    """The page of a position is not its own."""
    page = c.seen.page.get(c["q"])
    key = c.key(c["q"])
    if page is None:
        return f"{key} is cached without a slot"
    if c.seen.owner[page] != TREE:
        return f"{c.of(page)} filed for {key}, but {'free' if c.seen.owner[page] == FREE else 'in the row of a request'}"
    return f"{c.of(page)} filed for {key}, but {c.written(page)}"


def isolation(c: Case) -> str:
    """A page holds tokens of another namespace."""
    page = c.seen.page.get(c["q"])
    held = c.seen.content.get(-1 if page is None else page, EPS)
    return f"{c.of(page)} filed for {c.key(c['q'])}, but what was written there is of the namespace {c.positions.namespace[held]!r}"


def slot_partition(c: Case) -> str:
    """A page has no right owner."""
    s, owner, content = c["s"], c.seen.owner[c["s"]], c.seen.content.get(c["s"], EPS)
    if owner == LOST:
        return f"{c.of(s)} {LEAKED}"
    if owner not in (TREE, OWN):
        return f"{c.slots(s)} has an unknown owner"
    h = c.seen.holder.get(s, EPS)
    where = f"{c.of(s)} in {'the tree' if owner == TREE else f'the row of {c.holder(h)}'}"
    if owner == OWN and h not in c.seen.held:
        return f"{where}, which has ended"
    if content == EPS:
        return f"{where}, but nothing was written there"
    if owner == OWN and c.host and c.seen.row.get((h, content)) == s and s not in c.host.filled:
        return f"{where} for {c.key(content)}, but was never filled"
    return f"{where}, but not for {c.key(content)}, whose tokens were written there"


def no_uaf(c: Case) -> str:
    """A holder reads a page that is not its own to read."""
    h, q, s = c["h"], c["q"], c.seen
    page = s.row.get((h, q))
    if page is None:
        return f"{c.holder(h)} has no slot for {c.key(q)}"
    reads = f"{c.holder(h)} reads {c.slots(page)} for {c.key(q)}"
    if s.owner[page] == FREE:
        return f"{reads}, but that is free"
    if s.content.get(page, EPS) != q:
        return f"{reads}, but {c.written(page)}"
    if c.positions.le(q, s.at.get(h, EPS)):
        return f"{reads}, which it locks, but the tree has {c.slots(s.page.get(q))} for it"
    whose = "in the tree" if s.owner[page] == TREE else f"that of {c.holder(s.holder.get(page, EPS))}"
    return f"{reads}, but that is not its own: it is {whose}"


def free_at_last_release(c: Case) -> str:
    """A holder that has ended left something behind."""
    h = c.call.h
    if "s" not in c.values:
        return f"{c.holder(h)} is still live after its {c.operation}"
    return f"{c.of(c['s'], was=True)} in the row of {c.holder(h)}, and neither free nor in the tree after its {c.operation}"


def reset_quiescent(c: Case) -> str:
    """A reset was refused wrongly, or has left something behind."""
    if "k" in c.values:
        return f"{c.key(c['k'])} is still cached after the reset"
    if "s" in c.values:
        return f"{c.of(c['s'])} not free after the reset"
    held = f"{len(c.before.held)} holders are live" if c.before.held else "nothing is held"
    return f"the reset was {'admitted' if c.admitted else 'refused'}, but {held}"


REASONS = {
    "MATCH_SOUND": match_sound,
    "ISOLATION": isolation,
    "SLOT_PARTITION": slot_partition,
    "NO_UAF": no_uaf,
    "FREE_AT_LAST_RELEASE": free_at_last_release,
    "RESET_QUIESCENT": reset_quiescent,
}
