"""The optimized cache with one of its parts replaced. Nothing here is wrong itself."""

from collections.abc import Callable
from typing import cast

from radixcheck.optimized import DevicePool, Tags
from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.memory import Memory
from radixcheck.optimized.requests import Requests
from radixcheck.optimized.tree import NodeTree
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.optimized_subject import Ledger, OptimizedSubject, WatchedDevicePool


class Rebuilt(OptimizedSubject):
    """The optimized cache, made of these parts."""

    def __init__(
        self,
        setup: Setup,
        tree: type[NodeTree] = NodeTree,
        requests: type[Requests] = Requests,
        tags: type[Tags] = Tags,
        pool: type[DevicePool] = DevicePool,
    ) -> None:
        super().__init__(setup)
        watched = WatchedDevicePool(cast(Ledger, setup.pool), setup.page_size, setup.device)
        watched._pool = pool(watched.capacity, setup.page_size, setup.device)
        self.pool = watched
        self.tags = tags(watched.capacity, watched.device)
        self.tree = tree(setup.page_size, setup.policy, watched.device)
        self._memory = Memory(self.tree, watched)
        self._requests = requests(self._memory, self.tags)
        self.requests = self._requests.live


def over(tree: type[NodeTree]) -> Factory:
    """Factory of the optimized cache over another tree."""
    return lambda setup: Rebuilt(setup, tree=tree)


def serving(requests: type[Requests]) -> Factory:
    """Factory of the optimized cache with another keeper of requests."""
    return lambda setup: Rebuilt(setup, requests=requests)


def tagging(tags: type[Tags]) -> Factory:
    """Factory of the optimized cache with another writer of what slots hold."""
    return lambda setup: Rebuilt(setup, tags=tags)


def drawing(pool: type[DevicePool]) -> Factory:
    """Factory of the optimized cache over another pool on the device."""
    return lambda setup: Rebuilt(setup, pool=pool)


def queueing(heap: type[EvictionHeap]) -> Callable[[Setup], OptimizedSubject]:
    """Factory of the optimized cache whose victims come from another heap."""

    def made(setup: Setup) -> OptimizedSubject:
        subject = OptimizedSubject(setup)
        subject.tree.heap = heap(setup.policy)
        return subject

    return made
