"""Copies to the host: issued too early, twice, or in the wrong order; acknowledged for too little; failed and not undone."""

from collections.abc import Iterable
from dataclasses import replace

from radixcheck.reference.copies import Copy
from radixcheck.reference.node import below
from radixcheck.reference.tiered_node import TieredNode
from radixcheck.reference.tree import Walk
from radixcheck.spec.values import Ticket
from radixcheck.verification.mutants.host_mutant import BY_RUNS, arrived, host_mutant
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject

QUEUE = 4  # copies in flight that a short queue keeps


class BackupChildFirst(ReferenceHostSubject):
    """A backup copies the node alone, although the host does not have what is above it."""

    def _back_up(self, nodes: Iterable[TieredNode]) -> int:
        return super()._back_up([*nodes][-1:])


class BackupSkipsParent(ReferenceHostSubject):
    """A backup for whose parent the host has no room goes on with the child, which is smaller."""

    def _back_up(self, nodes: Iterable[TieredNode]) -> int:
        issued = 0
        for node in nodes:
            issued += super()._back_up([node])
        return issued


class BackupTwice(ReferenceHostSubject):
    """A node whose copy to the host is in flight is copied once more, to other slots."""

    def _back_up(self, nodes: Iterable[TieredNode]) -> int:
        nodes = [*nodes]
        again = [copy.end for copy in self.copies if not copy.up and copy.end in nodes]
        for node in again:
            if self._make_host_room(len(node.segment)):
                self._issue_backup(node)
        return super()._back_up(nodes)


class BackupEvictsAllItNeeds(ReferenceHostSubject):
    """A backup evicts from the host as many tokens as it needs, as if nothing were free there."""

    def _make_host_room(self, needed: int) -> bool:
        if needed > self.host_pool.available:
            self.evict_host(needed)
        return super()._make_host_room(needed)


class BackupEvictsInVain(ReferenceHostSubject):
    """A backup evicts from the host although all of it would not be enough."""

    def _make_host_room(self, needed: int) -> bool:
        if needed > self.host_pool.available:
            self.evict_host(needed - self.host_pool.available)
        return needed <= self.host_pool.available


class BackupCountsHit(ReferenceHostSubject):
    """A backup counts one more hit for the node."""

    def _issue_backup(self, node: TieredNode) -> None:
        super()._issue_backup(node)
        node.hits += 1


class BackupUnlocked(ReferenceHostSubject):
    """A backup does not lock what it reads, and so releases at its end a lock that it does not have."""

    def _issue_backup(self, node: TieredNode) -> None:
        super()._issue_backup(node)
        self._unlock_path(node)


class CopyLocksParentOnly(ReferenceHostSubject):
    """A backup locks, and remembers, the parent of the node that it copies."""

    def _issue_backup(self, node: TieredNode) -> None:
        super()._issue_backup(node)
        copy = self.copies.pop()
        assert isinstance(node.parent, TieredNode), "the root is not copied"
        self._lock_path(node.parent)
        self._unlock_path(node)
        self.copies.append(replace(copy, end=node.parent))


class BackupAckSkipsUpperHalf(ReferenceHostSubject):
    """A split narrows the copies in flight to the lower half, so that their acknowledgements skip the upper one."""

    def _split(self, walk: Walk) -> TieredNode:
        upper = super()._split(walk)
        if walk.edge is not None:
            self.copies = [replace(copy, floor=upper) if copy.end is walk.edge else copy for copy in self.copies]
        return upper


class CopyFollowsUpperHalf(ReferenceHostSubject):
    """A split moves the copies in flight to the upper half, as if that were the old node."""

    def _split(self, walk: Walk) -> TieredNode:
        upper = super()._split(walk)
        if walk.edge is not None:
            self.copies = [replace(copy, end=upper) if copy.end is walk.edge else copy for copy in self.copies]
        return upper


