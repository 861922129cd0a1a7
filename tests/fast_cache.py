"""The optimized cache in its checking mode, and its nodes."""

from collections.abc import Iterator

from radixcheck.optimized import DevicePool, ListedLoans, RadixCache, Tags
from radixcheck.optimized.node import Node
from radixcheck.spec.values import Key


def make(device: str = "cpu", page_size: int = 2, capacity: int = 32) -> RadixCache:
    """A cache that checks loans and content."""
    return RadixCache(page_size, "lru", DevicePool(capacity, page_size, device), Tags(capacity, device), ListedLoans(page_size))


def put(cache: RadixCache, key: Key, priority: int = 0) -> int:
    """What an engine does with a key: compute what is not cached, insert it, free the rest."""
    slots = cache.alloc(len(key.tokens))
    cache.tags.write(slots, key, 0)
    prefix = cache.insert(key, slots, priority)
    cache.free(slots[:prefix])
    cache.free(slots[key.whole_pages(cache.page_size) :])
    return prefix


def nodes(cache: RadixCache) -> Iterator[Node]:
    """All nodes but the root, parents first."""
    waiting = list(cache.tree.root.children.values())
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children.values())
