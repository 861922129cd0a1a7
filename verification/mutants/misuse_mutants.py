"""Caches that accept a call outside its guard, refuse it with a wrong type of error, or refuse it too late."""

from collections.abc import Sequence
from inspect import getdoc

import torch
from torch import Tensor

from radixcheck.reference.node import Node, below, slots_of
from radixcheck.reference.pool import page_starts
from radixcheck.reference.radix_tree import Receipt
from radixcheck.spec.values import BadAmount, Key, Match, Row, StaleHandle, to_int
from radixcheck.verification.mutants.mutant import Mutant, mutant, unlock_unchecked
from radixcheck.verification.subjects.optimized_subject import OptimizedSubject
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


class LockAcceptsStaleHandle(ReferenceSubject):
    """A lock does not check whether its node is still in the tree."""

    def lock(self, node: object) -> Receipt:
        """The fault: no guard."""
        assert isinstance(node, Node)
        receipt = Receipt(node)
        self._lock_path(node)
        self._receipts.add(receipt)
        return receipt


class UnlockAcceptsOldReceipt(ReferenceSubject):
    """An unlock does not check whether its receipt was released before: the count falls below zero."""

    def unlock(self, receipt: object) -> None:
        """The fault: no guard."""
        assert isinstance(receipt, Receipt)
        self._receipts.discard(receipt)
        unlock_unchecked(self, receipt.node)


class FreeAcceptsForeignSlots(ReferenceSubject):
    """A free does not check whose the slots are."""

    def free(self, slots: Sequence[int]) -> None:
        """The fault: no guard."""
        self._loans.difference_update(slots)
        self.pool.free(slots)


class FreeRefusesLate(ReferenceSubject):
    """A free gives the slots back before it checks whose they are."""

    def free(self, slots: Sequence[int]) -> None:
        """The fault: the guard comes last."""
        self.pool.free(slots)
        self._loans.difference_update(page_starts(slots, self.page_size, self._loans))


class InsertAcceptsForeignSlots(ReferenceSubject):
    """An insert does not check whose the slots are."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: every slot counts as the caller's."""
        self._loans.update(slots[:: self.page_size])
        return super().insert(key, slots, priority)


class EvictAcceptsNegative(ReferenceSubject):
    """An evict takes a negative number of tokens for zero."""

    def evict(self, tokens: int) -> int:
        """The fault: no guard."""
        return super().evict(max(0, to_int(tokens, BadAmount)))


class MatchAcceptsBadTokens(ReferenceSubject):
    """A match does not check its tokens."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: no guard."""
        walk = self._walk(key.tokens, key.namespace)
        node = self._split(walk)
        self._touch(node)
        return Match(walk.length, slots_of(node), node)


class ResetWhileHeld(ReferenceSubject):
    """A reset does not check whether anything is held."""

    def reset(self) -> None:
        """The fault: requests and locks keep nodes of a tree that is gone."""
        for node in below(self.root):
            self.pool.free(node.slots)
        self.root.children = {}
        self._evictable = self._protected = 0


class StartReplacesRequest(ReferenceSubject):
    """A start with the id of a live request replaces that request."""

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """The fault: what the other request held is never released."""
        self.requests.pop(request, None)
        return super().start(request, key, priority)


class FinishFailsOnUnknown(ReferenceSubject):
    """A finish of an unknown request fails with the error of a dictionary."""

    def finish(self, request: int) -> None:
        """The fault: a KeyError, not an UnknownRequest."""
        self._cache_request(self.requests[request], hits=1)
        self._release_request(request)


class AbortIgnoresUnknown(ReferenceSubject):
    """An abort of an unknown request does nothing and raises nothing."""

    def abort(self, request: int) -> None:
        """The fault: no guard."""
        if request in self.requests:
            super().abort(request)


class AllocEvictsBeforeItChecks(ReferenceSubject):
    """An alloc makes room before it checks the number of tokens."""

    def alloc(self, tokens: int) -> list[int]:
        """The fault: a wrong number is refused too late."""
        if type(tokens) is not int:
            self.evict(self.page_size)
        return super().alloc(tokens)


