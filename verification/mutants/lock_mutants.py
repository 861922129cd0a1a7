"""Locks that are lost, taken twice, or not looked at."""

from radixcheck.reference.node import Node, path
from radixcheck.reference.pool import Pool
from radixcheck.reference.radix_tree import Receipt
from radixcheck.spec.values import Key, Match
from radixcheck.verification.mutants.mutant import SteppedSplit, SteppedStart, mutant, unlock_unchecked
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


class SplitForgetsLock(SteppedSplit):
    """The upper half of a split begins unlocked, whatever the whole was."""

    def _after_split(self, upper: Node, lower: Node) -> None:
        upper.lock = 0


class LockSkipsAncestors(ReferenceSubject):
    """A lock protects the node alone, not the path to the root."""

    def _lock_path(self, node: Node) -> None:
        for locked in list(path(node))[:1]:
            locked.lock += 1


class UnlockTwice(ReferenceSubject):
    """An unlock releases twice what was locked once, as two callers do that both own the lock."""

    def unlock(self, receipt: object) -> None:
        """The fault: the count of a node without other holders falls below zero."""
        assert isinstance(receipt, Receipt)
        self._receipts.discard(receipt)
        for locked in path(receipt.node):
            locked.lock -= 2
            if locked.lock <= 0:
                self._evictable += len(locked.segment)
                self._protected -= len(locked.segment)


class UnlockWalksAnew(ReferenceSubject):
    """An unlock walks along the matched key again, and releases the path that it finds: it may be deeper than what was locked."""

    def __init__(self, page_size: int, policy: str, pool: Pool) -> None:
        super().__init__(page_size, policy, pool)
        self._matched: dict[Node, Key] = {}  # the key that was matched last, by the node where it ended

    def match(self, key: Key) -> Match[list[int]]:
        """The reference's match; notes the key."""
        match = super().match(key)
        assert isinstance(match.node, Node)
        self._matched[match.node] = key
        return match

    def unlock(self, receipt: object) -> None:
        """The fault: the tree as it is now decides what is released."""
        assert isinstance(receipt, Receipt)
        self._receipts.remove(receipt)
        key = self._matched[receipt.node]
        unlock_unchecked(self, self._walk(key.tokens, key.namespace).node)


class StartForgetsLock(SteppedStart):
    """A start does not lock what it has matched before it makes room, so that its own eviction may take it."""

    def _provide(self, node: Node, needed: int) -> list[int]:
        own = self._take(needed)
        self._lock_path(node)
        return own


class AbortForgetsUnlock(ReferenceSubject):
    """An abort frees what the request owns and leaves its lock behind."""

    def abort(self, request: int) -> None:
        """The fault: no unlock."""
        live = self._find_request(request)
        del self.requests[request]
        self._free_own(live, len(live.row))


MUTANTS = (
    mutant("split_forgets_lock", "LOCK_COUNT", SplitForgetsLock),
    mutant("lock_skips_ancestors", "LOCK_COUNT", LockSkipsAncestors, "FB-11"),
    mutant("unlock_twice", "LOCK_NONNEG", UnlockTwice, "FB-14"),
    mutant("unlock_walks_anew", "LOCK_COUNT", UnlockWalksAnew, "FB-10"),
    mutant("start_forgets_lock", "NO_UAF", StartForgetsLock, policy="mru"),
    mutant("abort_forgets_unlock", "LOCK_LIVENESS", AbortForgetsUnlock, "FB-13"),
)
