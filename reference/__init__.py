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

`TieredCache` adds a host tier: what leaves the device stays on the host, and is loaded back.

>>> from radixcheck.reference import Copies, TieredCache
>>> copier = Copies()
>>> cache = TieredCache(2, "lru", SlotPool(4, 2), SlotPool(8, 2), copier, "write_through")
>>> cache.insert(Key((1, 2, 3, 4)), cache.alloc(4))  # issues the backup, which locks what it reads
0
>>> copier.in_flight()[0].complete(), cache.poll() == copier.issued
(None, True)
>>> cache.evict(2), cache.match(Key((1, 2, 3, 4))).host_length  # it has left the device, and is on the host
(4, 4)
>>> row = cache.start(7, Key((1, 2, 3, 4)))  # issues the load: the request has its slots, and waits for what fills them
>>> row.cached, row.waits == (copier.issued[1],)
(4, True)
>>> copier.in_flight()[0].complete(), len(cache.poll())
(None, 1)
>>> cache.run(7)  # or NotArrived
"""

from radixcheck.reference.cache import RadixCache, Request
from radixcheck.reference.copies import MODES, Copies
from radixcheck.reference.eviction import POLICIES
from radixcheck.reference.node import Node
from radixcheck.reference.pool import Pool, SlotPool
from radixcheck.reference.radix_tree import RadixTree
from radixcheck.reference.tiered_node import TieredNode
from radixcheck.reference.tiers import TieredCache
from radixcheck.spec.values import Copier, Ticket

__all__ = [
    "MODES",
    "POLICIES",
    "Copier",
    "Copies",
    "Node",
    "Pool",
    "RadixCache",
    "RadixTree",
    "Request",
    "SlotPool",
    "Ticket",
    "TieredCache",
    "TieredNode",
]

if __name__ != "radixcheck.reference":
    raise ImportError(f"import radixcheck.reference: a second copy as {__name__!r} would have classes of its own")
