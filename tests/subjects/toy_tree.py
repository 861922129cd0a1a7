"""A toy of an engine's tree behind the callers of the adapters, right and wrong, to be served: what these get wrong is found here."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from radixcheck.reference.cache import Request
from radixcheck.reference.node import top
from radixcheck.reference.tree import Walk
from radixcheck.spec.values import Key
from radixcheck.verification.protocol import Observation
from radixcheck.verification.remote.serve import Supports
from radixcheck.verification.subjects.engine_shim import EngineShim, Live, Peek, WhiteBox
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


class Toy:
    """The reference tree as an engine's tree."""

    supports = Supports(policies=("lru", "fifo", "filo", "mru", "priority"), attributes=frozenset({"time", "creation", "priority"}))
    version = "toy"

    kind = ReferenceSubject

    def __init__(self, setup: Any) -> None:
        self.cache = self.kind.of(setup)

    def match(self, key: Key) -> tuple[list[int], Any]:
        found = self.cache.match(key)
        return found.slots, found.node

    def peek(self, key: Key) -> Peek:
        walk = self.cache._walk(key.tokens, key.namespace)
        return Peek(walk.length, walk.evictable_tokens())

    def insert(self, key: Key, slots: list[int], priority: int) -> int:
        self.cache._loans = set(slots[:: self.cache.page_size])
        present = self.cache.insert(key, slots, priority)
        self.cache._loans = set()
        return present

    def lock(self, node: Any) -> Any:
        self.cache._lock_path(node)
        return node

    def unlock(self, lock: Any) -> None:
        self.cache._unlock_path(lock)

    def attached(self, node: Any) -> bool:
        return top(node) is self.cache.root

    def evict(self, tokens: int) -> int:
        return self.cache.evict(tokens)

    def sizes(self) -> tuple[int, int]:
        return self.cache.sizes()[1:]

    def reset(self) -> None:
        self.cache.reset()

    def checkpoint(self, live: Live) -> None:
        row = live.row[: len(live.tokens)]
        request = Request(live.tokens, live.key.namespace, live.priority, live.node, live.protected, row)
        self.cache._cache_request(request, hits=0)
        live.node = live.lock = request.node
        live.protected = request.cached
        live.row[: live.protected] = request.row[: live.protected]

    def observe(self, requests: Mapping[int, Any]) -> Any:
        seen = self.cache.observe()
        nodes = [node._replace(time=10 * node.time, creation=10 * node.creation + 1) for node in seen.nodes]  # two readings of a clock
        return Observation(10 * seen.now + 1, nodes, requests)

    def locate(self, node: Any) -> Any:
        return self.cache.locate(node)


class HastySubject(ReferenceSubject):
    """A split refreshes what lies behind it as well, as SGLang's do."""

    def _split(self, walk: Walk) -> Any:
        if walk.edge is not None:
            self.now += 1
            walk.edge.time = self.now
        return super()._split(walk)


class Hasty(Toy):
    kind = HastySubject


class Generous(WhiteBox):
    """Evicts all that it needs, and not what is missing."""

    def _take(self, need: int) -> list[int]:
        self._check_room(need, 0)
        if need > self.pool.available:
            self.tree.evict(need)
        return self.pool.alloc(need) if need else []


class Forgetful(WhiteBox):
    """Counts what a request has matched as room for the rest of it."""

    def _check_room(self, need: int, kept: int) -> None:
        super()._check_room(need, 0)


def made(kind: type[EngineShim], tree: Any, setup: Any) -> EngineShim:
    """A tree behind callers."""
    return kind(tree(setup), setup.pool)


white = partial(made, WhiteBox, Toy)
black = partial(made, EngineShim, Toy)
generous = partial(made, Generous, Toy)
forgetful = partial(made, Forgetful, Toy)
hasty = partial(made, WhiteBox, Hasty)
hasty_black = partial(made, EngineShim, Hasty)
