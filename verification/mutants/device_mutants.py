"""The optimized cache with a wrong tree, wrong requests, a wrong pool or wrong tags: faults in what the device holds."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from radixcheck.optimized import DevicePool, Tags
from radixcheck.optimized.node import Node
from radixcheck.optimized.requests import Request, Requests
from radixcheck.optimized.tags import HasTokens
from radixcheck.optimized.tree import NodeTree, Walk
from radixcheck.spec.values import Key, Match
from radixcheck.verification.mutants.mutant import Rebuilt, rebuilt


class SplitSwapsSlots(NodeTree):
    """The halves of a split have each other's slots: the sizes are right, the contents are not."""

    def _split_node(self, lower: Node, size: int) -> Node:
        upper = super()._split_node(lower, size)
        swapped = torch.cat((lower.slots, upper.slots))
        upper.slots, lower.slots = swapped[:size].clone(), swapped[size:].clone()
        return upper


class MatchReversesPath(NodeTree):
    """The slots of a path are joined from its end: those of each node are right, their order is not."""

    def pieces(self, path: Sequence[Node]) -> list[Tensor]:
        """The fault: the pieces are reversed."""
        return super().pieces(path)[::-1]


class MatchLendsTensor(Rebuilt):
    """A match that lies on one node returns that node's own tensor."""

    def match(self, key: Key) -> Any:
        """The fault: no copy."""
        found = super().match(key)
        return Match(found.length, found.pieces[0], found.node) if len(found.pieces) == 1 else found


class RoomChargesLocked(NodeTree):
    """The guard of a start subtracts all that was matched from the room, also what others have locked already."""

    def evictable_tokens(self, walk: Walk) -> int:
        """The fault: the whole match is subtracted."""
        return walk.length


class ChunkKeepsStaleRow(Requests):
    """A chunk frees its duplicates of what others have cached, and leaves their slots in its row."""

    def _cache_request(self, live: Request) -> list[Node]:
        row = live.row
        path = super()._cache_request(live)
        live.row = row
        return path


class AbortLeaksRow(Requests):
    """An abort unlocks and forgets the row."""

    def abort(self, request: int) -> None:
        """The fault: nothing is freed."""
        self._tree.unlock_path(self._find_request(request).node)
        del self.live[request]


class LeaveForgetsUnlock(Requests):
    """A request that ends frees its row and keeps its lock."""

    def _release_request(self, request: int, live: Request) -> None:
        self._tree.lock_path(self._tree.path_to(live.node))
        super()._release_request(request, live)


class PoolHandsOutTwice(DevicePool):
    """The second page of an alloc stays in the stack of free pages."""

    def alloc(self, tokens: int) -> Tensor:
        """The fault: one page of what was taken is written below the top of the stack."""
        slots = super().alloc(tokens)
        if tokens > self.page_size:
            self._free[self._height - self.page_size : self._height] = slots[: self.page_size]
        return slots


class PoolLosesPages(DevicePool):
    """When several pages are freed at once, only the first is free again."""

    def free(self, *parts: Tensor) -> None:
        """The fault: the rest is forgotten."""
        super().free(parts[0][: self.page_size])


class DecodeWritesNothing(Tags):
    """The result of a decode is never written: its slot holds what was there before."""

    def append(self, slot: Tensor, key: HasTokens, before: int) -> int:
        """The fault: the tag is computed and dropped."""
        kept = self.content.clone()
        tag = super().append(slot, key, before)
        self.content.copy_(kept)
        return tag


MUTANTS = (
    rebuilt("split_swaps_slots", "MATCH_SOUND", SplitSwapsSlots),
    rebuilt("match_reverses_path", "MATCH_SOUND", MatchReversesPath),
    rebuilt("match_lends_tensor", "NO_ALIAS", MatchLendsTensor),
    rebuilt("room_charges_locked", "ADMISSION", RoomChargesLocked),
    rebuilt("chunk_keeps_stale_row", "NO_UAF", ChunkKeepsStaleRow, "FB-19"),
    rebuilt("abort_leaks_row", "FREE_AT_LAST_RELEASE", AbortLeaksRow, "FB-39"),
    rebuilt("leave_forgets_unlock", "LOCK_COUNT", LeaveForgetsUnlock, "FB-13"),
    rebuilt("pool_hands_out_twice", "SLOT_PARTITION", PoolHandsOutTwice),
    rebuilt("pool_loses_pages", "COUNT", PoolLosesPages),
    rebuilt("decode_writes_nothing", "MATCH_SOUND", DecodeWritesNothing),
)
