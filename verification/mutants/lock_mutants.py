"""Locks that are lost, taken twice, or not looked at."""

from radixcheck.reference.node import Node, path
from radixcheck.reference.pool import Pool
from radixcheck.reference.radix_tree import Receipt
from radixcheck.reference.tree import Walk
from radixcheck.spec.values import Key, Match
from radixcheck.verification.mutants.broken_steps import SteppedStart
from radixcheck.verification.mutants.mutant import mutant
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


class SplitForgetsLock(ReferenceSubject):
    """The upper half of a split begins unlocked, whatever the whole was."""

    def _split(self, walk: Walk) -> Node:
        node = super()._split(walk)
        if walk.edge is not None:
            node.lock = 0
        return node


class LockSkipsAncestors(ReferenceSubject):
    """A lock protects the node alone, not the path to the root."""

    def _lock_path(self, node: Node) -> None:
        for held in list(path(node))[:1]:
            held.lock += 1


class UnlockTwice(ReferenceSubject):
    """An unlock releases twice what was locked once: for each of two parties that think it theirs."""

    def unlock(self, receipt: object) -> None:
        """The fault: where nobody else holds a node, its count falls below zero."""
        assert isinstance(receipt, Receipt)
        self._receipts.discard(receipt)
        for held in path(receipt.node):
            held.lock -= 2
            if held.lock <= 0:
                self._evictable += len(held.segment)
                self._protected -= len(held.segment)


class UnlockWalksAnew(ReferenceSubject):
    """An unlock asks again where the key ends that was matched, and releases that path: it may be deeper than what was locked."""

    def __init__(self, page_size: int, policy: str, pool: Pool) -> None:
        super().__init__(page_size, policy, pool)
        self._asked: dict[Node, Key] = {}  # what was matched last, by the node where it ended

    def match(self, key: Key) -> Match[list[int]]:
        """As ever; it notes what was asked."""
        match = super().match(key)
        assert isinstance(match.node, Node)
        self._asked[match.node] = key
        return match

    def unlock(self, receipt: object) -> None:
        """The fault: what is released is decided by the tree as it is now."""
        assert isinstance(receipt, Receipt)
        self._receipts.remove(receipt)
        key = self._asked[receipt.node]
        for held in path(self._walk(key.tokens, key.namespace).node):
            held.lock -= 1
            if held.lock == 0:
                self._evictable += len(held.segment)
                self._protected -= len(held.segment)


class StartForgetsLock(SteppedStart):
    """A start forgets to lock what it has matched before it makes room, so that its own eviction may take it."""

    def _provide(self, node: Node, needed: int) -> list[int]:
        own = self._take(needed)
        self._lock_path(node)
        return own


class AbortForgetsUnlock(ReferenceSubject):
    """An abort frees what the request owns and leaves its lock behind."""

    def abort(self, request: int) -> None:
        """The fault: no release."""
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
