"""The adapter of a prefix cache: it says what radixcheck's words mean in this cache.

Where a line ends in FILL IN it is about a tiny example, which holds; put your cache there, from the top to the bottom.
A method that your cache cannot have: leave it out, and name it in `without`.

    radixcheck verify NAME:cache --seconds 20         # less than a minute; without --seconds it goes further
    radixcheck show TRACE                             # draw what `verify --traces DIR` has found
    pytest test_NAME.py
"""

from typing import Any

from radixcheck.spec.values import Key
from radixcheck.verification.protocol import NodeId, Observation, SeenNode, Setup, Supports
from radixcheck.verification.subjects.engine_shim import EngineShim, Peek
from radixcheck.verification.subjects.starter.assembled import of_tree
from radixcheck.verification.subjects.starter.tiny_tree import TinyTree  # FILL IN


class Adapter:
    """A cache with verbs of its own. Slots are integers that come from `setup.pool`, in whole pages, and go back to it."""

    supports = Supports(  # FILL IN: what your cache can do; what is not named here is not asked for
        requests=False,  # it does not keep rows of requests: the caller matches, locks, allocates and inserts
        namespaces=False,  # keys are tokens alone: no adapter, no salt
        policies=("lru",),  # of lru, lfu, fifo, filo, mru, slru, priority
        page_sizes=(1,),  # tokens
        attributes=frozenset({"time"}),  # what `observe` shows of a node: time, creation, hits, priority
    )
    version = "1"  # FILL IN: it is shown in results

    def __init__(self, setup: Setup) -> None:
        """Make an empty cache, of pages of `setup.page_size` tokens, which evicts by `setup.policy`."""
        self.pool = setup.pool  # pool.alloc(tokens) -> slots; pool.free(slots); pool.available
        self.cache = TinyTree()  # FILL IN

    def match(self, key: Key) -> tuple[list[int], Any]:
        """Return the slots of the longest cached prefix of `key.tokens`, and the node where it ends: `lock` takes it."""
        return self.cache.find(key.tokens)  # FILL IN

    def peek(self, key: Key) -> Peek:
        """Return how many tokens a match would find; the second number is for caches of requests. Change nothing: no split, no time."""
        return Peek(self.cache.known(key.tokens)[0], 0)  # FILL IN

    def insert(self, key: Key, slots: list[int], priority: int) -> int:
        """Cache the key with a slot for each token. Return how many tokens were cached already: their slots stay with the caller."""
        return self.cache.add(key.tokens, slots)  # FILL IN

    def lock(self, node: Any) -> Any:
        """Protect the path to a node of a match from eviction. Return what `unlock` takes."""
        self.cache.pin(node)  # FILL IN
        return node

    def unlock(self, lock: Any) -> None:
        """Release one lock."""
        self.cache.unpin(lock)  # FILL IN

    def attached(self, node: Any) -> bool:
        """Return whether a node of an earlier match is still in the tree."""
        return self.cache.has(node)  # FILL IN

    def evict(self, tokens: int) -> int:
        """Evict until so many tokens are freed, or none may go. The slots go back to the pool. Return the tokens freed."""
        slots = self.cache.drop(tokens)  # FILL IN
        self._free(slots)
        return len(slots)

    def sizes(self) -> tuple[int, int]:
        """Return how many cached tokens may be evicted, and how many are locked."""
        return self.cache.free_to_drop, self.cache.pinned  # FILL IN

    def reset(self) -> None:
        """Forget everything: nothing is locked. The slots go back to the pool."""
        self._free(self.cache.drop(self.cache.free_to_drop))  # FILL IN

    def observe(self, requests: object) -> Observation:
        """Return the clock, and every node but the root, each after its parent. Change nothing.

        Optional, with `locate`: then every property is checked after every operation, and faults are drawn. Otherwise leave both out.
        """
        return Observation(self.cache.clock, [self._seen(node) for node in self.cache.nodes()])  # FILL IN

    def locate(self, node: Any) -> NodeId | None:
        """Return the name of a node as `observe` shows it; None for the root. Optional, with `observe`."""
        return None if node.parent is None else id(node)  # FILL IN

    def _seen(self, node: Any) -> SeenNode:
        """Return a node: name, parent, tokens, slots, namespace, the page under which its parent files it, locks, last use."""
        above = self.locate(node.parent) if node.parent else None  # FILL IN
        return SeenNode(id(node), above, node.tokens, node.slots, (), node.tokens[:1], node.pins, node.used)  # FILL IN

    def _free(self, slots: list[int]) -> None:
        if slots:
            self.pool.free(slots)


def cache(setup: Setup) -> EngineShim:
    """Return a new cache to be checked. What a caller must not do is refused before it reaches yours."""
    return of_tree(Adapter(setup), setup)
