"""The optimized cache with one of its parts replaced. Nothing here is wrong itself."""

from functools import partial
from inspect import getdoc
from typing import TypeVar, cast

from radixcheck.optimized import DevicePool, Tags
from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.memory import Memory
from radixcheck.optimized.requests import Requests
from radixcheck.optimized.tree import NodeTree
from radixcheck.verification.mutants.mutant import Mutant
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.optimized_subject import Ledger, OptimizedSubject, WatchedDevicePool

Part = TypeVar("Part", bound=type)


class Rebuilt(OptimizedSubject):
    """The optimized cache, in which `part` replaces the class that it is derived from."""

    def __init__(self, setup: Setup, part: type = object) -> None:
        super().__init__(setup)

        def chosen(default: Part) -> Part:
            return cast(Part, part) if issubclass(part, default) else default

        watched = WatchedDevicePool(cast(Ledger, setup.pool), setup.page_size, setup.device)
        watched._pool = chosen(DevicePool)(watched.capacity, setup.page_size, setup.device)
        self.pool = watched
        self.tags = chosen(Tags)(watched.capacity, watched.device)
        self.tree = chosen(NodeTree)(setup.page_size, setup.policy, watched.device)
        self.tree.heap = chosen(EvictionHeap)(setup.policy)
        self._memory = Memory(self.tree, watched)
        self._requests = chosen(Requests)(self._memory, self.tags)
        self.requests = self._requests.live


def rebuilt(name: str, property_: str, part: type, source: str = "", policy: str = "lru", directed: str = "") -> Mutant:
    """Return a mutant of the optimized cache: `part` is a wrong class of one of its parts, or of the whole."""
    factory = part if issubclass(part, Rebuilt) else partial(Rebuilt, part=part)
    return Mutant(name, property_, getdoc(part) or "", source, factory, policy, directed=directed)
