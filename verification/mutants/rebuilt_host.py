"""The optimized cache with a host tier in which one part can be replaced by a wrong one."""

from functools import partial
from inspect import getdoc
from typing import TypeVar, cast

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.tier_memory import TieredMemory
from radixcheck.optimized.tier_tree import TieredTree
from radixcheck.optimized.tiered_cache import TieredRequests
from radixcheck.verification.mutants.mutant import Mutant
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.optimized_host_subject import OptimizedHostSubject

Part = TypeVar("Part", bound=type)


class RebuiltHost(OptimizedHostSubject):
    """The cache, in which `part` replaces the class that it is derived from; a heap, that of host leaves."""

    def __init__(self, setup: Setup, part: type = object) -> None:
        self._part = part
        super().__init__(setup)

    def _chosen(self, default: Part) -> Part:
        return cast(Part, self._part) if issubclass(self._part, default) else default

    def _make_memory(self, policy: str) -> TieredMemory:
        tree = self._chosen(TieredTree)(self.page_size, policy, self.pool.device)
        tree.host_heap = self._chosen(EvictionHeap)(policy)
        return self._chosen(TieredMemory)(tree, self.pool, self.host_pool, self.copier, self.mode)

    def _make_requests(self) -> TieredRequests:
        return self._chosen(TieredRequests)(self._memory, self.tags)


def rebuilt_host(
    name: str, property_: str, part: type, source: str = "", mode: str = "write_through", policy: str = "lru", directed: str = ""
) -> Mutant:
    """Return a mutant of the optimized cache with a host tier: `part` is a wrong class of one of its parts."""
    return Mutant(name, property_, getdoc(part) or "", source, partial(RebuiltHost, part=part), policy, directed=directed, mode=mode)
