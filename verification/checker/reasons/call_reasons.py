"""Reasons of the formulas that speak of what a call answers, and of what it must leave in the cache."""

from radixcheck.verification.checker.reasons.case import Case
from radixcheck.verification.core.short_text import counted


def longest_match(c: Case) -> str:
    """The prefix found is not the longest one."""
    return cached_text(c, c.answered or 0, c.positions.length[c.call.found])


def cached_text(c: Case, answered: int, expected: int) -> str:
    """Return that another number of tokens is cached than the call answers."""
    of = f"of {c.key(c.call.key)} " if c.call.key else ""
    path = c.positions.ancestors[c.call.key]
    held = c.key(path[min(expected // c.positions.page_size, len(path) - 1)]) if expected else "nothing"
    has = f"{of}the {'device' if c.host else 'cache'} has {held}"
    return f"answered that {counted(answered, 'token')} {'is' if answered == 1 else 'are'} cached, expected {expected}: {has}"


def insert_covers(c: Case) -> str:
    """Something is not cached afterwards."""
    return f"{c.key(c['k'])} is not cached after this {c.operation}, which must cache the whole pages of {c.key(c.call.key)}"


def hit_preserves(c: Case) -> str:
    """A call has removed something that is no eviction."""
    return f"this {c.operation} has removed {c.key(c['k'])} from the cache"


REASONS = {"MATCH_MAX": longest_match, "INSERT_MATCH_AGREE": longest_match, "INSERT_COVERS": insert_covers, "HIT_PRESERVES": hit_preserves}
