"""The optimized cache with a wrong tree, wrong requests, a wrong pool, wrong tags or wrong shortcuts, such as locks that stop early."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from radixcheck.optimized import DevicePool, Tags
from radixcheck.optimized.keys import Packed
from radixcheck.optimized.node import Node
from radixcheck.optimized.requests import Request, Requests
from radixcheck.optimized.tags import HasTokens
from radixcheck.optimized.tree import NodeTree, Walk
from radixcheck.spec.values import Key, Match, Namespace
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


class SplitCopiesLockRef(NodeTree):
    """The upper half of a split counts the holders of the lower half as its own; it should count one protected child."""

    def _split_node(self, lower: Node, size: int) -> Node:
        upper = super()._split_node(lower, size)
        upper.local_lock_ref = lower.local_lock_ref
        return upper


class LockStopsOneEarly(NodeTree):
    """A lock that stops at a protected node is not counted there: the last unlock below removes that node's protection."""

    def relock(self, held: Node, path: Sequence[Node]) -> None:
        """The fault: the node at which the lock stops has one more protected child."""
        met = next((node for node in reversed(path) if node.local_lock_ref), None)
        super().relock(held, path)
        if met is not None and met is not path[-1]:
            met.local_lock_ref -= 1


class RelockKeepsOld(NodeTree):
    """A chunk that locks a deeper node stays counted at the node that it held."""

    def relock(self, held: Node, path: Sequence[Node]) -> None:
        """The fault: one holder too many, which is never released."""
        before = held.local_lock_ref
        super().relock(held, path)
        held.local_lock_ref = before


class ReleaseStopsAtNode(NodeTree):
    """The last holder of a node unlocks it, and the node above still counts it as a protected child."""

    def unlock_path(self, node: Node) -> None:
        """The fault: a node without holders stays protected."""
        above = node.parent
        last = node.local_lock_ref == 1 and above is not None and above.parent is not None and above.local_lock_ref == 1
        super().unlock_path(node)
        if last and above is not None:
            above.local_lock_ref = 1


class TrailSurvivesEviction(NodeTree):
    """A walk follows the path of an earlier one, and does not check whether its nodes are in the tree."""

    def _followed(self, namespace: Namespace, data: Packed) -> list[Node]:
        path: list[Node] = []
        for node in self._trail.path if self._trail.namespace == namespace else ():
            if not data.startswith(node.segment, len(b"".join(n.segment for n in path))):
                break
            path.append(node)
        return path


class TrailForgetsNamespace(NodeTree):
    """A walk follows the path of an earlier one with the same tokens, whatever its namespace."""

    def _followed(self, namespace: Namespace, data: Packed) -> list[Node]:
        return super()._followed(self._trail.namespace, data)


class PriorityStopsAtOnce(NodeTree):
    """A priority is raised at the node where an access ends, and not above it."""

    def raise_priority(self, path: Sequence[Node], priority: int) -> None:
        """The fault: the rest of the path keeps its priority."""
        super().raise_priority(path[-1:], priority)


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
    rebuilt("split_copies_marks", "LOCK_COUNT", SplitCopiesLockRef, "FB-11"),
    rebuilt("lock_stops_one_early", "LOCK_COUNT", LockStopsOneEarly),
    rebuilt("relock_keeps_old", "LOCK_COUNT", RelockKeepsOld),
    rebuilt("release_stops_at_node", "LOCK_COUNT", ReleaseStopsAtNode),
    rebuilt("trail_survives_eviction", "MATCH_SOUND", TrailSurvivesEviction),
    rebuilt("trail_forgets_namespace", "ISOLATION", TrailForgetsNamespace),
    rebuilt("favour_stops_at_once", "ATTRIBUTE_MONO", PriorityStopsAtOnce, policy="priority"),
)
