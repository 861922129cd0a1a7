"""Copies to the device: without protection, of too much or too little, counted wrongly, read too early, failed and not undone."""

from dataclasses import replace

from radixcheck.reference.cache import Request
from radixcheck.reference.copies import Copy
from radixcheck.reference.node import Node, Page
from radixcheck.reference.tiered_node import TieredNode, absent, between, deepest_resident, to_tiered, tokens_of
from radixcheck.reference.tree import Walk
from radixcheck.spec.values import Key, Namespace, Row, TieredMatch, to_key
from radixcheck.verification.mutants.host_mutant import BY_RUNS, TakesLocked, arrived, host_mutant
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject


class SteppedLoad(ReferenceHostSubject):
    """A load in steps: `_take_for` makes room, `_give` assigns the slots, then the copy is issued."""

    def _load(self, end: TieredNode) -> None:
        floor, span = deepest_resident(end), absent(end)
        if not span:
            return
        targets = self._take_for(floor, span)
        self._give(span, targets)
        self._lock_path(end)
        self._send(True, floor, end, [slot for node in span for slot in node.host], targets)

    def _take_for(self, floor: TieredNode, span: list[TieredNode]) -> list[int]:
        """Lock the floor and pin the span first: the eviction must not take what is loaded."""
        self._lock_path(floor)
        for node in span:
            node.pins += 1
        slots = self._take(tokens_of(span))
        self._unlock_path(floor)
        return slots

    def _give(self, span: list[TieredNode], slots: list[int]) -> None:
        for node in span:
            node.slots, slots = slots[: len(node.segment)], slots[len(node.segment) :]
        self._evictable += tokens_of(span)


class LoadWithoutPins(ReferenceHostSubject):
    """A load does not pin what it reads on the host."""

    def _load(self, end: TieredNode) -> None:
        span = absent(end)
        super()._load(end)
        for node in span:
            node.pins -= 1

    def _settle(self, copy: Copy) -> None:
        if copy.up:
            for node in between(copy.floor, copy.end):
                node.pins += 1
        super()._settle(copy)


class LoadPinsTooLate(SteppedLoad):
    """A load pins what it reads after it has made room, and making room may evict just that from the host."""

    def _take_for(self, floor: TieredNode, span: list[TieredNode]) -> list[int]:
        self._lock_path(floor)
        slots = self._take(tokens_of(span))
        self._unlock_path(floor)
        for node in span:
            node.pins += 1
        return slots


class LoadForgetsFloor(SteppedLoad):
    """A load does not lock the node behind which it loads before it makes room, and making room may evict just that."""

    def load_back(self, node: object) -> int:
        """The fault: what the load hangs on counts as room, too."""
        end = self._find_node(node)
        size = tokens_of(absent(end))
        if size == 0 or size > self._room(0):
            return 0
        self._load(end)
        return size

    def _take_for(self, floor: TieredNode, span: list[TieredNode]) -> list[int]:
        for node in span:
            node.pins += 1
        return self._take(tokens_of(span))


class LoadLetsGoAtOnce(ReferenceHostSubject):
    """A load counts as arrived when it is issued."""

    def _load(self, end: TieredNode) -> None:
        loads = bool(absent(end))
        super()._load(end)
        if loads:
            self._settle(self.copies[-1])


class LoadBackStopsEarly(ReferenceHostSubject):
    """A load brings the first page of what only the host has, and leaves the rest of it there."""

    def load_back(self, node: object) -> int:
        """The fault: the other pages stay where they are."""
        span = absent(self._find_node(node))
        if tokens_of(span) <= self.page_size:
            return super().load_back(node)
        first, size = span[0], self.page_size
        return super().load_back(first if len(first.segment) == size else self._split(Walk(0, first, first, size)))


class LoadTakesWhatFits(ReferenceHostSubject):
    """A load for which the device has too little room brings the first pages that fit."""

    def load_back(self, node: object) -> int:
        """The fault: neither all nor nothing."""
        tokens, span = super().load_back(node), absent(self._find_node(node))
        room = self.pool.available
        if tokens or not span or not room:
            return tokens
        first = span[0]
        fits = len(first.segment) <= room
        return super().load_back(first if fits else self._split(Walk(0, first, first, room)))


class LoadUncounted(SteppedLoad):
    """The sizes of the cache do not grow by what a load brings."""

    def _give(self, span: list[TieredNode], slots: list[int]) -> None:
        super()._give(span, slots)
        self._evictable -= tokens_of(span)


class LoadMixesSegments(SteppedLoad):
    """A load of several nodes gives the last one the first slots."""

    def _give(self, span: list[TieredNode], slots: list[int]) -> None:
        super()._give(span[::-1], slots)


class LoadAgain(SteppedLoad):
    """A load brings what is being loaded already once more, to other slots."""

    def load_back(self, node: object) -> int:
        """The fault: the slots of the first load are lost."""
        end = self._find_node(node)
        for copy in self.copies:
            if copy.up and copy.end is end and self.pool.available >= len(end.segment):
                end.slots = self.pool.alloc(len(end.segment))
                return len(end.segment)
        return super().load_back(node)


class LoadCountsHit(ReferenceHostSubject):
    """A load counts one hit for what it brings."""

    def _load(self, end: TieredNode) -> None:
        super()._load(end)
        self._touch(end, hits=1)


class AckLoadKeepsPins(ReferenceHostSubject):
    """The acknowledgement of a load leaves its pins behind."""

    def _settle(self, copy: Copy) -> None:
        super()._settle(copy)
        if copy.up and copy not in self.copies:
            for node in between(copy.floor, copy.end):
                node.pins += 1


