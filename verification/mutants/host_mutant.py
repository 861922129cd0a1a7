"""Mutants of the reference with a host tier, and correct caches that they are derived from, with operations cut into steps."""

from collections.abc import Iterable
from dataclasses import replace
from inspect import getdoc

from radixcheck.reference.copies import Copy
from radixcheck.reference.node import below
from radixcheck.reference.tiered_node import TieredNode, is_device_leaf, is_host_leaf
from radixcheck.spec.values import to_amount
from radixcheck.verification.mutants.mutant import Mutant
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject

BY_RUNS = "driver: it needs a host that is nearly full, or copies in a certain order, which few examples of the state machine have"


def host_mutant(
    name: str,
    property_: str,
    cache: type[ReferenceHostSubject],
    source: str = "",
    mode: str = "write_through",
    policy: str = "lru",
    directed: str = "",
) -> Mutant:
    """Return a mutant of the reference with a host tier: `cache` overrides one step, and its docstring says what it does wrong."""
    return Mutant(name, property_, getdoc(cache) or "", source, cache.of, policy, directed=directed, mode=mode)


class SteppedTiers(ReferenceHostSubject):
    """An eviction chooses each victim anew, the least of the candidates of its tier, and takes it off the device, or off the host."""

    def evict(self, tokens: int) -> int:
        """Evict least device leaves until `tokens` are freed or none is left."""
        freed, tokens = 0, to_amount(tokens)
        while freed < tokens and (victim := min(self._device_candidates(), key=self._eviction_key, default=None)) is not None:
            self._leave_device(victim)
            freed += len(victim.segment)
        return freed

    def evict_host(self, tokens: int) -> int:
        """Evict least host leaves until `tokens` are freed or none is left."""
        freed, tokens = 0, to_amount(tokens)
        while freed < tokens and (victim := min(self._host_candidates(), key=self._eviction_key, default=None)) is not None:
            self._leave_host(victim)
            freed += len(victim.segment)
        return freed

    def _device_candidates(self) -> Iterable[TieredNode]:
        return filter(is_device_leaf, below(self.root))

    def _host_candidates(self) -> Iterable[TieredNode]:
        return filter(is_host_leaf, below(self.root))


class TakesLocked(ReferenceHostSubject):
    """The sizes stay right even if a locked node is taken off the device, which a correct cache never does."""

    def _take_off_device(self, nodes: list[TieredNode]) -> None:
        for node in nodes:
            self.pool.free(node.slots)
            self._evictable -= 0 if node.lock else len(node.segment)
            self._protected -= len(node.segment) if node.lock else 0
            node.slots = []


class _Arrived:
    """A ticket for a copy that has arrived."""

    done, failed = True, False

    def wait(self) -> None:
        """Return at once."""


def arrived(cache: ReferenceHostSubject, copy: Copy) -> Copy:
    """Put a copy that counts as arrived in the place of one that a cache has in flight; return it."""
    done = replace(copy, ticket=_Arrived())
    cache.copies[cache.copies.index(copy)] = done
    return done
