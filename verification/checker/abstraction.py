"""From what a subject shows to a state of the specification.

Positions make this a function: no isomorphism is searched for, and two states are equal when their dictionaries are. What a correct
cache never shows (a slot in two places, two nodes for one prefix, a request on an unreachable node) is a finding, with the property
that it breaks.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE, LOST, OWN, TREE
from radixcheck.spec.values import Sizes
from radixcheck.verification.core.watched_pool import Finding, WatchedPool
from radixcheck.verification.protocol import NodeId, Observation, SeenNode, SeenRequest

NOWHERE = -1  # an entry of the heap whose node is not in the tree


@dataclass(slots=True)
class Clock:
    """A subject's clock readings as ticks: what is first seen after an operation was read in that operation."""

    known: dict[int | float, float] = field(default_factory=dict)
    tick: float = 0

    def __call__(self, reading: int | float) -> float:
        """The tick of a reading."""
        return self.known.setdefault(reading, self.tick)

    def refine(self) -> None:
        """Readings of one tick become different times within it, in their order."""
        within: dict[float, list[int | float]] = {}
        for reading in sorted(self.known):
            within.setdefault(self.known[reading] // 1, []).append(reading)
        for tick, readings in within.items():
            for i, reading in enumerate(readings):
                self.known[reading] = tick + 0.4 * i / len(readings)


class Abstraction:
    """Builds states for one subject under one pool. `written[page]` is the position whose tokens the engine wrote there."""

    def __init__(self, positions: Positions, pool: WatchedPool, policy: str, written: Mapping[int, int]) -> None:
        self.positions = positions
        self.pool = pool
        self.written = written
        self.clock = Clock()
        self.findings: list[Finding] = []
        self.places: dict[NodeId | None, int] = {}  # node -> position, in the last observation
        self._key_sign = {"lru": 1, "fifo": 1, "filo": -1, "mru": -1}.get(policy, 0)

    def find(self, property_: str, text: str) -> None:
        """Record what no correct cache shows."""
        self.findings.append(Finding(property_, text))

    def state(self, seen: Observation, sizes: Sizes, spec: State, loans: Mapping[int, Sequence[int]], locks: Set[int]) -> State:
        """The abstract state. Of `spec` only what the engine itself knows is taken: who holds what, and how far."""
        s = State.__new__(State)
        self._blank(s, spec, sizes)
        self.places = {None: EPS}
        for node in seen.nodes:
            self._node(s, node)
        for h in spec.held:
            if h in seen.requests:
                self._request(s, spec, h, seen.requests[h])
            else:
                self._anonymous(s, spec, h, loans.get(h, ()))
                if h not in loans and h not in locks:
                    self.find("REFINEMENT", f"request {h} is live, and the cache keeps no row of it")
        for h in seen.requests.keys() - spec.held:
            self.find("FREE_AT_LAST_RELEASE", f"request {h} has ended, and the cache still keeps its row")
        if seen.heap is not None:
            self._heap(s, seen)
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
            return self.find("PARENT", f"node {n.name!r} says that its parent is {n.parent!r}, which is not in the tree")
        size = self.positions.page_size
        segment = tuple(n.segment)
        if not segment or len(segment) % size:
            return self.find("PAGE_ALIGN", f"a segment of {len(segment)} tokens is not whole pages of {size}")
        if len(n.slots) != len(segment):
            return self.find("COUNT", f"segment {segment} has {len(segment)} tokens and {len(n.slots)} slots")
        if n.child_key is not None and tuple(n.child_key) != segment[:size]:
            self.find("CHILD_KEY", f"the child with segment {segment} is filed under {tuple(n.child_key)}")
        chain = self.positions.chain(above, segment, n.namespace)
        end = chain[-1]
        self.places[n.name] = end
        if not s.cached.isdisjoint(chain):
            return self.find("COVER", f"two nodes hold the prefix {self.positions.tokens(chain[0])}")
        s.node.add(end)
        s.cached.update(chain)
        s.up[end] = above
        s.kids[above] = s.kids.get(above, 0) + 1
        s.lock[end] = n.lock
        s.time[end], s.creation[end] = self.clock(n.time), self.clock(n.creation)
        s.hits[end], s.priority[end] = n.hits, n.priority
        for q, page in zip(chain, self._pages(n.slots), strict=False):
            s.end[q] = end
            s.page[q] = page
            self._own(s, page, TREE, "the tree")
        return None

    def _pages(self, slots: Sequence[int]) -> list[int]:
        found = len(self.pool.findings)
        pages = self.pool.pages(slots)
        self.findings += self.pool.findings[found:]
        del self.pool.findings[found:]
        return pages

    def _own(self, s: State, page: int, owner: int, who: str) -> None:
        before = s.owner[page]
        if before == FREE:
            self.find("SLOT_PARTITION" if owner == TREE else "NO_UAF", f"{who} uses page {page}, which is free")
        elif before != LOST:
            self.find("SLOT_PARTITION", f"page {page} is used twice, the second time by {who}")
        s.owner[page] = owner
        s.content[page] = self.written.get(page, EPS)

    def _request(self, s: State, spec: State, h: int, seen: SeenRequest) -> None:
        p = self.positions
        tok = spec.tok[h]
        at = self.places.get(seen.node)
        if at is None:
            at = spec.at[h]
            self.find("NO_ORPHAN", f"request {h} locks a node that is not reachable from the root")
        if seen.cached != p.length[at]:
            text = f"request {h} locks a path of {p.length[at]} tokens, the tree owns {seen.cached} tokens of its row"
            self.find("LOCK_SPAN", text)
        s.at[h] = at
        if len(seen.slots) != p.length[tok]:
            return self.find("NO_UAF", f"request {h} has {p.length[tok]} tokens and a row of {len(seen.slots)} slots")
        whole = len(seen.slots) // p.page_size * p.page_size
        pages = self._pages(seen.slots[:whole]) + [slot // p.page_size for slot in seen.slots[whole : whole + 1]]
        level = p.level[at]
        for i, (q, page) in enumerate(zip(p.path(tok), pages, strict=False)):
            s.row[h, q] = page
            if i >= level:
                self._own(s, page, OWN, f"request {h}")
                s.holder[page] = h
        return None

    def _anonymous(self, s: State, spec: State, h: int, loan: Sequence[int]) -> None:
        """A lock or a caller's slots: the engine knows where it stands."""
        s.at[h] = spec.at[h]
        for q in self.positions.path(spec.at[h]):
            if q in s.page:
                s.row[h, q] = s.page[q]
        for q, page in zip(self.positions.path(spec.tok[h]), loan, strict=False):
            s.row[h, q] = page
            self._own(s, page, OWN, f"caller {h}")
            s.holder[page] = h

    def _heap(self, s: State, seen: Observation) -> None:
        clock, sign = self.clock, self._key_sign
        for e, entry in enumerate(seen.heap or ()):
            n = self.places.get(entry.node, NOWHERE)
            a, b = entry.key
            key = (sign * clock(sign * a) if sign else a, clock(b) if b else 0)
            s.queued.add(e)
            s.on[e] = n
            s.first[e], s.second[e] = key
            if not entry.speaks:
                continue
            other = s.entry.get(n)
            if other is None or key < (s.first[other], s.second[other]):
                s.entry[n] = e
