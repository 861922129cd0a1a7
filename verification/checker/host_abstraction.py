"""The abstraction of a cache with a host tier: nodes on either tier, copies in flight, and what has arrived.

A copy is a holder of the specification. One that the cache shows is the specification's copy to the same targets. A page of the tree is
filled if no copy that the cache shows writes it; whether its tokens have arrived, the pools know.
"""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from radixcheck.spec.host.host_signature import DOWN, IDLE, UP
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE, LOST, TREE
from radixcheck.spec.values import Sizes
from radixcheck.verification.checker.abstraction import Abstraction
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.printable import value_text
from radixcheck.verification.core.short_text import counted
from radixcheck.verification.core.tier_pool import HostPool, TierPool
from radixcheck.verification.core.watched_copier import Contents
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.operations import listed
from radixcheck.verification.protocol import Observation, SeenCopy, SeenNode


class SeenSpan(NamedTuple):
    """A copy that the cache shows, in pages."""

    copy: SeenCopy
    sources: list[int]
    targets: list[int]


class HostAbstraction(Abstraction):
    """Builds states of two tiers."""

    def __init__(self, positions: Positions, pool: TierPool, policy: str, contents: Contents, host_pool: HostPool) -> None:
        super().__init__(positions, pool, policy, contents.device)
        self.host_written = contents.host
        self.tier_pool, self.host_pool = pool, host_pool
        self.host_available = 0  # that the cache reports
        self._spans: list[SeenSpan] = []  # of this observation, those that are no copy of the specification so far

    def state(self, seen: Observation, sizes: Sizes, spec: State, loans: Mapping[int, Sequence[int]], locks: Set[int]) -> HostState:
        """Return the abstract state."""
        self._spans = [self._span(copy) for copy in seen.copies]
        coming = {up: {page for span in self._spans if span.copy.up == up for page in span.targets} for up in (True, False)}
        s = super().state(seen, sizes, spec, loans, locks)
        assert isinstance(s, HostState)
        assert isinstance(spec, HostState)
        for span in self._spans:
            self.find("REFINEMENT", f"the cache shows a copy {_way(span.copy.up)} in flight to pages {span.targets}, which must not be")
        self._fill(s, spec, coming)
        return s

    def _span(self, copy: SeenCopy) -> SeenSpan:
        source, target = (self.host_pool, self.pool) if copy.up else (self.pool, self.host_pool)
        return SeenSpan(copy, self._pages_in(source, copy.sources), self._pages_in(target, copy.targets))

    def _pages(self, slots: Sequence[int]) -> list[int]:
        return self._pages_in(self.pool, slots)

    def _pages_in(self, pool: WatchedPool, slots: Sequence[int]) -> list[int]:
        found = len(pool.findings)
        pages = pool.pages(slots)
        self.findings += pool.findings[found:]
        del pool.findings[found:]
        return pages

    def _blank(self, s: State, spec: State, sizes: Sizes) -> None:
        super()._blank(s, spec, sizes)
        assert isinstance(s, HostState)
        assert isinstance(spec, HostState)
        s.gaps, s.host_capacity, s.host_available = spec.gaps, spec.host_capacity, self.host_available
        s.resident, s.hosted, s.filled, s.host_filled, s.running = set(), set(), set(), set(), set(spec.running)
        s.host_page, s.host_holder, s.host_content, s.host_row, s.pins, s.children = {}, {}, {}, {}, {}, {}
        s.stage, s.floor, s.aim, s.reserved = dict.fromkeys(spec.stage, IDLE), {}, {}, {}
        s.host_owner = [LOST if out else FREE for out in self.host_pool.out]

    def _has_slots(self, n: SeenNode, segment: Sequence[int]) -> bool:
        """Whether a node has one slot for each token on each tier that has it."""
        for tier, slots in (("device", n.slots), ("host", n.host_slots)):
            if len(slots) not in (0, len(segment)):
                has = f"the node with the segment {listed(segment)} has {len(slots)} slots on the {tier}"
                self.find("UNIFORM", f"{has}, expected {len(segment)} or none")
                return False
        if not len(n.slots) and not len(n.host_slots):
            self.find("REACHABLE", f"the node with the segment {listed(segment)} is in the tree, but has slots on no tier")
        return True

    def _add_node(self, s: State, n: SeenNode, above: int, chain: Sequence[int]) -> None:
        super()._add_node(s, n, above, chain)
        assert isinstance(s, HostState)
        s.children.setdefault(above, set()).add(chain[-1])
        s.pins[chain[-1]] = n.pins

    def _add_slots(self, s: State, n: SeenNode, chain: Sequence[int]) -> None:
        assert isinstance(s, HostState)
        super()._add_slots(s, n, chain)
        s.end.update(dict.fromkeys(chain, chain[-1]))
        if len(n.slots):
            s.resident.update(chain)
        for q, page in zip(chain, self._pages_in(self.host_pool, n.host_slots), strict=False):
            s.hosted.add(q)
            s.host_page[q] = page
            self._own_host(s, page)

    def _own_host(self, s: HostState, page: int) -> None:
        before = s.host_owner[page]
        if before != LOST:
            wrong = "is free" if before == FREE else "is in the tree at another place, too"
            self.find("HOST_PARTITION", f"the tree uses host page {page}, which {wrong}")
        s.host_owner[page] = TREE
        s.host_content[page] = self.host_written.get(page, EPS)

    def _no_request(self, s: State, spec: State, h: int, loans: Mapping[int, Sequence[int]], locks: Set[int]) -> None:
        assert isinstance(s, HostState)
        assert isinstance(spec, HostState)
        stage = spec.stage.get(h, IDLE)
        if stage == IDLE:
            return super()._no_request(s, spec, h, loans, locks)
        if stage not in (UP, DOWN):  # the specification has diverged while it prepared a copy
            return super()._anonymous(s, spec, h, ())
        up, targets = copy_of(spec, h)
        found = next((span for span in self._spans if span.copy.up == up and span.targets == targets), None)
        if found is None:
            self.find("REFINEMENT", f"the cache shows no copy {_way(up)} in flight to pages {targets}, which must be")
            return super()._anonymous(s, spec, h, ())
        self._spans.remove(found)
        return self._copy(s, h, found)

    def _copy(self, s: HostState, h: int, span: SeenSpan) -> None:
        """Add a copy in flight."""
        p, up = self.positions, span.copy.up
        floor, aim = self.places.get(span.copy.floor), self.places.get(span.copy.aim)
        if floor is None or aim is None:
            name = value_text(span.copy.aim if aim is None else span.copy.floor)
            return self.find("SPAN", f"a copy {_way(up)} copies between nodes of which {name} is not in the tree")
        positions = p.between(floor, aim)
        if not len(positions) == len(span.sources) == len(span.targets):
            text = f"a copy {_way(up)} copies {counted(len(positions), 'page')} of a path, but has"
            self.find("SPAN", f"{text} {counted(len(span.sources), 'source')} and {counted(len(span.targets), 'target')}")
        s.stage[h], s.floor[h], s.aim[h], s.at[h], s.tok[h] = (UP if up else DOWN), floor, aim, aim, aim
        if not up:
            s.reserved[h] = aim
        s.row.update(((h, q), s.page[q]) for q in p.path(floor) if q in s.page)
        on_device, on_host = (span.targets, span.sources) if up else (span.sources, span.targets)
        s.row.update(((h, q), page) for q, page in zip(positions, on_device, strict=False))
        s.host_row.update(((h, q), page) for q, page in zip(positions, on_host, strict=False))
        (s.holder if up else s.host_holder).update(dict.fromkeys(span.targets, h))
        return None

    def _fill(self, s: HostState, spec: HostState, coming: Mapping[bool, Set[int]]) -> None:
        """Every page that is not free is filled, but for those that a copy which the cache shows writes; no other may still be empty."""
        used = {page for page, owner in enumerate(s.owner) if owner not in (FREE, LOST)}
        stale = {page for page in spec.filled if page not in used}  # the specification does not forget it of every page that becomes free
        s.filled = used - coming[True] | stale
        s.host_filled = {page for page, owner in enumerate(s.host_owner) if owner == TREE} - coming[False]
        for id_, pool, filled in (("ARRIVAL", self.tier_pool, s.filled), ("HOST_ARRIVAL", self.host_pool, s.host_filled)):
            empty = sorted(pool.unfilled & filled)
            if empty:
                text = f"{pool.what} {empty[0]} is in the tree, its copy has not arrived, and the cache shows no copy in flight to it"
                self.findings.append(Violation(id_, text))


def copy_of(spec: HostState, h: int) -> tuple[bool, list[int]]:
    """Return whether a copy in flight goes up, and its target pages."""
    up = spec.stage[h] == UP
    row = spec.row if up else spec.host_row
    return up, [row[h, q] for q in spec.positions.between(spec.floor[h], spec.aim[h])]


def _way(up: bool) -> str:
    return "to the device" if up else "to the host"
