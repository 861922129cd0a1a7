"""Eviction policies: the order among evictable leaves, as a pair of terms. The least leaf is evicted first.

The second key is always the logical time of the last access. An access gives one tick to one path from the root, and two leaves never lie
on one path. So no two leaves tie (theorem NO_TIES), and the order of victims is the same on every replica (FB-49).
"""

from collections.abc import Callable
from dataclasses import dataclass

from radixcheck.spec.logic import Term, ite, lift
from radixcheck.spec.signature import creation, first, hits, priority, second, time

SLRU_HITS = 2  # a node that was inserted this often is in the protected segment


@dataclass(frozen=True, slots=True)
class Policy:
    """A name and what is compared, first key before second key; `first` takes the attributes of a node."""

    name: str
    first: Callable[[Term, Term, Term, Term], Term]  # time, creation, hits, priority

    def key(self, n: Term) -> tuple[Term, Term]:
        """The live key of a node."""
        return self.first(time(n), creation(n), hits(n), priority(n)), time(n)

    def before(self, a: Term, b: Term) -> Term:
        """Whether node `a` is evicted before node `b`."""
        return less(self.key(a), self.key(b))


def less(a: tuple[Term, Term], b: tuple[Term, Term]) -> Term:
    """The lexicographic order of pairs."""
    return (a[0] < b[0]) | ((a[0] == b[0]) & (a[1] < b[1]))


def stored(e: Term) -> tuple[Term, Term]:
    """The key with which an entry was pushed."""
    return first(e), second(e)


def _negative(value: Term) -> Term:
    return lift(0) - value


POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy("lru", lambda time, creation, hits, priority: time),
        Policy("lfu", lambda time, creation, hits, priority: hits),
        Policy("fifo", lambda time, creation, hits, priority: creation),
        Policy("filo", lambda time, creation, hits, priority: _negative(creation)),
        Policy("mru", lambda time, creation, hits, priority: _negative(time)),
        Policy("slru", lambda time, creation, hits, priority: ite(hits < SLRU_HITS, 0, 1)),
        Policy("priority", lambda time, creation, hits, priority: priority),
    )
}
