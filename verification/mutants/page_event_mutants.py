"""The optimized cache with wrong KV events. Without events it is a right cache: searches that fold no events find nothing."""

from functools import partial
from inspect import getdoc
from typing import Any, TypeVar, cast

from torch import Tensor

from radixcheck.optimized.memory import Memory
from radixcheck.optimized.node import ChildKey, Node
from radixcheck.optimized.page_events import Announcer, EmittingTree
from radixcheck.optimized.tier_events import EmittingTieredMemory, EmittingTieredTree
from radixcheck.optimized.tier_node import TierCopy, TieredNode
from radixcheck.spec.events.event_values import DEVICE, HOST, Event, page_id
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.host_mutant import BY_RUNS
from radixcheck.verification.mutants.mutant import Mutant
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.optimized_host_subject import EmittingHostOptimized, optimized_host_subject
from radixcheck.verification.subjects.optimized_subject import EmittingOptimized, optimized_subject

Part = TypeVar("Part", bound=type)


class RebuiltEvents(EmittingOptimized):
    """The cache, in which `part` replaces the class that it is derived from."""

    def __init__(self, setup: Setup, part: type = object) -> None:
        self._part = part
        super().__init__(setup)

    def _chosen(self, default: Part) -> Part:
        return cast(Part, self._part) if issubclass(self._part, default) else default

    def _make_memory(self, policy: str) -> Memory:
        announcer = self._chosen(Announcer)(self.sink, page_id, self.page_size)
        return Memory(self._chosen(EmittingTree)(self.page_size, policy, self.pool.device, announcer), self.pool)


class RebuiltHostEvents(EmittingHostOptimized):
    """The same with a host tier."""

    def __init__(self, setup: Setup, part: type = object) -> None:
        self._part = part
        super().__init__(setup)

    def _chosen(self, default: Part) -> Part:
        return cast(Part, self._part) if issubclass(self._part, default) else default

    def _make_memory(self, policy: str) -> EmittingTieredMemory:
        announcer = self._chosen(Announcer)(self.sink, page_id, self.page_size)
        tree = self._chosen(EmittingTieredTree)(self.page_size, policy, self.pool.device, announcer)
        return self._chosen(EmittingTieredMemory)(tree, self.pool, self.host_pool, self.copier, self.mode)


def _made(cache: Any, right: Factory, part: type, setup: Setup) -> Any:
    return cache(setup, part) if setup.events else right(setup)


def rebuilt_events(name: str, property_: str, part: type, mode: str = "", directed: str = "") -> Mutant:
    """Return a mutant of the optimized cache that emits: `part` is a wrong class of one of its parts. `mode`: of its host tier."""
    cache, right = (RebuiltHostEvents, optimized_host_subject) if mode else (RebuiltEvents, optimized_subject)
    return Mutant(name, property_, getdoc(part) or "", "", partial(_made, cache, right, part), directed=directed, mode=mode)


class SplitSwapsIds(Announcer):
    """A split gives the ids of the upper half to the lower one, and the other way round."""

    def divide(self, upper: Node, lower: Node) -> None:
        """The fault: the wrong end of the ids."""
        namespace, ids = self._named[lower]
        pages = lower.size // self._page_size
        self._named[upper], self._named[lower] = (namespace, ids[pages:]), (namespace, ids[:pages])


class SplitKeepsIdsTwice(Announcer):
    """The lower half of a split keeps the ids of the whole, so that those of the upper half are announced as gone twice."""

    def divide(self, upper: Node, lower: Node) -> None:
        """The fault: the lower half keeps the ids of the whole."""
        namespace, ids = self._named[lower]
        self._named[upper] = (namespace, ids[: upper.size // self._page_size])


class StoreAnnouncesLeafOnly(EmittingTieredTree):
    """Of the nodes that an insert brings back to the device, none is announced: only a new leaf is."""

    def store(self, path: list[Node], link: ChildKey, segment: bytes, slots: Tensor, hits: int, priority: int, holders: int) -> None:
        """The fault: what was revived is left out."""
        announcer, length = self.announcer, len(path)
        super(EmittingTieredTree, self).store(path, link, segment, slots, hits, priority, holders)
        for node in path[length:]:
            announcer.store(DEVICE, node)


class VictimsNotAnnounced(EmittingTieredTree):
    """A node that leaves the device and stays on the host is not announced."""

    def demote(self, leaf: TieredNode) -> None:
        """The fault: it is not in the list of victims."""
        super(EmittingTieredTree, self).demote(leaf)


class EveryCopyAnnounced(EmittingTieredMemory):
    """A copy is announced when a poll has handled it, whether it has arrived or failed."""

    def _settle(self, copy: TierCopy, failed: bool) -> None:
        nodes = copy.nodes()[::-1]
        super(EmittingTieredMemory, self)._settle(copy, failed)
        for node in nodes:
            self._announcer.store(DEVICE if copy.up else HOST, node)


class HostVictimsBackwards(EmittingTieredMemory):
    """An eviction on the host announces its victims from the last one to the first."""

    def evict_host(self, tokens: int) -> int:
        """The fault: the order."""
        announcer, made = self._announcer, list[Event]()
        assert isinstance(announcer, Announcer), "it has the sink"
        append, announcer._append = announcer._append, made.append
        freed = super().evict_host(tokens)
        announcer._append = append
        for event in reversed(made):
            append(event)
        return freed


class WrittenVictimsUnknown(EmittingTieredMemory):
    """Under write-back what is copied to the host in an eviction is announced as gone from the device, and not as stored on the host."""

    def _await_written(self) -> None:
        announcer, victims = self._announcer, self.tree.left
        self.tree.left = []
        for victim in victims:
            announcer.remove(DEVICE, victim)
        super(EmittingTieredMemory, self)._await_written()


MUTANTS = (
    rebuilt_events("split_swaps_ids", "EVENT_PARENT", SplitSwapsIds),
    rebuilt_events("split_keeps_ids_twice", "EVENT_REPLAY", SplitKeepsIdsTwice),
    rebuilt_events("revival_announces_nothing", "EVENT_REPLAY", StoreAnnouncesLeafOnly, mode="write_through"),
    rebuilt_events("demotion_announces_nothing", "EVENT_REPLAY", VictimsNotAnnounced, mode="write_through"),
    rebuilt_events("host_victims_backwards", "EVENT_PARENT", HostVictimsBackwards, mode="write_through", directed=BY_RUNS),
    rebuilt_events("failed_copies_announced", "EVENT_REPLAY", EveryCopyAnnounced, mode="write_through"),
    rebuilt_events("written_victims_unknown", "EVENT_REPLAY", WrittenVictimsUnknown, mode="write_back"),
)
