"""The type of a mutant, and the correct caches that mutants are derived from, with parts or steps that can be replaced.

`Rebuilt` is the optimized cache with one of its parts replaced; the other classes are the reference with operations cut into steps. Only
`ListedEviction` is wrong itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from inspect import getdoc
from typing import TypeVar, cast

from radixcheck.optimized import DevicePool, Tags
from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.memory import Memory
from radixcheck.optimized.requests import Requests
from radixcheck.optimized.tree import NodeTree
from radixcheck.reference import Request
from radixcheck.reference.eviction import evictable_leaves
from radixcheck.reference.node import Node, path, slots_of
from radixcheck.reference.tree import Walk
from radixcheck.spec.values import BadRequest, Key, RequestExists, Row, pages_for, to_amount, to_key
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.optimized_subject import Ledger, OptimizedSubject, WatchedDevicePool
from radixcheck.verification.subjects.reference_subject import ReferenceSubject

Part = TypeVar("Part", bound=type)

BY_SIZE = "probes: it shows only in sizes that no example of the state machine reaches"
BY_TWO_RUNS = "driver: it shows only between two runs of the same operations, of which the state machine makes one"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A deliberately wrong cache, with a configuration in which it shows."""

    name: str
    property: str  # that must catch it; others may catch it too
    sentence: str  # what it does wrong
    source: str  # a similar fault that was reported in the field; empty: none
    factory: Factory
    policy: str = "lru"
    page_size: int = 1  # tokens
    directed: str = ""  # which detector finds it where the state machine cannot, and why; empty: the state machine finds it
    mode: str = ""  # of its host tier; empty: it has none


POOLS = (6, 10, 16, 24)  # pages, in turn
TIERS = ((4, 2), (6, 8), (10, 3), (4, 16), (16, 24))  # pages of the device and of the host, in turn


def config_of(wrong: Mutant, turn: int) -> Config:
    """Return the configuration of one of several runs of a mutant. The pools of these runs differ."""
    if not wrong.mode:
        return Config(wrong.policy, wrong.page_size, wrong.page_size * POOLS[turn % len(POOLS)])
    pool, host_pool = (wrong.page_size * pages for pages in TIERS[turn % len(TIERS)])
    return Config(wrong.policy, wrong.page_size, pool, host_pool=host_pool, mode=wrong.mode)


def detector_of(wrong: Mutant) -> str:
    """Return the name of the detector that must find a mutant."""
    return wrong.directed.partition(":")[0] or "machine"


def mutant(
    name: str, property_: str, cache: type[ReferenceSubject], source: str = "", policy: str = "lru", page_size: int = 1, directed: str = ""
) -> Mutant:
    """Return a mutant of the reference: `cache` overrides one operation, and its docstring says what it does wrong."""
    return Mutant(name, property_, getdoc(cache) or "", source, cache.of, policy, page_size, directed)


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


class SteppedEviction(ReferenceSubject):
    """An eviction chooses each victim anew: the least of `_candidates`, then `_remove`; slots are freed last, `_in_order`."""

    def evict(self, tokens: int) -> int:
        """Evict least candidates until `tokens` are freed or none is left."""
        tokens = to_amount(tokens)
        victims: list[Node] = []
        freed = 0
        while freed < tokens and (victim := min(self._candidates(), key=self._eviction_key, default=None)) is not None:
            self._remove(victim)
            victims.append(victim)
            freed += len(victim.segment)
        for victim in self._in_order(victims):
            self.pool.free(victim.slots)
        return freed

    def _candidates(self) -> Iterable[Node]:
        return evictable_leaves(self.root)

    def _remove(self, victim: Node) -> None:
        parent = victim.parent
        assert parent is not None, "the root is no candidate"
        del parent.children[victim.child_key]
        victim.parent = None
        self._evictable -= len(victim.segment)

    def _in_order(self, victims: list[Node]) -> list[Node]:
        return victims


class ListedEviction(ReferenceSubject):
    """An eviction lists the leaves once, and does `_drop` for each in turn: a parent that becomes a leaf is not on the list."""

    def evict(self, tokens: int) -> int:
        """Evict the listed leaves until `tokens` are freed or none is left."""
        freed = 0
        for leaf in sorted(evictable_leaves(self.root), key=self._eviction_key):
            if freed >= tokens:
                break
            freed += len(leaf.slots)
            self._drop(leaf)
        return freed

    def _drop(self, leaf: Node) -> None:
        self._evict_leaf(leaf)
        self.pool.free(leaf.slots)


class SteppedSplit(ReferenceSubject):
    """A split calls `_after_split` with its two halves."""

    def _split(self, walk: Walk) -> Node:
        node = super()._split(walk)
        if walk.edge is not None:
            self._after_split(node, walk.edge)
        return node

    def _after_split(self, upper: Node, lower: Node) -> None:
        """Nothing more to do."""


class SteppedStart(ReferenceSubject):
    """A start has three steps: `_find` what is cached, `_spared` for the guard, and `_provide` the missing slots."""

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """Match and lock what is cached, then allocate the rest."""
        request, key, priority = to_amount(request, BadRequest), to_key(key), to_amount(priority)
        if request in self.requests:
            raise RequestExists(f"request {request} is live")
        walk = self._find(key)
        missing = len(key.tokens) - walk.length
        needed = pages_for(missing, self.page_size) * self.page_size
        self._check_room(needed, spared=self._spared(walk))
        node = self._split(walk)
        self._touch(node)
        row = slots_of(node) + self._provide(node, needed)[:missing]
        self.requests[request] = Request(list(key.tokens), key.namespace, priority, node, walk.length, row)
        return Row(walk.length, list(row))

    def _find(self, key: Key) -> Walk:
        return self._walk(key.tokens, key.namespace)

    def _spared(self, walk: Walk) -> int:
        return walk.evictable_tokens()

    def _provide(self, node: Node, needed: int) -> list[int]:
        """Lock first: the eviction must not take what was matched."""
        self._lock_path(node)
        return self._take(needed)


def unlock_unchecked(cache: ReferenceSubject, node: Node) -> None:
    """Release a path as `_unlock_path` does, but accept locks below zero."""
    for locked in path(node):
        locked.lock -= 1
        if locked.lock == 0:
            cache._evictable += len(locked.segment)
            cache._protected -= len(locked.segment)
