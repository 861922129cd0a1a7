"""Faults of a cache with a host tier, planted into the reference. Each breaks the properties that it names."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from radixcheck.reference.copies import Copy
from radixcheck.reference.node import Node
from radixcheck.reference.tiered_node import TieredNode, absent, between, tokens_of
from radixcheck.reference.tree import Walk
from radixcheck.spec.values import Key, Row, Ticket, TieredMatch
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject


class ChildFirst(ReferenceHostSubject):
    """Backs up children before their parents."""

    def _back_up(self, nodes: Iterable[TieredNode]) -> int:
        return super()._back_up([*nodes][::-1])


class SettlesEarly(ReferenceHostSubject):
    """A poll handles copies that have not arrived."""

    def poll(self) -> list[Ticket]:
        settled = list(self.copies)
        for copy in settled:
            self._settle(copy)
        return [copy.ticket for copy in settled]


class SettlesLate(ReferenceHostSubject):
    """A poll handles only the oldest copy."""

    def poll(self) -> list[Ticket]:
        settled = [copy for copy in self.copies[:1] if copy.ticket.done]
        for copy in settled:
            self._settle(copy)
        return [copy.ticket for copy in settled]


@dataclass(frozen=True)
class _Arrived:
    """A ticket that always says that its copy has arrived."""

    ticket: Any
    failed: bool = False

    @property
    def done(self) -> bool:
        return bool(self.ticket.done)

    def wait(self) -> None:
        self.ticket.wait()


class IgnoresFailure(ReferenceHostSubject):
    """Takes a failed copy for one that has arrived."""

    def _settle(self, copy: Copy) -> None:
        self.copies[self.copies.index(copy)] = blind = Copy(
            copy.up, copy.floor, copy.end, copy.sources, copy.targets, _Arrived(copy.ticket)
        )
        super()._settle(blind)


class NoPins(ReferenceHostSubject):
    """A load does not pin what it reads."""

    def _load(self, end: TieredNode) -> None:
        span = absent(end)
        super()._load(end)
        for node in span:
            node.pins = 0

    def _settle(self, copy: Copy) -> None:
        if copy.up:
            for node in between(copy.floor, copy.end):
                node.pins += 1
        super()._settle(copy)


class KeepsPins(ReferenceHostSubject):
    """An acknowledged load leaves its pins."""

    def _settle(self, copy: Copy) -> None:
        super()._settle(copy)
        for node in between(copy.floor, copy.end):
            node.pins += copy.up


class UncountedDemotion(ReferenceHostSubject):
    """What leaves the device stays counted as evictable."""

    def _take_off_device(self, nodes: list[TieredNode]) -> None:
        super()._take_off_device(nodes)
        self._evictable += tokens_of(nodes)


class LeaksHost(ReferenceHostSubject):
    """A host eviction forgets to free the slots."""

    def _leave_host(self, leaf: TieredNode) -> None:
        self._unlink(leaf)


class ReleasesEarly(ReferenceHostSubject):
    """A copy lets go of its lock when it is issued."""

    def _send(self, up: bool, floor: TieredNode, end: TieredNode, sources: Any, targets: Any) -> None:
        super()._send(up, floor, end, sources, targets)
        self._unlock_path(end)

    def _settle(self, copy: Copy) -> None:
        self._lock_path(copy.end)
        super()._settle(copy)


class ReversedSources(ReferenceHostSubject):
    """A load of several pages reads them in the wrong order."""

    def _send(self, up: bool, floor: TieredNode, end: TieredNode, sources: Any, targets: Any) -> None:
        size = self.page_size
        pages = [sources[i : i + size] for i in range(0, len(sources), size)]
        super()._send(up, floor, end, [slot for page in (pages[::-1] if up else pages) for slot in page], targets)


class SharedTargets(ReferenceHostSubject):
    """A load writes the slots of the node above it."""

    def _send(self, up: bool, floor: TieredNode, end: TieredNode, sources: Any, targets: Any) -> None:
        wrong = up and len(floor.slots) >= len(targets)
        super()._send(up, floor, end, sources, floor.slots[: len(targets)] if wrong else targets)


class NoWaits(ReferenceHostSubject):
    """A row names no copies."""

    def _row(self, live: Any) -> Row[list[int]]:
        return Row(live.cached, list(live.row))


class RunsAtOnce(ReferenceHostSubject):
    """A request runs before its copies have arrived."""

    def run(self, request: int) -> None:
        self._find_request(request)


class SplitLosesHost(ReferenceHostSubject):
    """A split leaves the host slots to the upper half."""

    def _split(self, walk: Walk) -> TieredNode:
        node = super()._split(walk)
        if walk.edge is not None:
            walk.edge.host = []  # type: ignore[attr-defined]
        return node


class ForgetsHostLength(ReferenceHostSubject):
    """A match does not count what only the host has below the first node there."""

    def match(self, key: Key) -> TieredMatch[list[int]]:
        found = super().match(key)
        last = absent(found.host_node)[:1]  # type: ignore[arg-type]
        return TieredMatch(found.length, found.slots, found.node, tokens_of(last), last[0] if last else found.host_node)


class UndoesAlways(ReferenceHostSubject):
    """A failed copy is undone although something rests on it."""

    def _rests_on(self, copy: Copy, nodes: list[TieredNode]) -> bool:
        return copy.up and super()._rests_on(copy, nodes)


class AgainAlways(ReferenceHostSubject):
    """A failed copy is issued again although nothing rests on it."""

    def _rests_on(self, copy: Copy, nodes: list[TieredNode]) -> bool:
        return True


class DropsHostCopy(ReferenceHostSubject):
    """A demotion frees the host copy, too."""

    def _take_off_device(self, nodes: list[TieredNode]) -> None:
        super()._take_off_device(nodes)
        for node in nodes:
            self.host_pool.free(node.host)


class Recomputed(ReferenceHostSubject):
    """An insert frees the host's copy of what it brings to the device, and loses it."""

    def _cache(self, node: Node, *rest: Any, **more: Any) -> TieredNode:
        revived = absent(node)  # type: ignore[arg-type]
        last = super()._cache(node, *rest, **more)
        for each in revived:
            if each.host and not each.pins:
                self.host_pool.free(each.host)
                each.host = []
        return last


