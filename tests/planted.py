"""Caches with one fault each that shows only after many calls, among many things, or after a caller has used its buffers again."""

from array import array
from collections import deque
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

from radixcheck.reference.node import below
from radixcheck.spec.values import CacheError, Key, Match, Row, Sizes
from radixcheck.verification.mutants.lock_mutants import InsertKeepsCallersArray, MatchLendsTreesArray
from radixcheck.verification.mutants.mutant import Rebuilt
from radixcheck.verification.subjects.reference_subject import ReferenceSubject

# What stays behind.


class Keeping(ReferenceSubject):
    """Keeps `_note` of something."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.kept = self._container()

    def _container(self) -> Any:
        return set()


class KeepsRequestIds(Keeping):
    """One int of each finished request in a set."""

    def finish(self, request: int) -> None:
        super().finish(request)
        self.kept.add(request)


class KeepsAbortedRequests(Keeping):
    """A word of each aborted request in an array, which is one object."""

    def _container(self) -> Any:
        return array("q")

    def abort(self, request: int) -> None:
        super().abort(request)
        self.kept.append(request)


class KeepsMissedKeys(Keeping):
    """The key of each match that found nothing."""

    def match(self, key: Key) -> Match[list[int]]:
        found = super().match(key)
        if not found.length:
            self.kept.add(key)
        return found


class KeepsPeekedKeys(Keeping):
    """The first token of each peek."""

    def peek(self, key: Key) -> int:
        self.kept.add(key.tokens[0])
        return super().peek(key)


class KeepsNamespaces(Keeping):
    """A counter for each namespace."""

    def _container(self) -> Any:
        return {}

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        self.kept[key.namespace] = self.kept.get(key.namespace, 0) + 1
        return super().insert(key, slots, priority)


class KeepsResets(Keeping):
    """The old root of each reset."""

    def _container(self) -> Any:
        return []

    def reset(self) -> None:
        super().reset()
        self.kept.append(None)


class KeepsReceipts(Keeping):
    """The receipt of each lock that was released."""

    def unlock(self, receipt: object) -> None:
        super().unlock(receipt)
        self.kept.add(receipt)


class KeepsLoans(Keeping):
    """The number of each loan."""

    def _container(self) -> Any:
        return deque()

    def free(self, slots: Sequence[int]) -> None:
        super().free(slots)
        self.kept.append(len(slots))


class KeepsRefusedAllocs(Keeping):
    """The error of each alloc that was refused."""

    def alloc(self, tokens: int) -> list[int]:
        try:
            return super().alloc(tokens)
        except CacheError as error:
            self.kept.add(str(error) + str(len(self.kept)))
            raise


class KeepsRefusedDecodes(Keeping):
    """The token of each decode that was refused."""

    def decode(self, request: int, token: int) -> int:
        try:
            return super().decode(request, token)
        except CacheError:
            self.kept.add(request)
            raise


class KeepsStaleHandles(Keeping):
    """The node of each lock that was refused."""

    def lock(self, node: object) -> Any:
        try:
            return super().lock(node)
        except CacheError:
            self.kept.add(node)
            raise


class KeepsForAllCaches(ReferenceSubject):
    """Keys in a variable of the class."""

    seen: ClassVar[set[Key]] = set()

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        self.seen.add(key)
        return super().insert(key, slots, priority)


@cache
def first_token(key: Key) -> int:
    """A memo without a bound, in a variable of this module."""
    return key.tokens[0]


class KeepsInMemo(ReferenceSubject):
    """Keys in the memo of a function."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        first_token(key)
        return super().insert(key, slots, priority)


class KeepsBounded(Keeping):
    """Right: the last 1,000 keys."""

    def _container(self) -> Any:
        return deque(maxlen=1_000)

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        self.kept.append(key)
        return super().insert(key, slots, priority)


LEAKS: dict[type[ReferenceSubject], str] = {
    KeepsRequestIds: "start, chunk, decode, finish",
    KeepsAbortedRequests: "start and abort",
    KeepsMissedKeys: "matching a key that is not cached",
    KeepsPeekedKeys: "peeking at a key that is not cached",
    KeepsNamespaces: "inserting a key in a new namespace",
    KeepsResets: "insert and reset",
    KeepsReceipts: "locking and unlocking",
    KeepsLoans: "inserting a new key",
    KeepsRefusedAllocs: "an alloc for which there is no room",
    KeepsRefusedDecodes: "a decode for which there is no room",
    KeepsForAllCaches: "inserting a new key",
    KeepsInMemo: "inserting a new key",
}


# What costs more than it may.


class Walking(ReferenceSubject):
    """Walks over something that a verb may not depend on."""

    def _visit(self) -> int:
        return sum(1 for _ in below(self.root))


