"""Edges: calls whose arguments, or the state in which they are made, are at the limit of what is allowed.

A search counts how often it makes each of them (`checker/edge_count.py`). One that a subject can take and that was never made is a gap in
the search, as a rule that never fired is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from radixcheck.verification.operations import FAIL
from radixcheck.verification.protocol import Supports


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge: an id, what a caller does, and what a subject must have for it."""

    id: str
    sentence: str
    operations: tuple[str, ...]  # all of them
    paged: bool = False  # pages of more than one token
    namespaces: bool = False
    modes: tuple[str, ...] = ()  # of a host tier, one of them; empty: it does not matter
    failing: bool = False  # copies that fail

    def lacking(self, supports: Supports, page_sizes: Sequence[int]) -> str:
        """Return why it cannot be taken on a subject under these page sizes; empty if it can."""
        known = (*supports.operations, *supports.host_operations)
        missing = [name for name in self.operations if name not in known]
        if missing:
            return f"it has no {' and no '.join(missing)}"
        if self.paged and max(page_sizes, default=1) == 1:
            return "every page has one token"
        if self.failing and FAIL in supports.without:
            return "no copy of it fails"
        if self.modes and not set(self.modes) & set(supports.modes):
            return f"it has no mode {' or '.join(self.modes)}"
        return "it has no namespaces" if self.namespaces and not supports.namespaces else ""


def _empty(verb: str, what: str, *others: str) -> Edge:
    return Edge(f"empty {verb}", what, (verb, *others))


def _short(verb: str, what: str, *others: str) -> Edge:
    return Edge(f"short {verb}", what, (verb, *others), paged=True)


def _keyed(verb: str) -> tuple[Edge, Edge]:
    return _empty(verb, f"{verb} an empty key"), _short(verb, f"{verb} a key shorter than a page")


def _of_a_request(verb: str) -> tuple[Edge, Edge]:
    return _empty(verb, f"{verb} a request without tokens"), _short(verb, f"{verb} a request shorter than a page")


EDGES: Mapping[str, Edge] = {
    edge.id: edge
    for edge in (
        *(edge for verb in ("match", "peek", "insert") for edge in _keyed(verb)),
        _empty("lock", "lock the match of an empty key"),
        _short("lock", "lock the match of a key shorter than a page"),
        _empty("alloc", "allocate for no tokens"),
        _short("alloc", "allocate for less than a page"),
        _empty("free", "give back no slots"),
        _short("free", "give back the slots of less than a page"),
        *(
            edge
            for verb in ("start", "chunk", "decode", "finish", "abort")
            for edge in (_keyed if verb == "start" else _of_a_request)(verb)
        ),
        Edge("evict nothing", "evict no tokens", ("evict",)),
        Edge("evict from an empty tree", "evict where nothing is cached", ("evict",)),
        Edge("evict more than everything", "evict more tokens than the pool has", ("evict",)),
        Edge("alloc more than everything", "allocate for more tokens than the pool has", ("alloc",)),
        Edge("start more than everything", "start a request of more tokens than the pool has", ("start",)),
        Edge("decode without room", "decode where a page is needed and none can be had", ("decode",)),
        Edge("insert from one alloc", "insert slots that were allocated before", ("insert",)),
        Edge("insert from several allocs", "insert slots that come from several allocs", ("insert",)),
        Edge("insert with more", "insert slots that were allocated before, and more that are allocated for the rest", ("insert",)),
        Edge("insert what is cached", "insert slots from several allocs for a key of which a part is cached", ("insert",)),
        Edge("free several allocs", "give back slots of several allocs in one call", ("free",)),
        Edge("free a part", "give back the last pages of what one alloc returned", ("free",)),
        Edge("free the rest", "give back the rest of what one alloc returned", ("free",)),
        Edge("insert the rest", "insert the rest of what one alloc returned", ("insert", "free")),
        Edge("reset after reset", "reset right after a reset", ("reset",)),
        Edge("reset again", "reset a cache that has been reset and has cached something since", ("reset",)),
        Edge("reset while held", "reset while a lock, a request or a caller holds a part", ("reset",)),
        Edge("handle from before a reset", "lock a match from before the last reset", ("lock", "reset")),
        Edge("receipt from before a reset", "unlock a receipt from before the last reset", ("unlock", "reset")),
        Edge("id again", "start a request with the id of one that ended", ("start",)),
        Edge("id of a refused start", "start a request with the id of one that was refused", ("start",)),
        Edge("id from before a reset", "start a request with an id from before the last reset", ("start", "reset")),
        Edge("namespace again", "cache in a namespace in which something was cached, and nothing is left", (), namespaces=True),
    )
}

HOST_EDGES: Mapping[str, Edge] = {  # of caches with a host tier
    edge.id: edge
    for edge in (
        Edge("load_back nothing", "load back a key of which the device has all that is cached", ("load_back",)),
        Edge("load_back without room", "load back more than the device has room for", ("load_back",)),
        Edge("backup what is hosted", "back up a node that the host has", ("backup",)),
        Edge("backup without room", "back up a node for which the host has no room", ("backup",)),
        Edge("evict_host nothing", "evict no tokens on the host", ("evict_host",)),
        Edge("evict_host more than everything", "evict more tokens on the host than its pool has", ("evict_host",)),
        Edge("complete out of order", "a copy arrives before an older one", ("complete",)),
        Edge("copy fails", "a copy fails", ("complete",), failing=True),
        Edge("write-back fails", "a copy fails for which an eviction waits", ("complete", "evict"), modes=("write_back",), failing=True),
        Edge("poll nothing", "poll while no copy is done", ("poll",)),
        Edge("poll several", "poll when several copies are done", ("poll",)),
        Edge("reset under a copy", "reset a cache while a copy is in flight", ("reset",)),
        Edge("split under a copy", "split a node while a copy of it is in flight", ()),
        Edge("evict under a copy", "evict while a copy is in flight", ("evict",)),
        Edge("insert what only the host has", "insert a key of which only the host has a part", ("insert",)),
        Edge("start what only the host has", "start a request of which only the host has a part", ("start",)),
        Edge("run before arrival", "run a request while a copy still fills slots of its row", ("run",)),
    )
}


def edges_of(supports: Supports) -> Iterable[Edge]:
    """Return the edges that concern a subject: those of the host tier only if it has one."""
    return (*EDGES.values(), *(HOST_EDGES.values() if supports.modes else ()))


def never_taken(taken: Mapping[str, int], supports: Supports, page_sizes: Sequence[int]) -> tuple[str, ...]:
    """Return the ids of the edges that a search of such a subject can take, and has never taken."""
    return tuple(edge.id for edge in edges_of(supports) if not taken.get(edge.id) and not edge.lacking(supports, page_sizes))


def excluded(supports: Supports, page_sizes: Sequence[int]) -> dict[str, str]:
    """Return the edges that cannot be taken on a subject, each with the reason."""
    reasons: Iterable[tuple[str, str]] = ((edge.id, edge.lacking(supports, page_sizes)) for edge in edges_of(supports))
    return {id_: reason for id_, reason in reasons if reason}
