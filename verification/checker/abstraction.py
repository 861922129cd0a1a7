"""The abstraction: maps an observation of a subject to a state of the specification.

Positions make this a function: no isomorphism is searched for, and two states are equal if their dictionaries are. What a correct cache
never shows (a slot in two places, two nodes for one prefix, a request on an unreachable node) is a finding, with the property that it
breaks.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from copy import copy
from dataclasses import dataclass, field

from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE, LOST, OWN, TREE
from radixcheck.spec.values import Sizes
from radixcheck.verification.checker.difference_text import slots_text
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.printable import value_text
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.operations import listed
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry, SeenNode, SeenRequest

NOWHERE = -1  # the position of a heap entry whose node is not in the tree
KEY_SIGNS = {"lru": 1, "fifo": 1, "filo": -1, "mru": -1}  # of the time with which a heap key begins; other keys begin with no time


@dataclass(slots=True)
class Clock:
    """Maps a subject's clock readings to ticks. A reading first seen after an operation was made in that operation."""

    known: dict[int | float, float] = field(default_factory=dict)
    tick: float = 0

    def __call__(self, reading: int | float) -> float:
        """Return the tick of a reading."""
        return self.known.setdefault(reading, self.tick)

    def refine(self) -> None:
        """Give the readings of one tick different times within it, in their order."""
        within: dict[float, list[int | float]] = {}
        for reading in sorted(self.known):
            within.setdefault(self.known[reading] // 1, []).append(reading)
        for tick, readings in within.items():
            for i, reading in enumerate(readings):
                self.known[reading] = tick + 0.4 * i / len(readings)


class Abstraction:
    """Builds the states of one subject with one pool. `written[page]` is the position whose tokens the engine wrote into the page."""

    def __init__(self, positions: Positions, pool: WatchedPool, policy: str, written: Mapping[int, int]) -> None:
        self.positions = positions
        self.pool = pool
        self.written = written
        self.clock = Clock()
        self.findings: list[Violation] = []
        self.places: dict[NodeId | None, int] = {}  # node -> the position at which it ends, in the last observation
        self.split_off: Sequence[int] = ()  # nodes that the last operation has split off, where that is an access of them
        self._key_sign = KEY_SIGNS.get(policy, 0)

    def find(self, property_: str, text: str) -> None:
        """Record a finding."""
        self.findings.append(Violation(property_, text))

    def state(self, seen: Observation, sizes: Sizes, spec: State, loans: Mapping[int, Sequence[int]], locks: Set[int]) -> State:
        """Return the abstract state. Only what the engine itself knows is taken from `spec`: the holders and the ends of their rows."""
        s = type(spec).__new__(type(spec))
        self._blank(s, spec, sizes)
        self.places = {None: EPS}
        for node in seen.nodes:
            self._node(s, node)
        for h in spec.held:
            if h in seen.requests:
                self._request(s, spec, h, seen.requests[h])
            else:
                self._no_request(s, spec, h, loans, locks)
        for h in seen.requests.keys() - spec.held:
            self.find("FREE_AT_LAST_RELEASE", f"the cache still shows a row of request r{h}, which has ended")
        self._heap(s, seen.heap or ())
        return s

    def _blank(self, s: State, spec: State, sizes: Sizes) -> None:
        s.positions, s.capacity, s.now = self.positions, spec.capacity, spec.now
        s.available, s.evictable, s.protected = sizes.available, sizes.evictable, sizes.protected
        s.node, s.cached, s.queued, s.held = set(), set(), set(), set(spec.held)
        s.end, s.up, s.page, s.lock, s.kids = {}, {}, {}, {}, {}
        s.time, s.creation, s.hits, s.priority = {}, {}, {}, {}
        s.holder, s.content, s.row = {}, {}, {}
        s.at, s.tok, s.request_priority = {}, dict(spec.tok), dict(spec.request_priority)
        s.on, s.first, s.second, s.entry = {}, {}, {}, {}
        s.owner = [LOST if out else FREE for out in self.pool.out]

    def _node(self, s: State, n: SeenNode) -> None:
        above = self.places.get(n.parent)
        if above is None:
            what = f"the node {value_text(n.name)} with the segment {listed(n.segment)}"
            return self.find("PARENT", f"{what} has the parent {value_text(n.parent)}, which is not in the tree")
        size = self.positions.page_size
        segment = tuple(n.segment)
        if not segment or len(segment) % size:
            return self.find("PAGE_ALIGN", f"expected segments of whole pages of {size} tokens, found a segment of {len(segment)} tokens")
        if not self._has_slots(n, segment):
            return None
        if n.child_key is not None and tuple(n.child_key) != segment[:size]:
            filed = f"the child with the segment {listed(segment)} is filed under {listed(n.child_key)}"
            self.find("CHILD_KEY", f"{filed}, expected its first page, {listed(segment[:size])}")
        chain = self.positions.chain(above, segment, n.namespace)
        self.places[n.name] = chain[-1]
        if not s.cached.isdisjoint(chain):
            twice = next(q for q in chain if q in s.cached)
            return self.find("COVER", f"two nodes hold {listed(self.positions.tokens(twice))}, expected one")
        self._add_node(s, n, above, chain)
        self._add_slots(s, n, chain)
        return None

    def _has_slots(self, n: SeenNode, segment: Sequence[int]) -> bool:
        """Whether a node has one slot for each token. A finding if it has not."""
        if len(n.slots) != len(segment):
            self.find("COUNT", f"the node with the segment {listed(segment)} has {len(n.slots)} slots, expected {len(segment)}")
        return len(n.slots) == len(segment)

    def _add_slots(self, s: State, n: SeenNode, chain: Sequence[int]) -> None:
        """Add the slots of a node that holds the positions `chain`."""
        end = chain[-1]
        for q, page in zip(chain, self._pages(n.slots), strict=False):
            s.end[q] = end
            s.page[q] = page
            self._own(s, page, TREE, "the tree")

    def _add_node(self, s: State, n: SeenNode, above: int, chain: Sequence[int]) -> None:
        """Add a node that hangs at position `above` and holds the positions `chain`."""
        end = chain[-1]
        s.node.add(end)
        s.cached.update(chain)
        s.up[end] = above
        s.kids[above] = s.kids.get(above, 0) + 1
        s.lock[end], s.hits[end], s.priority[end] = n.lock, n.hits, n.priority
        if end in self.split_off:
            self.clock.known.setdefault(n.time, self.clock.tick - 0.5)
        s.time[end], s.creation[end] = self.clock(n.time), self.clock(n.creation)

    def _pages(self, slots: Sequence[int]) -> list[int]:
        found = len(self.pool.findings)
        pages = self.pool.pages(slots)
        self.findings += self.pool.findings[found:]
        del self.pool.findings[found:]
        return pages

    def _own(self, s: State, page: int, owner: int, who: str) -> None:
        before = s.owner[page]
        if before == FREE:
            self.find("SLOT_PARTITION" if owner == TREE else "NO_UAF", f"{who} uses {slots_text(self.positions, page)}, which is free")
        elif before != LOST:
            first = "the tree" if before == TREE else f"request r{s.holder[page]}"
            self.find("SLOT_PARTITION", f"{slots_text(self.positions, page)} is in two places: in {first} and in {who}")
        s.owner[page] = owner
        s.content[page] = self.written.get(page, EPS)

    def _request(self, s: State, spec: State, h: int, seen: SeenRequest) -> None:
        p = self.positions
        tok = spec.tok[h]
        at = self.places.get(seen.node)
        if at is None:
            at = spec.at[h]
            self.find("NO_ORPHAN", f"request r{h} locks a node that cannot be reached from the root")
        if seen.cached != p.length[at]:
            text = f"request r{h} locks {p.length[at]} tokens, but says that {seen.cached} of its row are cached"
            self.find("LOCK_SPAN", text)
        s.at[h] = at
        if len(seen.slots) != p.length[tok]:
            return self.find("NO_UAF", f"the row of request r{h} has {len(seen.slots)} slots, expected {p.length[tok]}")
        whole = len(seen.slots) // p.page_size * p.page_size
        pages = self._pages(seen.slots[:whole]) + [slot // p.page_size for slot in seen.slots[whole : whole + 1]]
        level = p.level[at]
        for i, (q, page) in enumerate(zip(p.path(tok), pages, strict=False)):
            s.row[h, q] = page
            if i >= level:
                self._own(s, page, OWN, f"the row of request r{h}")
                s.holder[page] = h
        return None

    def _no_request(self, s: State, spec: State, h: int, loans: Mapping[int, Sequence[int]], locks: Set[int]) -> None:
        """Add a holder for which the cache shows no row."""
        self._anonymous(s, spec, h, loans.get(h, ()))
        if h not in loans and h not in locks:
            self.find("REFINEMENT", f"the cache shows no row of request r{h}, which is live")

    def _anonymous(self, s: State, spec: State, h: int, loan: Sequence[int]) -> None:
        """Add a lock, or slots with a caller: the engine knows their position."""
        s.at[h] = spec.at[h]
        for q in self.positions.path(spec.at[h]):
            if q in s.page:
                s.row[h, q] = s.page[q]
        for q, page in zip(self.positions.path(spec.tok[h]), loan, strict=False):
            s.row[h, q] = page
            self._own(s, page, OWN, f"the slots of caller h{h}")
            s.holder[page] = h

    def _heap(self, s: State, entries: Iterable[SeenEntry]) -> None:
        """Add the entries of a heap."""
        for e, entry in enumerate(entries):
            n = self.places.get(entry.node, NOWHERE)
            s.queued.add(e)
            s.on[e] = n
            s.first[e], s.second[e] = key = self.ticks(entry.key)
            other = s.entry.get(n)
            if entry.speaks and (other is None or key < (s.first[other], s.second[other])):
                s.entry[n] = e

    def with_heap(self, s: State, entries: Iterable[SeenEntry]) -> State:
        """Return the same state with these entries in its heap."""
        other = copy(s)
        other.queued, other.on, other.first, other.second, other.entry = set(), {}, {}, {}, {}
        self._heap(other, entries)
        return other

    def ticks(self, key: tuple[int | float, int | float]) -> tuple[float, float]:
        """Return a key of the heap with ticks in place of its clock readings."""
        (first, second), sign = key, self._key_sign
        return (sign * self.clock(sign * first) if sign else first), (self.clock(second) if second else 0)
