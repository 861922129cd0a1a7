"""The readable radix cache: plain lists, tuples and dictionaries, every operation on one screen.

README.md beside this file gives the reading order, and the names of the same things in SGLang and vLLM. Only the
standard library is needed.

>>> from radixcheck.reference import RadixCache, SlotPool
>>> from radixcheck.spec.values import Key
>>> cache = RadixCache(page_size=2, policy="lru", pool=SlotPool(capacity=8, page_size=2))
>>> slots = cache.alloc(4)
>>> cache.insert(Key((1, 2, 3, 4)), slots)  # nothing of it was cached before
0
>>> cache.match(Key((1, 2, 3, 9))).slots == slots[:2]  # only the first page agrees
True
>>> cache.start(7, Key((1, 2, 9))).cached  # the request reads one cached page and owns another one
2
>>> cache.sizes()
Sizes(available=2, evictable=2, protected=2)
"""

from radixcheck.reference.cache import RadixCache, Request
from radixcheck.reference.eviction import POLICIES
from radixcheck.reference.node import Node
from radixcheck.reference.pool import Pool, SlotPool
from radixcheck.reference.radix_tree import RadixTree

__all__ = ["POLICIES", "Node", "Pool", "RadixCache", "RadixTree", "Request", "SlotPool"]

if __name__ != "radixcheck.reference":
    raise ImportError(f"import radixcheck.reference: a second copy as {__name__!r} would have classes of its own")
