"""Caches with a host tier that choose otherwise than the specification, each with the name of its choice, and some that choose wrongly."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from radixcheck.reference.copies import Copy
from radixcheck.reference.node import below
from radixcheck.reference.tiered_node import TieredNode, between
from radixcheck.reference.tree import Walk
from radixcheck.spec.run.host_choices import COPIES, DROPS, IN_VAIN, SPLIT_TIMES, WHOLE
from radixcheck.spec.values import Sizes, Ticket
from radixcheck.verification.core.choices import POLL_BATCHES, POLL_ORDER
from radixcheck.verification.operations import FAIL
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject


class Handling(ReferenceHostSubject):
    """A poll handles some of the copies that are done."""

    def chosen(self) -> Iterator[Copy]:
        raise NotImplementedError

    def poll(self) -> list[Ticket]:
        chosen = [*self.chosen()]
        for copy in chosen:
            self._settle(copy)
        return [copy.ticket for copy in chosen]


class HeadsOnly(Handling):
    """Of each direction those before the first that is not done."""

    def chosen(self) -> Iterator[Copy]:
        blocked = set[bool]()
        for copy in self.copies:
            blocked |= set() if copy.ticket.done else {copy.up}
            if copy.up not in blocked:
                yield copy


class OneHead(Handling):
    """Those before the first that is not done, of both directions together."""

    def chosen(self) -> Iterator[Copy]:
        for copy in self.copies:
            if not copy.ticket.done:
                return
            yield copy


class Batched(Handling):
    """All of one call and direction, or none of them. Its sizes are asked for between two calls."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.calls = 0
        self.batch: dict[Copy, tuple[bool, int]] = {}

    def sizes(self) -> Sizes:
        self.calls += 1
        return super().sizes()

    def _send(self, up: bool, *others: Any) -> None:
        super()._send(up, *others)
        self.batch[self.copies[-1]] = (up, self.calls)

    def chosen(self) -> Iterator[Copy]:
        waiting = {self.batch[copy] for copy in self.copies if not copy.ticket.done}
        return (copy for copy in self.copies if self.batch[copy] not in waiting)


class HeadBatches(Batched):
    """Of each direction the calls before the first of which a copy is not done, as SGLang 0.5.23."""

    def chosen(self) -> Iterator[Copy]:
        waiting = {self.batch[copy] for copy in self.copies if not copy.ticket.done}
        blocked = set[bool]()
        for copy in self.copies:
            blocked |= {copy.up} if self.batch[copy] in waiting else set()
            if copy.up not in blocked:
                yield copy


class HandlesLate(Handling):
    """Leaves the last copy that is done."""

    def chosen(self) -> Iterator[Copy]:
        return iter([copy for copy in self.copies if copy.ticket.done][:-1])


class Drops(ReferenceHostSubject):
    """Drops host copies of what the device has, before it evicts on the host."""

    def droppable(self) -> list[TieredNode]:
        busy = {node for copy in self.copies for node in between(copy.floor, copy.end)}
        nodes = [node for node in below(self.root) if isinstance(node, TieredNode)]
        return [node for node in nodes if node.slots and node.host and not node.pins and node not in busy]

    def enough(self, freed: int, wanted: int) -> bool:
        return freed >= wanted

    def evict_host(self, tokens: int) -> int:
        freed = 0
        for node in self.droppable() if self.mode == "write_back" else ():
            if self.enough(freed, tokens):
                break
            self.host_pool.free(node.host)
            freed += len(node.host)
            node.host = []
        return freed + super().evict_host(max(0, tokens - freed))

    def _make_host_room(self, needed: int) -> bool:
        alone = [node for node in below(self.root) if isinstance(node, TieredNode) and not node.slots and not node.pins]
        dropped = self.droppable() if self.mode == "write_back" else []
        shortfall = needed - self.host_pool.available
        if 0 < shortfall <= sum(len(node.segment) for node in (*alone, *dropped)):
            self.evict_host(shortfall)
        return needed <= self.host_pool.available


class DropsTooMuch(Drops):
    """Drops every host copy that it can."""

    def enough(self, freed: int, wanted: int) -> bool:
        return wanted == 0


class DropsRead(Drops):
    """Drops what a load reads, too."""

    def droppable(self) -> list[TieredNode]:
        return [node for node in below(self.root) if isinstance(node, TieredNode) and node.slots and node.host]


class EvictsInVain(ReferenceHostSubject):
    """Evicts on the host before it knows whether that is enough."""

    def _make_host_room(self, needed: int) -> bool:
        self.evict_host(max(0, needed - self.host_pool.available))
        return needed <= self.host_pool.available


class EvictsWhole(ReferenceHostSubject):
    """Evicts for a whole copy, where less would be enough."""

    needed = 0

    def evict_host(self, tokens: int) -> int:
        return super().evict_host(self.needed or tokens)

    def _make_host_room(self, needed: int) -> bool:
        self.needed = needed
        try:
            return super()._make_host_room(needed)
        finally:
            self.needed = 0


