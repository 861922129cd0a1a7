"""The reference with wrong KV events. Without events it is a right cache: searches that fold no events find nothing."""

from collections.abc import Sequence
from functools import partial
from inspect import getdoc
from typing import Any, ClassVar

from radixcheck.reference.announcer import Announcer
from radixcheck.reference.copies import Copy
from radixcheck.reference.node import Node, slots_of
from radixcheck.reference.tiered_node import TieredNode, between
from radixcheck.spec.events.event_values import DEVICE, HOST, Event, page_id
from radixcheck.spec.values import Namespace
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.mutant import Mutant
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.reference_host_subject import EmittingHostReference, reference_host_subject
from radixcheck.verification.subjects.reference_subject import EmittingReference, reference_subject


def _made(cache: Any, right: Factory, setup: Setup) -> Any:
    return (cache.of if setup.events else right)(setup)


def event_mutant(name: str, property_: str, cache: type[EmittingReference], source: str = "") -> Mutant:
    """Return a mutant of the reference that emits: `cache` overrides one step, and its docstring says what it does wrong."""
    return Mutant(name, property_, getdoc(cache) or "", source, partial(_made, cache, reference_subject))


def host_event_mutant(name: str, property_: str, cache: type[EmittingHostReference], mode: str = "write_through") -> Mutant:
    """Return the same of the reference with a host tier."""
    return Mutant(name, property_, getdoc(cache) or "", "", partial(_made, cache, reference_host_subject), mode=mode)


class Announced(EmittingReference):
    """Its events are made by an announcer of another class."""

    kind: ClassVar[type[Announcer]] = Announcer

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._announcer = self.kind(arguments[-1], page_id, self.page_size)


class _SplitsRemove(Announcer):
    def divide(self, upper: Node, lower: Node) -> None:
        super().divide(upper, lower)
        self.remove(DEVICE, lower)


class SplitAnnouncesRemoval(Announced):
    """A split announces that the lower half is gone."""

    kind = _SplitsRemove


class _SplitsStore(Announcer):
    def divide(self, upper: Node, lower: Node) -> None:
        super().divide(upper, lower)
        self.store(DEVICE, upper)
        self.store(DEVICE, lower)


class SplitStoresAgain(Announced):
    """A split announces both halves, which are known already."""

    kind = _SplitsStore


class _RemovesLost(Announcer):
    def remove(self, medium: str, node: Node) -> None:
        """The fault: nothing is announced."""


class EvictAnnouncesNothing(Announced):
    """An eviction announces nothing."""

    kind = _RemovesLost


class _FirstStoreLost(Announcer):
    lost = False

    def store(self, medium: str, node: Node) -> None:
        events = self._events
        if not self.lost:
            self.lost, self._events = True, list[Event]()
        super().store(medium, node)
        self._events = events


class FirstEventLost(Announced):
    """The first event is lost."""

    kind = _FirstStoreLost


class _ClearsSilently(Announcer):
    def clear(self) -> None:
        self._named = {}


class ResetAnnouncesNothing(Announced):
    """A reset announces nothing."""

    kind = _ClearsSilently


class _WithoutNamespace(Announcer):
    def _ids_of(self, node: Node, namespace: Namespace, parent: int | None) -> tuple[int, ...]:
        return super()._ids_of(node, (), parent)


class IdsForgetNamespace(Announced):
    """The id of a page does not depend on its namespace."""

    kind = _WithoutNamespace


class _WithoutParent(Announcer):
    def _ids_of(self, node: Node, namespace: Namespace, parent: int | None) -> tuple[int, ...]:
        size = self._page_size
        return tuple(page_id(None, namespace, node.segment[at : at + size]) for at in range(0, len(node.segment), size))


class IdsForgetParent(Announced):
    """The id of a page depends on its own tokens alone."""

    kind = _WithoutParent


class _Numbered(Announcer):
    def _ids_of(self, node: Node, namespace: Namespace, parent: int | None) -> tuple[int, ...]:
        return tuple(slot // self._page_size for slot in slots_of(node)[-len(node.segment) :: self._page_size])


class IdsOfPagesReused(Announced):
    """The id of a page is the number of its page in the pool, which another prefix gets later."""

    kind = _Numbered


class VictimsBackwards(EmittingReference):
    """An eviction announces its victims from the last one to the first."""

    def evict(self, tokens: int) -> int:
        """The fault: the order."""
        before = len(self.sink)
        freed = super().evict(tokens)
        self.sink[before:] = reversed(self.sink[before:])
        return freed


class _Early(EmittingHostReference):
    """Copies in one direction are announced when they are issued, and not when they have arrived."""

    up: ClassVar[bool]

    def _send(self, up: bool, floor: TieredNode, end: TieredNode, sources: Sequence[int], targets: Sequence[int]) -> None:
        super()._send(up, floor, end, sources, targets)
        for node in between(floor, end) if up == self.up else ():
            self._announcer.store(DEVICE if up else HOST, node)

    def _settle(self, copy: Copy) -> None:
        known = len(self.sink)
        super()._settle(copy)
        if copy.up == self.up:
            del self.sink[known:]


class BackupAnnouncedEarly(_Early):
    """A copy to the host is announced when it is issued, and not when it has arrived."""

    up = False


class LoadAnnouncedEarly(_Early):
    """A copy to the device is announced when it is issued, and not when it has arrived."""

    up = True


class FailedBackupAnnounced(EmittingHostReference):
    """A copy to the host that has failed is announced as one that has arrived."""

    def _settle(self, copy: Copy) -> None:
        nodes = between(copy.floor, copy.end)
        super()._settle(copy)
        for node in nodes if copy.ticket.failed and not copy.up else ():
            self._announcer.store(HOST, node)


class DemotionAnnouncedFirst(EmittingHostReference):
    """What leaves the device is announced as gone before its copy to the host."""

    def _leave_device(self, leaf: TieredNode) -> None:
        before = len(self.sink)
        super()._leave_device(leaf)
        self.sink[before:] = [self.sink.pop(), *self.sink[before:]]


MUTANTS = (
    event_mutant("split_announces_removal", "EVENT_REPLAY", SplitAnnouncesRemoval),
    event_mutant("split_stores_again", "EVENT_ORDER", SplitStoresAgain),
    event_mutant("evict_announces_nothing", "EVENT_REPLAY", EvictAnnouncesNothing),
    event_mutant("first_event_lost", "EVENT_REPLAY", FirstEventLost),
    event_mutant("reset_announces_nothing", "EVENT_REPLAY", ResetAnnouncesNothing),
    event_mutant("event_ids_forget_namespace", "EVENT_ID", IdsForgetNamespace, "FB-66 FB-68"),
    event_mutant("event_ids_forget_parent", "EVENT_ID", IdsForgetParent),
    event_mutant("event_ids_reused", "EVENT_ID", IdsOfPagesReused),
    event_mutant("events_of_victims_backwards", "EVENT_PARENT", VictimsBackwards),
    host_event_mutant("backup_announced_early", "EVENT_REPLAY", BackupAnnouncedEarly),
    host_event_mutant("load_announced_early", "EVENT_REPLAY", LoadAnnouncedEarly),
    host_event_mutant("failed_backup_announced", "EVENT_REPLAY", FailedBackupAnnounced),
    host_event_mutant("demotion_announced_first", "EVENT_PARENT", DemotionAnnouncedFirst, mode="write_back"),
)
