"""Reference caches whose keys are written as letters: one letter is one token."""

from collections.abc import Callable

import pytest

from radixcheck.reference import SlotPool
from radixcheck.spec.values import CacheError, Key
from radixcheck.verification.protocol import SeenNode, Setup
from radixcheck.verification.subjects.reference_subject import ReferenceSubject, reference_subject


def make(page_size: int = 2, capacity: int = 16, policy: str = "lru") -> ReferenceSubject:
    return reference_subject(Setup(page_size, policy, SlotPool(capacity, page_size)))


def key(text: str, *namespace: object) -> Key:
    return Key(tuple(map(ord, text)), namespace)


def put(cache: ReferenceSubject, text: str, *namespace: object, priority: int = 0) -> int:
    """Insert a key with new slots, and free those that are still the caller's."""
    slots = cache.alloc(len(text))
    known = cache.insert(key(text, *namespace), slots, priority)
    cache.free(slots[:known] + slots[len(text) // cache.page_size * cache.page_size :])
    return known


def tree(cache: ReferenceSubject) -> dict[str, SeenNode]:
    """Return every node by its whole prefix, which begins with the namespace if there is one."""
    prefixes: dict[object, str] = {}
    nodes = {}
    for node in cache.observe().nodes:
        before = "".join(map(str, node.namespace)) if node.parent is None else prefixes[node.parent]
        prefixes[node.name] = before + "".join(map(chr, node.segment))
        nodes[prefixes[node.name]] = node
    return nodes


def refused(cache: ReferenceSubject, error: type[CacheError], call: Callable[[], object]) -> None:
    """Check that the call raises this error and changes nothing."""
    before = cache.observe(), cache.sizes()
    with pytest.raises(error):
        call()
    assert (cache.observe(), cache.sizes()) == before
