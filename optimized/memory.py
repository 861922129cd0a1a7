"""The tree and the pool together: slots are taken from the pool, after evicting where it has too few."""

from collections.abc import Sequence

from torch import Tensor

from radixcheck.optimized.device_pool import Pool
from radixcheck.optimized.node import Node
from radixcheck.optimized.tree import NodeTree
from radixcheck.spec.values import NoRoom, shown


class Memory:
    """Evicts the shortfall and no more. All amounts are in tokens."""

    def __init__(self, tree: NodeTree, pool: Pool) -> None:
        self.tree = tree
        self.pool = pool

    def check_room(self, tokens: int, reserved: int) -> None:
        """Raise NoRoom unless `take(tokens)` can succeed once `reserved` evictable tokens are locked."""
        room = self.pool.available + self.tree.evictable - reserved
        if tokens > room:
            raise NoRoom(f"{shown(tokens)} tokens needed, {room} are free or evictable")

    def hold(self, path: Sequence[Node]) -> None:
        """Lock a path from the root for a request, which `check_room` has admitted."""
        self.tree.lock_path(path)

    def back_up_used(self, path: Sequence[Node]) -> None:
        """Copy the nodes of a path that are used often enough to the host: nothing to do without one."""

    def take(self, tokens: int) -> Tensor:
        """Return slots for whole pages. Raises NoRoom, evicting nothing, if free and evictable ones together are too few."""
        shortfall = tokens - self.pool.available
        if shortfall > 0:
            self.check_room(tokens, 0)
            freed = self.evict(shortfall)
            assert freed >= shortfall, "evictable tokens are counted that no eviction can free"
        return self.pool.alloc(tokens)

    def evict(self, tokens: int) -> int:
        """Evict the least leaves until `tokens` are freed or none is left; return the tokens freed.

        The slots of all victims are freed by one call, in order: one call for each would cost more than everything else.
        """
        heap = self.tree.heap
        freed = 0
        slots = []
        while freed < tokens and heap.leaf_count:
            victim = heap.pop_victim()
            self.tree.evict_leaf(victim)
            slots.append(victim.slots)
            freed += victim.size
        heap.tidy()
        if slots:
            self.pool.free(*slots)
        assert freed >= tokens or not heap.leaf_count
        return freed