class DropHostWhileWritten(ReferenceHostSubject):
    """Where the host has no room, the slots are taken that a copy in flight is writing."""

    def _make_host_room(self, needed: int) -> bool:
        for copy in self.copies:
            if not copy.up and needed > self.host_pool.available and copy.end.host:
                self.host_pool.free(copy.end.host)
                copy.end.host = []
        return super()._make_host_room(needed)


class DropHostWhileRead(ReferenceHostSubject):
    """Where the host has no room, the slots are taken that a copy in flight is reading."""

    def _make_host_room(self, needed: int) -> bool:
        for copy in self.copies:
            if copy.up and needed > self.host_pool.available and copy.end.host:
                self.host_pool.free(copy.end.host)
                copy.end.host = []
        return super()._make_host_room(needed)


class DropHostAboveHosted(ReferenceHostSubject):
    """Where the host has no room, a node that the device has too gives up its slots there, also above a node that the host has."""

    def _make_host_room(self, needed: int) -> bool:
        copied = {node for copy in self.copies for node in (copy.end, copy.floor)}
        for node in below(self.root):
            if needed > self.host_pool.available and node.slots and node.host and node.children and node not in copied:
                self.host_pool.free(node.host)
                node.host = []
        return super()._make_host_room(needed)


class FailedBackupStays(ReferenceHostSubject):
    """A copy to the host that has failed counts as arrived."""

    def _settle(self, copy: Copy) -> None:
        super()._settle(copy if copy.up else arrived(self, copy))


class FailedBackupKeepsSlots(ReferenceHostSubject):
    """A copy to the host that has failed is undone, but its slots on the host are not freed."""

    def _settle(self, copy: Copy) -> None:
        if copy.ticket.failed and not copy.up and not self._rests_on(copy, [copy.end]):
            copy.end.host = []
            copy = arrived(self, copy)
        super()._settle(copy)


class FailedBackupUnderChild(ReferenceHostSubject):
    """A copy to the host that has failed is undone although the host has what continues it."""

    def _rests_on(self, copy: Copy, nodes: list[TieredNode]) -> bool:
        return copy.up and super()._rests_on(copy, nodes)


class AckKeepsLock(ReferenceHostSubject):
    """The acknowledgement of a copy to the host leaves its lock behind."""

    def _settle(self, copy: Copy) -> None:
        if not copy.up and not copy.ticket.failed:
            self._lock_path(copy.end)
        super()._settle(copy)


class AcksInOrderOfIssue(ReferenceHostSubject):
    """Acknowledgements are counted, and taken to be of the oldest copies, although copies may complete in any order."""

    def poll(self) -> list[Ticket]:
        """The fault: which copies are done does not matter, only how many."""
        done = [copy for copy in self.copies if copy.ticket.done]
        for copy in self.copies[: len(done)]:
            self._settle(copy if copy.ticket.done else arrived(self, copy))
        return [copy.ticket for copy in done]


class PollForgetsWhatIsNotDone(ReferenceHostSubject):
    """A poll removes every record of a copy, also of those that are not done, so that nothing releases what they hold."""

    def poll(self) -> list[Ticket]:
        """The fault: the others are never acknowledged."""
        tickets = super().poll()
        self.copies = []
        return tickets


class PollHandlesOne(ReferenceHostSubject):
    """A poll acknowledges one copy at most, so that locks pile up while many arrive."""

    def poll(self) -> list[Ticket]:
        """The fault: the others have to wait for the next call."""
        later = [copy for copy in self.copies if copy.ticket.done][1:]
        self.copies = [copy for copy in self.copies if copy not in later]
        tickets = super().poll()
        self.copies = [*later, *self.copies]
        return tickets


class CopyQueueDropsOldest(ReferenceHostSubject):
    """The queue of copies has four places: the fifth copy takes that of the oldest, which is never acknowledged."""

    def _issue_backup(self, node: TieredNode) -> None:
        super()._issue_backup(node)
        self.copies = self.copies[-QUEUE:]