class SizesWalk(Walking):
    """Over the tree."""

    def sizes(self) -> Sizes:
        self._visit()
        return super().sizes()


class PeekWalks(Walking):
    """Over the tree."""

    def peek(self, key: Key) -> int:
        self._visit()
        return super().peek(key)


class DecodeWalks(Walking):
    """Over the live requests."""

    def decode(self, request: int, token: int) -> int:
        for _ in self.requests:
            pass
        return super().decode(request, token)


class UnlockWalks(Walking):
    """Over the locks."""

    def unlock(self, receipt: object) -> None:
        for _ in self._receipts:
            pass
        super().unlock(receipt)


class FreeWalks(Walking):
    """Over the pages on loan."""

    def free(self, slots: Sequence[int]) -> None:
        super().free(slots)
        for _ in self._loans:
            pass


class AllocWalks(Walking):
    """Over the pool."""

    def alloc(self, tokens: int) -> list[int]:
        for _ in range(self.pool.available // self.page_size):
            pass
        return super().alloc(tokens)


class InsertWalksNamespaces(Walking):
    """Over the children of the root, of which there is one for each namespace."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        for _ in [namespace for namespace, _ in self.root.children if namespace]:
            pass
        return super().insert(key, slots, priority)


class FinishIsQuadratic(Walking):
    """In the length of the key."""

    def finish(self, request: int) -> None:
        tokens = self.requests[request].tokens
        for end in range(len(tokens)):
            for _ in tokens[:end]:
                pass
        super().finish(request)


class ResetIsQuadratic(Walking):
    """In the number of nodes."""

    def reset(self) -> None:
        for _ in below(self.root):
            self._visit()
        super().reset()


COSTS: dict[type[ReferenceSubject], str] = {
    SizesWalk: "sizes: ",
    PeekWalks: "peek at a cached key: ",
    DecodeWalks: "decode: ",
    UnlockWalks: "unlock: ",
    FreeWalks: "free: ",
    AllocWalks: "alloc: ",
    InsertWalksNamespaces: "insert of a new key: ",
    FinishIsQuadratic: "finish: ",
    ResetIsQuadratic: "reset: ",
}

# Storage that is shared with a caller.


class LendsRow(ReferenceSubject):
    """A chunk returns the row that the request keeps."""

    def chunk(self, request: int) -> Row[list[int]]:
        return Row(super().chunk(request).cached, self.requests[request].row)


class LendsLoan(ReferenceSubject):
    """What an alloc returns is what the cache knows the loan by."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._lent: dict[int, list[int]] = {}

    def alloc(self, tokens: int) -> list[int]:
        slots = super().alloc(tokens)
        if slots:
            self._lent[slots[0]] = slots
        return slots

    def free(self, slots: Sequence[int]) -> None:
        lent = self._lent.pop(slots[0], slots)
        super().free(lent if len(lent) == len(slots) else slots)


class FreesLater(ReferenceSubject):
    """Freed slots go back to the pool at the next call that takes some, from the list that the caller gave."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._pending: list[Sequence[int]] = []

    def free(self, slots: Sequence[int]) -> None:
        self._settle()
        self._pending.append(self._noted(slots))

    def _noted(self, slots: Sequence[int]) -> Sequence[int]:
        return slots

    def _settle(self) -> None:
        for slots in self._pending:
            super().free(slots)
        self._pending.clear()

    def alloc(self, tokens: int) -> list[int]:
        self._settle()
        return super().alloc(tokens)

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        self._settle()
        return super().start(request, key, priority)

    def reset(self) -> None:
        self._settle()
        super().reset()


class FreesCopiesLater(FreesLater):
    """Right: the same with a copy."""

    def _noted(self, slots: Sequence[int]) -> Sequence[int]:
        return list(slots)


class KeepsCallersTensor(Rebuilt):
    """A new leaf keeps the tensor that the caller gave."""

    def insert(self, key: Key, slots: Any, priority: int = 0) -> int:
        prefix = super().insert(key, slots, priority)
        leaf = self._nodes_on(key)[-1]
        if not prefix and leaf.slots.numel() == len(slots):
            leaf.slots = slots
        return prefix


class LendsTensorOfRow(Rebuilt):
    """A chunk returns the tensor that the request keeps."""

    def chunk(self, request: int) -> Row[Any]:
        row, kept = super().chunk(request), self.requests[request].row
        return Row(row.cached, kept) if kept.numel() == row.slots.numel() else row


ALIASES: tuple[type[ReferenceSubject], ...] = (InsertKeepsCallersArray, MatchLendsTreesArray, LendsRow, LendsLoan, FreesLater)
