"""The caches that sglang#6907 changes, reimplemented: before the change, as submitted, and with the set of sglang#14339.

They measure the cost of an eviction (C7, Q12, L1) without other packages. Their trees keep slots in lists.
"""

from typing import Any, ClassVar

from torch import Tensor

from radixcheck.verification.bench.driver import Driver
from radixcheck.verification.subjects.historical.base import BaseTree
from radixcheck.verification.subjects.historical.submitted import LeafSetTree, NodesTree, PairsTree

_DECODE_ONLY = "only evictions are measured (scenario decode)"


class _Listed:
    """A pool for slots in lists: it frees as many slots of the real pool as a list has."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._any = pool.alloc(pool.capacity)  # a counter does not distinguish slots
        pool.free(self._any)

    def free(self, slots: list[int]) -> None:
        """Free slots in one call, as the release does."""
        self._pool.free(self._any[: len(slots)])


class Base(Driver):
    """Before the change: each eviction visits all nodes, and makes a heap of the leaves."""

    tree: ClassVar[type[BaseTree]] = BaseTree
    without: ClassVar = dict.fromkeys(("memory", "admit", "trace", "deep", "queue"), _DECODE_ONLY)

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._tree = self.tree(pool.page_size, _Listed(pool))  # type: ignore[arg-type]  # only `free` is called

    def sizes(self) -> tuple[int, int]:
        """Return two counters."""
        return self._tree.evictable, self._tree.protected

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Match. The handle is the node where the match ends."""
        slots, node = self._tree.match(tokens)
        return len(slots), node

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """Insert, with slots as a list."""
        return self._tree.insert(tokens, row.tolist())

    def evict(self, tokens: int) -> None:
        """Evict: the call that is measured."""
        self._tree.evict(tokens)


class Pairs(Base):
    """The change, with (time, node) in the heap."""

    tree = PairsTree


class Nodes(Base):
    """The change, with nodes in the heap."""

    tree = NodesTree


class LeafSet(Base):
    """A set of leaves is kept; each eviction makes a heap of it."""

    tree = LeafSetTree
