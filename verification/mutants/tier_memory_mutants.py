"""The optimized cache with a host tier and wrong copies: their order, their locks and pins, what a failure undoes, what a row waits for."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import cast

from radixcheck.optimized.node import Node
from radixcheck.optimized.tier_memory import TieredMemory
from radixcheck.optimized.tier_node import TierCopy, TieredNode
from radixcheck.optimized.tiered_cache import TieredRequests
from radixcheck.spec.values import Ticket
from radixcheck.verification.mutants.host_mutant import BY_RUNS
from radixcheck.verification.mutants.rebuilt_host import rebuilt_host


def _is_not_hosted(node: Node) -> bool:
    return cast(TieredNode, node).host is None


class BackupAssumesHostClosed(TieredMemory):
    """Under write-back, too, a backup begins behind what the host has of the path, as if that came first on it."""

    def back_up(self, path: Sequence[Node]) -> int:
        """The fault: the mode is not asked for."""
        issued = 0
        for i in range(bisect_left(path, True, key=_is_not_hosted), len(path)):
            if not self._back_up(path[: i + 1]):
                break
            issued += path[i].size
        return issued


class BackupsFromBelow(TieredMemory):
    """The nodes of a path are copied to the host from the last one upwards."""

    def back_up_used(self, path: Sequence[Node]) -> None:
        """The fault: the order."""
        threshold = self._threshold
        for i in reversed(range(len(path) if threshold is not None else 0)):
            if _is_not_hosted(path[i]) and path[i].hits >= (threshold or 0) and not self._back_up(path[: i + 1]):
                return


class BackupsGoOn(TieredMemory):
    """A backup for which the host has no room is skipped, and what lies behind it on the path is copied."""

    def back_up_used(self, path: Sequence[Node]) -> None:
        """The fault: it does not stop."""
        threshold = self._threshold
        for i in range(len(path) if threshold is not None else 0):
            if _is_not_hosted(path[i]) and path[i].hits >= (threshold or 0):
                self._back_up(path[: i + 1])


class CopyUnlocksAtOnce(TieredMemory):
    """A backup lets go of its path at its issue."""

    def _back_up(self, path: Sequence[Node]) -> bool:
        issued = super()._back_up(path)
        if issued:
            self.tree.unlock_path(path[-1])
        return issued


class LoadPinsNothing(TieredMemory):
    """What a load reads on the host is not pinned."""

    def load(self, path: Sequence[Node]) -> None:
        """The fault: the pins are taken off at the issue."""
        super().load(path)
        for node in path:
            cast(TieredNode, node).filling = None


class AckKeepsPins(TieredMemory):
    """What a load has read stays pinned when it has arrived."""

    def _settle_load(self, copy: TierCopy, failed: bool) -> None:
        nodes = copy.nodes()
        super()._settle_load(copy, failed)
        for node in nodes if not failed else ():
            node.filling = copy


class FailedLoadKeepsPages(TieredMemory):
    """The slots that a failed load was to fill are never free again."""

    def _settle_load(self, copy: TierCopy, failed: bool) -> None:
        if failed:
            kept = copy.targets
            copy.targets = kept[:0]
            super()._settle_load(copy, failed)
            copy.targets = kept
        else:
            super()._settle_load(copy, failed)


class FailedLoadUndoneAlways(TieredMemory):
    """A load that has failed is undone although a request rests on what it was to fill."""

    def _settle_load(self, copy: TierCopy, failed: bool) -> None:
        if failed and not copy.nodes()[0].resident_children:
            for node in copy.nodes():
                node.local_lock_ref = 1
        super()._settle_load(copy, failed)


class FailedBackupKeepsTensor(TieredMemory):
    """A node whose backup has failed keeps the slots on the host, which are freed."""

    def _settle(self, copy: TierCopy, failed: bool) -> None:
        hosts = [(node, node.host) for node in copy.nodes()]
        super()._settle(copy, failed)
        for node, host in hosts if failed and not copy.up else ():
            node.host = host


class FailedBackupUnderHosted(TieredMemory):
    """A backup that has failed is undone although the host has what is behind it."""

    def _hosted_behind(self, copy: TierCopy) -> bool:
        return False


class VictimsNotAwaited(TieredMemory):
    """Under write-back the slots of victims are freed while their copies to the host are in flight."""

    def _await_written(self) -> None:
        self._written.clear()


class HostRoomInVain(TieredMemory):
    """A backup evicts from the host although that will not be enough."""

    def _make_host_room(self, needed: int) -> bool:
        if needed > self.host_pool.available:
            self.evict_host(needed - self.host_pool.available)
        return needed <= self.host_pool.available


class HostRoomForAll(TieredMemory):
    """A backup evicts from the host as much as it needs, and not only what is missing."""

    def _make_host_room(self, needed: int) -> bool:
        if self.host_pool.available < needed <= self.tree.host_evictable:
            self.evict_host(needed)
        return super()._make_host_room(needed)


class PollTakesOldest(TieredMemory):
    """A poll acknowledges copies in the order of their issue, up to the first that is not done."""

    def poll(self) -> list[Ticket]:
        """The fault: what is done behind that one waits."""
        copies = self.copies
        due = next((i for i, copy in enumerate(copies) if copy.ticket is None or not copy.ticket.done), len(copies))
        self.copies, waiting = copies[:due], copies[due:]
        handled = super().poll()
        self.copies = [*waiting, *self.copies]
        return handled


class WaitsForFirst(TieredRequests):
    """A row names the first of the loads that fill its slots."""

    def _waits(self, request: int) -> tuple[Ticket, ...]:
        return super()._waits(request)[:1]


class WaitsForNothing(TieredRequests):
    """A row names no load, and the request runs at once."""

    def _waits(self, request: int) -> tuple[Ticket, ...]:
        return super()._waits(request)[:0]


MUTANTS = (
    rebuilt_host("backup_assumes_host_closed", "BACKUP_PARENTS", BackupAssumesHostClosed, mode="write_back"),
    rebuilt_host("backups_from_below", "BACKUP_PARENTS", BackupsFromBelow, "FB-57"),
    rebuilt_host("backups_go_on", "BACKUP_PARENTS", BackupsGoOn, "FB-57", directed=BY_RUNS),
    rebuilt_host("copy_unlocks_at_once", "LOCK_COUNT", CopyUnlocksAtOnce),
    rebuilt_host("load_pins_nothing", "PIN_COUNT", LoadPinsNothing),
    rebuilt_host("ack_keeps_pins", "PIN_COUNT", AckKeepsPins),
    rebuilt_host("failed_load_keeps_pages", "SLOT_PARTITION", FailedLoadKeepsPages, directed=BY_RUNS),
    rebuilt_host("failed_load_undone_always", "LOCK_COUNT", FailedLoadUndoneAlways, directed=BY_RUNS),
    rebuilt_host("failed_backup_keeps_tensor", "HOST_PARTITION", FailedBackupKeepsTensor),
    rebuilt_host("failed_backup_under_hosted", "HOST_ARRIVAL", FailedBackupUnderHosted, directed=BY_RUNS),
    rebuilt_host("victims_not_awaited", "SOURCE", VictimsNotAwaited, mode="write_back"),
    rebuilt_host("host_room_in_vain", "HOST_PARTITION", HostRoomInVain, directed=BY_RUNS),
    rebuilt_host("host_room_for_all", "HOST_ORDER", HostRoomForAll, directed=BY_RUNS),
    rebuilt_host("poll_takes_oldest", "REFINEMENT", PollTakesOldest, "FB-12"),
    rebuilt_host("waits_for_first", "ARRIVED_BEFORE_READ", WaitsForFirst, directed=BY_RUNS),
    rebuilt_host("waits_for_nothing", "ARRIVED_BEFORE_READ", WaitsForNothing),
)