class FailedLoadStays(ReferenceHostSubject):
    """A load that has failed counts as arrived."""

    def _settle(self, copy: Copy) -> None:
        super()._settle(arrived(self, copy) if copy.up else copy)


class FailedLoadUnderReader(TakesLocked):
    """A load that has failed is undone although another request reads its slots."""

    def _rests_on(self, copy: Copy, nodes: list[TieredNode]) -> bool:
        return not copy.up and super()._rests_on(copy, nodes)


class RunBeforeArrival(ReferenceHostSubject):
    """A request may read its row while a copy is still filling slots of it."""

    def run(self, request: int) -> None:
        """The fault: nothing is waited for."""
        self._find_request(request)


class RowWaitsForFirstLoad(ReferenceHostSubject):
    """A request waits for the first of the loads that fill its row, and not for the others."""

    def _row(self, live: Request) -> Row[list[int]]:
        row = super()._row(live)
        return replace(row, waits=row.waits[:1])


class RowWaitsForOwnLoad(ReferenceHostSubject):
    """A request waits for a load that ends where its lock is, and not for those of others above it."""

    def _row(self, live: Request) -> Row[list[int]]:
        waits = tuple(copy.ticket for copy in self.copies if copy.up and copy.end is live.node)
        return replace(super()._row(live), waits=waits)


class MatchStopsInsideHosted(ReferenceHostSubject):
    """A match that ends inside a node which only the host has stops at its parent, instead of splitting it."""

    def match(self, key: Key) -> TieredMatch[list[int]]:
        """The fault: tokens that the host has are not found."""
        key = to_key(key)
        walk = self._walk(key.tokens, key.namespace)
        if walk.edge is not None and not walk.edge.slots:
            key = Key(key.tokens[: walk.length - walk.inside], key.namespace)
        return super().match(key)


class MatchForgetsHostPart(ReferenceHostSubject):
    """A match finds nothing behind what the device has."""

    def match(self, key: Key) -> TieredMatch[list[int]]:
        """The fault: the host is asked for nothing."""
        found = super().match(key)
        return TieredMatch(found.length, found.slots, found.node, 0, found.node)


class InsertSkipsHosted(ReferenceHostSubject):
    """An insert leaves nodes that only the host has without device slots; those that the caller gave for them are lost."""

    def _cache(self, node: Node, namespace: Namespace, tokens: Page, slots: list[int], hits: int, priority: int) -> TieredNode:
        skipped = absent(to_tiered(node))
        last = super()._cache(node, namespace, tokens, slots, hits, priority)
        for hosted in skipped:
            self._evictable -= 0 if hosted.lock else len(hosted.segment)
            self._protected -= len(hosted.segment) if hosted.lock else 0
            hosted.slots = []
        return last


class ReviveUncounted(ReferenceHostSubject):
    """An insert that gives its slots to nodes which only the host has does not count them."""

    def _cache(self, node: Node, namespace: Namespace, tokens: Page, slots: list[int], hits: int, priority: int) -> TieredNode:
        self._evictable -= tokens_of(absent(to_tiered(node)))
        return super()._cache(node, namespace, tokens, slots, hits, priority)


MUTANTS = (
    host_mutant("load_without_pins", "PIN_COUNT", LoadWithoutPins),
    host_mutant("load_pins_too_late", "REFINEMENT", LoadPinsTooLate, mode="write_back", directed=BY_RUNS),
    host_mutant("load_forgets_floor", "DEVICE_CLOSED", LoadForgetsFloor, policy="fifo", directed=BY_RUNS),
    host_mutant("load_lets_go_at_once", "ARRIVAL", LoadLetsGoAtOnce),
    host_mutant("load_back_stops_early", "LOAD_EXACT", LoadBackStopsEarly, directed=BY_RUNS),
    host_mutant("load_takes_what_fits", "LOAD_EXACT", LoadTakesWhatFits, directed=BY_RUNS),
    host_mutant("load_uncounted", "COUNT", LoadUncounted),
    host_mutant("load_mixes_segments", "MATCH_SOUND", LoadMixesSegments, directed=BY_RUNS),
    host_mutant("load_again", "SLOT_PARTITION", LoadAgain),
    host_mutant("load_counts_hit", "FREQ", LoadCountsHit),
    host_mutant("ack_load_keeps_pins", "PIN_COUNT", AckLoadKeepsPins),
    host_mutant("failed_load_stays", "ARRIVAL", FailedLoadStays, directed=BY_RUNS),
    host_mutant("failed_load_under_reader", "NO_UAF", FailedLoadUnderReader, directed=BY_RUNS),
    host_mutant("run_before_arrival", "ARRIVED_BEFORE_READ", RunBeforeArrival, directed=BY_RUNS),
    host_mutant("row_waits_for_first_load", "ARRIVED_BEFORE_READ", RowWaitsForFirstLoad, directed=BY_RUNS),
    host_mutant("row_waits_for_own_load", "ARRIVED_BEFORE_READ", RowWaitsForOwnLoad, directed=BY_RUNS),
    host_mutant("match_stops_inside_hosted", "MATCH_TIERS", MatchStopsInsideHosted, "FB-04", directed=BY_RUNS),
    host_mutant("match_forgets_host_part", "MATCH_TIERS", MatchForgetsHostPart),
    host_mutant("insert_skips_hosted", "SLOT_PARTITION", InsertSkipsHosted),
    host_mutant("revive_uncounted", "COUNT", ReviveUncounted),
)
