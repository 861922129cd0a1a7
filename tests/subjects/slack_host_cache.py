"""Drivers of the benchmark with a host tier that must not get through: each saves itself some of the work, or evicts in another order."""

from typing import Any

from radixcheck.verification.bench.drivers.host_floor_driver import HostFloor


class Deleting(HostFloor):
    """Keeps nothing on the host of what leaves the device."""

    def evict(self, tokens: int) -> None:
        super().evict(tokens)
        super().evict_host(tokens)


class Uncopied(HostFloor):
    """Takes slots on the host, and copies nothing to them."""

    def flush(self) -> None:
        self._queue[0].clear()
        super().flush()


class Unloading(HostFloor):
    """Never loads back: what only the host has is computed again."""

    def load_back(self, handle: Any) -> tuple[int, Any]:
        return 0, handle


class Promising(HostFloor):
    """Says that it has loaded."""

    def load_back(self, handle: Any) -> tuple[int, Any]:
        return handle[2], handle


class Deaf(HostFloor):
    """Does not learn that copies have arrived."""

    def poll(self) -> None:
        pass


class Backward(HostFloor):
    """Evicts from the host what was used last."""

    def evict_host(self, tokens: int) -> None:
        for node in reversed([*self._away]):
            if not node.below:
                self._away.move_to_end(node, last=False)
                break
        super().evict_host(tokens)


class HostLeaking(HostFloor):
    """Gives a page of the host too few back."""

    def evict_host(self, tokens: int) -> None:
        super().evict_host(tokens + self.host_pool.page_size)
        self.host_pool.available -= self.host_pool.page_size


class Shallow(HostFloor):
    """Backs up only the first node of a path."""

    def _back_up(self, node: Any) -> None:
        if node.above is self._root:
            super()._back_up(node)