class OldestHostFirst(ReferenceHostSubject):
    """Host leaves are evicted in the wrong order."""

    def evict_host(self, tokens: int) -> int:
        key = self._eviction_key
        self._eviction_key = lambda node: tuple(-part for part in key(node))  # type: ignore[assignment, return-value]
        try:
            return super().evict_host(tokens)
        finally:
            self._eviction_key = key


@dataclass(frozen=True)
class Fault:
    """A faulty cache, and the properties of which it breaks one: where its inside is seen, and where it is not."""

    make: Callable[[Setup], ReferenceHostSubject]
    white: frozenset[str]
    black: frozenset[str]

    @property
    def name(self) -> str:
        """The name of the class."""
        return str(self.make.__self__.__name__)  # type: ignore[attr-defined]


def _fault(kind: type[ReferenceHostSubject], white: str, black: str) -> Fault:
    return Fault(kind.of, frozenset(white.split()), frozenset(black.split()))


FAULTS = (
    _fault(ChildFirst, "BACKUP_PARENTS", "BACKUP_PARENTS"),
    _fault(SettlesEarly, "ARRIVAL", "ARRIVAL"),
    _fault(SettlesLate, "REFINEMENT", "REFINEMENT"),
    _fault(IgnoresFailure, "ARRIVAL HOST_ARRIVAL", "HOST_PARTITION SLOT_PARTITION"),
    _fault(NoPins, "PIN_COUNT", "HOST_EXACT SOURCE"),
    _fault(KeepsPins, "PIN_COUNT", "HOST_EXACT"),
    _fault(UncountedDemotion, "COUNT", "COUNT"),
    _fault(LeaksHost, "HOST_PARTITION", "HOST_EXACT BACKUP_PARENTS"),
    _fault(ReleasesEarly, "LOCK_COUNT", "COUNT"),
    _fault(ReversedSources, "SOURCE", "SOURCE"),
    _fault(SharedTargets, "TARGET MATCH_SOUND", "TARGET EVICT_EXACT"),
    _fault(NoWaits, "ARRIVED_BEFORE_READ", "ARRIVED_BEFORE_READ"),
    _fault(RunsAtOnce, "ARRIVED_BEFORE_READ", "ARRIVED_BEFORE_READ"),
    _fault(SplitLosesHost, "HOST_PARTITION REACHABLE", "HOST_EXACT MATCH_TIERS BACKUP_PARENTS"),
    _fault(ForgetsHostLength, "MATCH_TIERS LOAD_EXACT", "MATCH_TIERS LOAD_EXACT"),
    _fault(UndoesAlways, "HOST_ARRIVAL", "HOST_ARRIVAL"),
    _fault(AgainAlways, "LOAD_EXACT BACKUP_PARENTS", "LOAD_EXACT BACKUP_PARENTS"),
    _fault(DropsHostCopy, "HOST_PARTITION", "HOST_EXACT EVICT_EXACT"),
    _fault(Recomputed, "HOST_PARTITION HOST_CLOSED", "HOST_EXACT"),
    _fault(OldestHostFirst, "HOST_ORDER HOST_ARRIVAL", "HOST_EXACT HOST_ORDER REFINEMENT"),
)
globals().update({f"served_{fault.name}": fault.make for fault in FAULTS})  # `serve.py` finds a factory by its name
