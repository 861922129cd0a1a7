"""The optimized cache with a part of its tree, its requests, its pool or its tags replaced by a wrong one: what the device holds."""

from collections.abc import Sequence
from inspect import getdoc
from typing import Any

import torch
from torch import Tensor

from radixcheck.optimized import DevicePool, Tags
from radixcheck.optimized.node import Node
from radixcheck.optimized.requests import Request, Requests
from radixcheck.optimized.tags import HasTokens
from radixcheck.optimized.tree import NodeTree, Walk
from radixcheck.spec.values import Key, Match
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.mutant import Mutant
from radixcheck.verification.mutants.rebuilt import Rebuilt, drawing, over, serving, tagging


class SplitSwapsSlots(NodeTree):
    """The halves of a split have each other's slots: the sizes are right, what the slots hold is not."""

    def _split_node(self, lower: Node, size: int) -> Node:
        upper = super()._split_node(lower, size)
        swapped = torch.cat((lower.slots, upper.slots))
        upper.slots, lower.slots = swapped[:size].clone(), swapped[size:].clone()
        return upper


class MatchReversesPath(NodeTree):
    """The slots of a path are put together from its end: each node's are right, their order is not."""

    def pieces(self, path: Sequence[Node]) -> list[Tensor]:
        """The fault: the pieces are turned round."""
        return super().pieces(path)[::-1]


class MatchLendsTensor(Rebuilt):
    """The slots of a path of one node are that node's own tensor."""

    def match(self, key: Key) -> Any:
        """The fault: no copy."""
        found = super().match(key)
        return Match(found.length, found.pieces[0], found.node) if len(found.pieces) == 1 else found


class RoomChargesLocked(NodeTree):
    """What a start has matched is charged as room that it takes away, even where others have locked it already."""

    def evictable_tokens(self, walk: Walk) -> int:
        """The fault: the whole match is reserved."""
        return walk.length


class ChunkKeepsStaleRow(Requests):
    """A chunk leaves slots in the row that it has just freed, in favour of those that others have cached."""

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
    """A free page that stands second is handed out although it stays in the stack."""

    def alloc(self, tokens: int) -> Tensor:
        """The fault: the stack has moved by a page less than was taken, and is cut at another place."""
        slots = super().alloc(tokens)
        if tokens > self.page_size:
            self._free[self._height - self.page_size : self._height] = slots[: self.page_size]
        return slots


class PoolLosesPages(DevicePool):
    """Of several pages that come back at once only the first is free again."""

    def free(self, *parts: Tensor) -> None:
        """The fault: one step for a whole list."""
        super().free(parts[0][: self.page_size])


class DecodeWritesNothing(Tags):
    """What a decode computes is never written: its slot holds what was there before."""

    def append(self, slot: Tensor, key: HasTokens, before: int) -> int:
        """The fault: the number is worked out and dropped."""
        kept = self.content.clone()
        tag = super().append(slot, key, before)
        self.content.copy_(kept)
        return tag


def _mutant(name: str, property_: str, part: type, factory: Factory, source: str = "") -> Mutant:
    return Mutant(name, property_, getdoc(part) or "", source, factory)


MUTANTS = (
    _mutant("split_swaps_slots", "MATCH_SOUND", SplitSwapsSlots, over(SplitSwapsSlots)),
    _mutant("match_reverses_path", "MATCH_SOUND", MatchReversesPath, over(MatchReversesPath)),
    _mutant("match_lends_tensor", "NO_ALIAS", MatchLendsTensor, MatchLendsTensor),
    _mutant("room_charges_locked", "ADMISSION", RoomChargesLocked, over(RoomChargesLocked)),
    _mutant("chunk_keeps_stale_row", "NO_UAF", ChunkKeepsStaleRow, serving(ChunkKeepsStaleRow), "FB-19"),
    _mutant("abort_leaks_row", "FREE_AT_LAST_RELEASE", AbortLeaksRow, serving(AbortLeaksRow), "FB-39"),
    _mutant("leave_forgets_unlock", "LOCK_COUNT", LeaveForgetsUnlock, serving(LeaveForgetsUnlock), "FB-13"),
    _mutant("pool_hands_out_twice", "SLOT_PARTITION", PoolHandsOutTwice, drawing(PoolHandsOutTwice)),
    _mutant("pool_loses_pages", "COUNT", PoolLosesPages, drawing(PoolLosesPages)),
    _mutant("decode_writes_nothing", "MATCH_SOUND", DecodeWritesNothing, tagging(DecodeWritesNothing)),
)
