"""The adapter of a cache with the methods of SGLang's `RadixCache`: it says what radixcheck's words mean in this cache.

Where a line ends in FILL IN it is about a tiny example, which holds; put your cache there, from the top to the bottom.
SGLang's own caches need no adapter: `radixcheck subjects --python PATH` lists them. For a class derived from one of them begin with
radixcheck/verification/subjects/sglang_classic.py.

    radixcheck verify NAME:cache --seconds 20         # less than a minute; without --seconds it goes further
    radixcheck verify NAME:cache --python PATH        # in another environment, with your cache and this package (pip install --no-deps)
    pytest test_NAME.py
"""

from typing import Any

from radixcheck.spec.values import Key
from radixcheck.verification.protocol import NodeId, Observation, SeenNode, Setup, Supports
from radixcheck.verification.subjects.engine_shim import EngineShim, Live, Peek
from radixcheck.verification.subjects.starter.assembled import of_tree
from radixcheck.verification.subjects.starter.tiny_radix_cache import TinyRadixCache  # FILL IN


class Adapter:
    """The tree. Slots are integers in a list; keys come in whole pages. If yours takes tensors, convert here."""

    supports = Supports(  # FILL IN: what your cache can do; what is not named here is not asked for
        namespaces=False,  # keys are tokens alone: no extra_key
        policies=("lru",),  # of lru, lfu, fifo, filo, mru, slru, priority
        page_sizes=(1, 2, 16, 64),  # tokens
        attributes=frozenset({"time"}),  # what `observe` shows of a node: time, creation, hits, priority
    )
    version = "1"  # FILL IN: it is shown in results

    def __init__(self, setup: Setup) -> None:
        """Make an empty cache. `setup.pool` stands for the allocator: alloc(tokens) -> slots, free(slots), available."""
        self.pool, self.page_size = setup.pool, setup.page_size
        self.cache = TinyRadixCache(setup.pool, setup.page_size)  # FILL IN

    def match(self, key: Key) -> tuple[list[int], Any]:
        """Return the slots of the longest cached prefix, and its last node: `lock` takes it."""
        return self.cache.match_prefix(key.tokens)  # FILL IN

    def peek(self, key: Key) -> Peek:
        """Return the tokens that a match would find, and how many of these may be evicted now. Change nothing: no split, no time."""
        node, left, length, evictable = self.cache.root_node, key.tokens, 0, 0  # FILL IN, if children have other keys than first pages
        while (child := node.children.get(tuple(left[: self.page_size]))) is not None:
            agree = [a == b for a, b in zip(child.key, left, strict=False)] + [False]
            shared = agree.index(False) // self.page_size * self.page_size
            length, evictable = length + shared, evictable + (0 if child.lock_ref else shared)
            if shared < len(child.key):
                break
            node, left = child, left[shared:]
        return Peek(length, evictable)

    def insert(self, key: Key, slots: list[int], priority: int) -> int:
        """Cache the key with a slot for each token. Return how many tokens were cached already: their slots stay with the caller."""
        return self.cache.insert(key.tokens, slots)  # FILL IN

    def lock(self, node: Any) -> Any:
        """Protect the path to a node of a match from eviction. Return what `unlock` takes."""
        self.cache.inc_lock_ref(node)  # FILL IN
        return node

    def unlock(self, lock: Any) -> None:
        """Release one lock."""
        self.cache.dec_lock_ref(lock)  # FILL IN

    def attached(self, node: Any) -> bool:
        """Return whether the root still leads to a node of an earlier match."""
        while node is not self.cache.root_node:
            if node.parent is None or all(child is not node for child in node.parent.children.values()):
                return False
            node = node.parent
        return True

    def evict(self, tokens: int) -> int:
        """Evict until so many tokens are freed, or none may go. The slots go back to the pool. Return the tokens freed."""
        return self.cache.evict(tokens)  # FILL IN

    def sizes(self) -> tuple[int, int]:
        """Return how many cached tokens may be evicted, and how many are locked."""
        return self.cache.evictable_size(), self.cache.protected_size()  # FILL IN

    def reset(self) -> None:
        """Forget everything: nothing is locked. The slots go back to the pool."""
        slots = [slot for node in self._nodes() for slot in node.value]
        self.cache.reset()  # FILL IN
        if slots:
            self.pool.free(slots)

    def checkpoint(self, live: Live) -> None:
        """Cache the whole pages of a request, as `cache_unfinished_req` does, and move its lock to the deeper node."""
        key = live.tokens[: len(live.tokens) // self.page_size * self.page_size]
        known = self.cache.insert(key, live.row[: len(key)])  # FILL IN
        if known > live.protected:  # others have cached these tokens meanwhile: the request's own slots for them go back
            self.pool.free(live.row[live.protected : known])
        slots, node = self.cache.match_prefix(key)  # FILL IN
        self.cache.inc_lock_ref(node)  # FILL IN
        self.cache.dec_lock_ref(live.lock)  # FILL IN
        live.row[: len(slots)], live.node, live.lock, live.protected = slots, node, node, len(slots)

    def observe(self, requests: Any) -> Observation:
        """Return the clock, every node but the root, each after its parent, and the requests that were given. Change nothing.

        Optional, with `locate`: then every property is checked after every operation, and faults are drawn. Otherwise leave both out.
        """
        return Observation(self.cache.time, [self._seen(node) for node in self._nodes()], requests)  # FILL IN

    def locate(self, node: Any) -> NodeId | None:
        """Return the name of a node as `observe` shows it; None for the root. Optional, with `observe`."""
        return None if node is self.cache.root_node else node.id

    def _seen(self, node: Any) -> SeenNode:
        """Return a node: name, parent, tokens, slots, namespace, the page under which its parent files it, locks, last use."""
        page = next(page for page, child in node.parent.children.items() if child is node)
        return SeenNode(node.id, self.locate(node.parent), node.key, node.value, (), page, node.lock_ref, node.last_access_time)

    def _nodes(self) -> list[Any]:
        """Return every node but the root, each after its parent."""
        found, waiting = [], list(self.cache.root_node.children.values())
        while waiting:
            node = waiting.pop()
            found.append(node)
            waiting += node.children.values()
        return found


def cache(setup: Setup) -> EngineShim:
    """Return a new cache to be checked. What a caller must not do is refused before it reaches yours."""
    return of_tree(Adapter(setup), setup)