class FreePageByPage(ReferenceSubject):
    """A free takes page after page, until it comes to one that is not the caller's."""

    def free(self, slots: Sequence[int]) -> None:
        """The fault: the guard looks at one page at a time."""
        for start in range(0, len(slots), self.page_size):
            super().free(slots[start : start + self.page_size])


class LockAcceptsAnotherTree(ReferenceSubject):
    """A lock checks only whether its node has a parent, not in which tree."""

    def lock(self, node: object) -> Receipt:
        """The fault: half of the guard."""
        if not isinstance(node, Node) or (node.parent is None and node is not self.root):
            raise StaleHandle("this node has no parent")
        receipt = Receipt(node)
        self._lock_path(node)
        self._receipts.add(receipt)
        return receipt


class MatchTakesAnyTokens(ReferenceSubject):
    """A match makes a tuple of anything that can be iterated."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: a set of tokens has no order."""
        return super().match(Key(tuple(key.tokens), key.namespace))


class DecodeRounds(ReferenceSubject):
    """A decode rounds its token down."""

    def decode(self, request: int, token: int) -> int:
        """The fault: 1.5 is no token."""
        return super().decode(request, int(token) if isinstance(token, float) else token)


class PriorityOfAnyType(ReferenceSubject):
    """An insert takes a priority of any type for 0."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: a wrong priority is not refused."""
        return super().insert(key, slots, priority if isinstance(priority, int) else 0)


class SlotsAreConverted(OptimizedSubject):
    """A free converts its slots: any numbers become slots, and a matrix a row."""

    def free(self, slots: Tensor | Sequence[int]) -> None:
        """The fault: no check of type and shape."""
        super().free(slots.flatten().long() if isinstance(slots, Tensor) and slots.device == self.pool.device else slots)


class InsertAcceptsInt32(OptimizedSubject):
    """An insert takes slots of four bytes."""

    def insert(self, key: Key, slots: Tensor | Sequence[int], priority: int = 0) -> int:
        """The fault: slots of four bytes are converted."""
        return super().insert(key, slots.long() if isinstance(slots, Tensor) and slots.dtype is torch.int32 else slots, priority)


MUTANTS = (
    mutant("lock_accepts_stale_handle", "MISUSE", LockAcceptsStaleHandle),
    mutant("unlock_accepts_old_receipt", "MISUSE", UnlockAcceptsOldReceipt, "FB-09"),
    mutant("free_accepts_foreign_slots", "MISUSE", FreeAcceptsForeignSlots),
    mutant("free_refuses_late", "MISUSE", FreeRefusesLate),
    mutant("insert_accepts_foreign_slots", "MISUSE", InsertAcceptsForeignSlots),
    mutant("evict_accepts_negative", "MISUSE", EvictAcceptsNegative),
    mutant("match_accepts_bad_tokens", "MISUSE", MatchAcceptsBadTokens),
    mutant("reset_while_held", "MISUSE", ResetWhileHeld, "FB-18"),
    mutant("start_replaces_request", "MISUSE", StartReplacesRequest),
    mutant("finish_fails_on_unknown", "MISUSE", FinishFailsOnUnknown),
    mutant("abort_ignores_unknown", "MISUSE", AbortIgnoresUnknown),
    mutant("alloc_evicts_before_it_checks", "MISUSE", AllocEvictsBeforeItChecks),
    mutant("free_page_by_page", "MISUSE", FreePageByPage),
    mutant("lock_accepts_another_tree", "MISUSE", LockAcceptsAnotherTree),
    mutant("match_takes_any_tokens", "MISUSE", MatchTakesAnyTokens),
    mutant("decode_rounds", "MISUSE", DecodeRounds),
    mutant("priority_of_any_type", "MISUSE", PriorityOfAnyType),
    Mutant("slots_are_converted", "MISUSE", getdoc(SlotsAreConverted) or "", "", SlotsAreConverted),
    Mutant("insert_accepts_int32", "MISUSE", getdoc(InsertAcceptsInt32) or "", "", InsertAcceptsInt32),
)
