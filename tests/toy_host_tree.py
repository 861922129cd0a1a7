"""A toy of an engine's tree with a host tier behind the callers of the adapters, right and wrong: what these get wrong is found here."""

from functools import partial
from typing import Any, ClassVar

from radixcheck.reference.cache import RadixCache, Request
from radixcheck.reference.node import slots_of, top
from radixcheck.reference.tiered_node import absent, deepest_resident, tokens_of
from radixcheck.reference.tree import Walk
from radixcheck.spec import values
from radixcheck.verification.protocol import MODES, Observation, Setup, Supports
from radixcheck.verification.subjects.engine_shim import Live, Peek
from radixcheck.verification.subjects.host_shim import Absent, Flight, Found, HostBlackBox, HostShim
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject


class ToyHost:
    """The reference with a host tier as an engine's tree."""

    supports = Supports(policies=("lru", "fifo", "mru"), attributes=frozenset({"time"}), modes=MODES)

    version = "toy"
    hits = 0  # that a checkpoint counts

    def __init__(self, setup: Setup) -> None:
        self.cache = ReferenceHostSubject.of(setup)

    def match(self, key: Any) -> tuple[list[int], Any]:
        return self.match_tiers(key)[:2]

    def insert(self, key: Any, slots: list[int], priority: int) -> int:
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

    def locate(self, node: Any) -> Any:
        return self.cache.locate(node)

    def match_tiers(self, key: Any) -> Found:
        found = self.cache.match(key)
        return Found(found.slots, found.node, found.host_length, found.host_node)

    def peek(self, key: Any) -> Peek:
        return Peek(self.cache.peek(key), self.cache._walk(key.tokens, key.namespace).evictable_tokens())

    def checkpoint(self, live: Live) -> None:
        request = Request(live.tokens, live.key.namespace, live.priority, live.node, live.protected, live.row[: len(live.tokens)])
        self.cache._cache_request(request, self.hits)
        live.node = live.lock = request.node
        live.protected = request.cached
        live.row[: live.protected] = request.row[: live.protected]

    def resident(self, node: Any) -> bool:
        return bool(node.is_resident)

    def path_slots(self, node: Any) -> list[int]:
        return slots_of(node)

    def absent(self, node: Any) -> Absent:
        return Absent(tokens_of(absent(node)), Walk(0, deepest_resident(node)).evictable_tokens())

    def load_back(self, node: Any) -> int:
        tokens = tokens_of(absent(node))
        self.cache._load(node)
        return tokens

    def backup(self, node: Any) -> int:
        return self.cache.backup(node)

    def evict_host(self, tokens: int) -> int:
        return self.cache.evict_host(tokens)

    def host_available(self) -> int:
        return self.cache.host_available()

    def poll(self) -> None:
        self.cache.poll()

    def reset(self) -> None:
        RadixCache.reset(self.cache)  # without a look at what is in flight

    def flights(self) -> list[Flight]:
        return [Flight(copy.up, copy.targets, copy.ticket) for copy in self.cache.copies]

    def observe(self, requests: Any) -> Observation:
        seen = self.cache.observe()
        return Observation(seen.now, seen.nodes, requests, copies=seen.copies)


class Box(HostBlackBox):
    """The engine in the process of the checker, with its inside hidden."""

    values: ClassVar[Any] = values
    tree: ToyHost

    def finish(self, request: int) -> None:
        self.tree.hits = 1
        try:
            super().finish(request)
        finally:
            self.tree.hits = 0


class Engine(Box, HostShim):
    """The same, with its inside in the open."""

    tree: ToyHost


class NeverWaits(Engine):
    """Forgets that a row waits for its loads."""

    def _waits(self, live: Live) -> tuple[Any, ...]:
        return ()


class Hopeful(Engine):
    """Loads without asking whether there is room."""

    def load_back(self, node: Any) -> int:
        self._check_node(node)
        return self.tree.load_back(node)


class LocksAnything(Engine):
    """Locks what only the host has."""

    def lock(self, node: Any) -> Any:
        return super(HostBlackBox, self).lock(node)


class Forgets(Engine):
    """Resets while copies are in flight."""

    def reset(self) -> None:
        super(HostBlackBox, self).reset()


class NeverLoads(Engine):
    """Starts a request without loading back what the host has for it."""

    def _found(self, whole: Any) -> tuple[list[int], Any]:
        return self.tree.match(whole)


def made(kind: type[HostBlackBox], setup: Setup) -> HostBlackBox:
    """The toy behind an engine."""
    return kind(ToyHost(setup), setup.pool)


white, black = partial(made, Engine), partial(made, Box)
never_waits, hopeful, locks_anything = partial(made, NeverWaits), partial(made, Hopeful), partial(made, LocksAnything)
forgets, never_loads = partial(made, Forgets), partial(made, NeverLoads)
