"""The caches that sglang#6907 is about, in this project's words: before the change, as submitted, and with the set of sglang#14339.

They are here for what an eviction costs (C7, Q12, L1), with nothing else installed. Their trees keep slots in lists.
"""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from radixcheck.verification.bench.driver import Driver
from radixcheck.verification.subjects.historical.base import BaseTree
from radixcheck.verification.subjects.historical.leaf_set import LeafSetTree
from radixcheck.verification.subjects.historical.submitted import NodesTree, PairsTree

_DECODE_ONLY = "here for evictions only (scenario decode)"


class _Listed:
    """The pool as these trees see it: slots come and go in lists; of what is freed the pool sees as many."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._any = pool.alloc(pool.capacity)  # which tensors go back makes no difference to a counter
        pool.free(self._any)

    def free(self, slots: list[int]) -> None:
        """One call, as the release's."""
        self._pool.free(self._any[: len(slots)])


class Base(Driver):
    """Before the change: all nodes are visited for the leaves, and a heap is made of them, at each call."""

    tree: ClassVar[type[BaseTree]] = BaseTree
    without: ClassVar = dict.fromkeys(("memory", "admit", "trace", "deep", "queue"), _DECODE_ONLY)

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._tree = self.tree(pool.page_size, _Listed(pool))  # type: ignore[arg-type]  # all that it asks of a pool here

    def sizes(self) -> tuple[int, int]:
        """Two counters."""
        return self._tree.evictable, self._tree.protected

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Slots, and the node where they end."""
        slots, node = self._tree.match(tokens)
        return len(slots), node

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """Slots become a list on the way."""
        return self._tree.insert(tokens, row.tolist())

    def evict(self, tokens: int) -> None:
        """What is measured."""
        self._tree.evict(tokens)


class Pairs(Base):
    """The change, with (time, node) in its heap."""

    tree = PairsTree


class Nodes(Base):
    """The change, with bare nodes in its heap."""

    tree = NodesTree


class LeafSet(Base):
    """The set of leaves is kept; the heap is made at each call."""

    tree = LeafSetTree