class CopiesAtMatch(ReferenceHostSubject):
    """Under write-through it backs up what a match finds on the device, whatever its hits. No caller asks it for more."""

    supports = replace(ReferenceHostSubject.supports, without=frozenset({"backup"}))

    def in_order(self, nodes: list[TieredNode]) -> list[TieredNode]:
        return nodes

    def match(self, key: Any) -> Any:
        found: Any = super().match(key)
        if self.mode != "write_back":
            self._back_up(self.in_order(between(self.root, found.node)))
        return found


class CopiesInVain(CopiesAtMatch, EvictsInVain):
    """The same, also where the host has no room."""


class CopiesChildFirst(CopiesAtMatch):
    """Backs up what is deepest first."""

    def in_order(self, nodes: list[TieredNode]) -> list[TieredNode]:
        return nodes[::-1]


class RefreshesSplit(ReferenceHostSubject):
    """A split gives the part behind it a new time."""

    def _split(self, walk: Walk) -> TieredNode:
        node = super()._split(walk)
        if walk.edge is not None:
            self.now += 1
            walk.edge.time = self.now
        return node


class RefreshesLate(ReferenceHostSubject):
    """A match gives the part behind its end the time of what was used, or a later one."""

    def match(self, key: Any) -> Any:
        found = super().match(key)
        for child in list(found.host_node.children.values())[:1]:  # type: ignore[attr-defined]
            self.now += 1
            child.time = self.now
        return found


class NeverFails(ReferenceHostSubject):
    """Its engine knows no copy that fails."""

    supports = replace(ReferenceHostSubject.supports, without=frozenset({FAIL}))

    def _settle(self, copy: Copy) -> None:
        assert not copy.ticket.failed, "a copy has failed"
        super()._settle(copy)


@dataclass(frozen=True)
class Chooser:
    """A cache, what it declares, and what is refuted where it does not declare it."""

    make: type[ReferenceHostSubject]
    choices: tuple[str, ...]
    properties: frozenset[str]

    @property
    def name(self) -> str:
        return self.make.__name__

    def declaring(self, *choices: str) -> Callable[[Setup], ReferenceHostSubject]:
        """The cache, with these choices declared."""
        supports = replace(self.make.supports, choices=dict.fromkeys(choices, "it is how it was built"))
        return type(self.make.__name__, (self.make,), {"supports": supports}).of  # type: ignore[attr-defined, no-any-return]


def _chooser(make: type[ReferenceHostSubject], choices: tuple[str, ...], properties: str) -> Chooser:
    return Chooser(make, choices, frozenset(properties.split()))


_OF_HOST = "HOST_EXACT HOST_ORDER HOST_PARTITION"  # what other evictions on the host break
CHOOSERS = (
    _chooser(HeadsOnly, (POLL_ORDER,), "REFINEMENT"),
    _chooser(Batched, (POLL_BATCHES,), "REFINEMENT"),
    _chooser(HeadBatches, (POLL_ORDER, POLL_BATCHES), "REFINEMENT"),
    _chooser(Drops, (DROPS,), _OF_HOST),
    _chooser(EvictsInVain, (IN_VAIN,), _OF_HOST),
    _chooser(EvictsWhole, (WHOLE,), _OF_HOST),
    _chooser(CopiesAtMatch, (COPIES,), "BACKUP_PARENTS"),
    _chooser(CopiesInVain, (COPIES, IN_VAIN), "BACKUP_PARENTS"),
    _chooser(RefreshesSplit, (SPLIT_TIMES,), "RECENCY ORDER HOST_ORDER"),
)
WRONG = (  # what they declare does not explain what they do
    _chooser(OneHead, (POLL_ORDER,), "REFINEMENT"),
    _chooser(HandlesLate, (POLL_ORDER, POLL_BATCHES), "REFINEMENT"),
    _chooser(HeadsOnly, (POLL_BATCHES,), "REFINEMENT"),
    _chooser(HeadBatches, (POLL_BATCHES,), "REFINEMENT"),
    _chooser(DropsTooMuch, (DROPS,), _OF_HOST),
    _chooser(DropsRead, (DROPS,), f"{_OF_HOST} SOURCE TARGET BACKUP_PARENTS"),
    _chooser(Drops, (IN_VAIN, WHOLE), _OF_HOST),
    _chooser(EvictsInVain, (DROPS, WHOLE), _OF_HOST),
    _chooser(EvictsWhole, (IN_VAIN,), _OF_HOST),
    _chooser(CopiesChildFirst, (COPIES,), "BACKUP_PARENTS"),
    _chooser(CopiesInVain, (COPIES,), _OF_HOST),
    _chooser(RefreshesLate, (SPLIT_TIMES,), "RECENCY ORDER HOST_ORDER"),
    _chooser(ReferenceHostSubject, (SPLIT_TIMES,), "RECENCY ORDER HOST_ORDER"),
    _chooser(ReferenceHostSubject, (IN_VAIN,), _OF_HOST),
    _chooser(ReferenceHostSubject, (WHOLE,), _OF_HOST),
)