class WriteBackIgnoresFailure(ReferenceHostSubject):
    """A write-back without room on the host, or whose copy has failed, counts as made, so that the only copy is dropped."""

    def _write_back(self, leaf: TieredNode) -> bool:
        super()._write_back(leaf)
        return True


class WriteBackDoesNotWait(ReferenceHostSubject):
    """A write-back frees the device's slots at the issue of the copy that reads them."""

    def _write_back(self, leaf: TieredNode) -> bool:
        if self._back_up([leaf]):
            self._settle(self.copies[-1])
        return leaf.is_hosted or super()._write_back(leaf)


class WriteBackWantsParent(ReferenceHostSubject):
    """Under write-back, too, nothing is copied before its parent, so that a leaf below one that the host has not is lost."""

    def _write_back(self, leaf: TieredNode) -> bool:
        assert isinstance(leaf.parent, TieredNode), "a leaf is not the root"
        return leaf.parent.is_hosted and super()._write_back(leaf)


MUTANTS = (
    host_mutant("backup_child_first", "HOST_CLOSED", BackupChildFirst, "FB-57", mode="write_through_selective"),
    host_mutant("backup_skips_parent", "BACKUP_PARENTS", BackupSkipsParent, "FB-57", directed=BY_RUNS),
    host_mutant("backup_twice", "HOST_PARTITION", BackupTwice),
    host_mutant("backup_evicts_all_it_needs", "HOST_PARTITION", BackupEvictsAllItNeeds, "FB-21", directed=BY_RUNS),
    host_mutant("backup_evicts_in_vain", "HOST_PARTITION", BackupEvictsInVain, directed=BY_RUNS),
    host_mutant("backup_counts_hit", "FREQ", BackupCountsHit),
    host_mutant("backup_unlocked", "LOCK_COUNT", BackupUnlocked),
    host_mutant("backup_ack_skips_upper_half", "HOST_ARRIVAL", BackupAckSkipsUpperHalf),
    host_mutant("copy_locks_parent_only", "SPAN", CopyLocksParentOnly),
    host_mutant("copy_follows_upper_half", "SPAN", CopyFollowsUpperHalf),
    host_mutant("drop_host_while_written", "TARGET", DropHostWhileWritten),
    host_mutant("drop_host_while_read", "PINNED_HOSTED", DropHostWhileRead, directed=BY_RUNS),
    host_mutant("drop_host_above_hosted", "HOST_CLOSED", DropHostAboveHosted, "FB-57"),
    host_mutant("failed_backup_stays", "HOST_ARRIVAL", FailedBackupStays, "FB-59"),
    host_mutant("failed_backup_keeps_slots", "HOST_PARTITION", FailedBackupKeepsSlots),
    host_mutant("failed_backup_under_child", "HOST_CLOSED", FailedBackupUnderChild, "FB-57", directed=BY_RUNS),
    host_mutant("ack_keeps_lock", "LOCK_COUNT", AckKeepsLock),
    host_mutant("acks_in_order_of_issue", "HOST_ARRIVAL", AcksInOrderOfIssue),
    host_mutant("poll_forgets_what_is_not_done", "HOST_ARRIVAL", PollForgetsWhatIsNotDone, "FB-33"),
    host_mutant("poll_handles_one", "REFINEMENT", PollHandlesOne, "FB-12"),
    host_mutant("copy_queue_drops_oldest", "HOST_ARRIVAL", CopyQueueDropsOldest),
    host_mutant("write_back_ignores_failure", "REACHABLE", WriteBackIgnoresFailure, "FB-59", mode="write_back"),
    host_mutant("write_back_does_not_wait", "SOURCE", WriteBackDoesNotWait, mode="write_back"),
    host_mutant("write_back_wants_parent", "BACKUP_PARENTS", WriteBackWantsParent, "FB-58", mode="write_back"),
)
