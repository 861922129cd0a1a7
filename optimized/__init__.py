"""The fast cache: slots are tensors on the device, the tree is on the host, and no hot path reads from the device.

The modules, from the bottom up: `keys` (tokens as bytes), `node`, `heap` (the order of eviction), `locks` (protected paths, sizes),
`tree` (segments and walks), `matched` (results of a match), `lookup` (keys that are looked up again), `device_pool` (free slots),
`memory` (tree and pool: makes room by evicting), `loans` and `tags` (replaced in a checking mode), `requests` (rows of live requests),
`page_events` (KV events), `cache` (the verbs). `tiered_cache` adds a host tier, in modules of its own. `batch`
makes the input of a forward pass. The glossary is in `reference/README.md`.

Slots are tensors of dtype int64 and one dimension, on the device of the pool; amounts are in tokens. A refused call raises a subclass of
`radixcheck.spec.values.CacheError` and has changed nothing.

>>> from radixcheck.optimized import DevicePool, Key, RadixCache
>>> cache = RadixCache(page_size=2, policy="lru", pool=DevicePool(capacity=8, page_size=2, device="cpu"))
>>> slots = cache.alloc(4)  # two pages, to be filled with the KV of four tokens
>>> cache.insert(Key((1, 2, 3, 4)), slots)  # none of these tokens was cached before
0
>>> found = cache.match(Key((1, 2, 3, 9)))  # only the first page agrees
>>> found.length, found.slots.tolist() == slots[:2].tolist()
(2, True)
>>> receipt = cache.lock(found.node)
>>> cache.evict(8), cache.sizes()  # the locked page stays
(2, Sizes(available=6, evictable=0, protected=2))
>>> cache.unlock(receipt)
>>> cache.sizes()
Sizes(available=6, evictable=2, protected=0)
"""

try:
    import torch as _torch  # noqa: F401  # before all modules that need it
except ModuleNotFoundError as missing:
    if missing.name != "torch":
        raise
    sentence = (
        "radixcheck.optimized keeps slots in tensors and needs torch, which is not installed for this Python: pip install torch "
        "(radixcheck.reference and radixcheck.spec run without it)"
    )
    raise ModuleNotFoundError(sentence, name="torch") from None

from radixcheck.optimized.batch import Batches, DeviceBatch, batches
from radixcheck.optimized.cache import RadixCache, Receipt
from radixcheck.optimized.device_pool import DevicePool, Pool
from radixcheck.optimized.keys import TokenBuffer
from radixcheck.optimized.kv_copier import KVCopier
from radixcheck.optimized.kv_store import KVBuffers
from radixcheck.optimized.loans import CountedLoans, ListedLoans
from radixcheck.optimized.lookup import Lookup
from radixcheck.optimized.matched import Inserted, Matched
from radixcheck.optimized.tags import NoTags, TagMismatch, Tags
from radixcheck.optimized.tiered_cache import TieredCache, TieredMatched
from radixcheck.spec.values import (
    BadAmount,
    BadKey,
    BadRequest,
    BadSlots,
    CacheError,
    Key,
    NoRoom,
    NotArrived,
    NotLocked,
    NotYourSlot,
    RequestExists,
    Row,
    Sizes,
    StaleHandle,
    StillHeld,
    UnknownRequest,
)

__all__ = [
    "BadAmount",
    "BadKey",
    "BadRequest",
    "BadSlots",
    "Batches",
    "CacheError",
    "CountedLoans",
    "DeviceBatch",
    "DevicePool",
    "Inserted",
    "KVBuffers",
    "KVCopier",
    "Key",
    "ListedLoans",
    "Lookup",
    "Matched",
    "NoRoom",
    "NoTags",
    "NotArrived",
    "NotLocked",
    "NotYourSlot",
    "Pool",
    "RadixCache",
    "Receipt",
    "RequestExists",
    "Row",
    "Sizes",
    "StaleHandle",
    "StillHeld",
    "TagMismatch",
    "Tags",
    "TieredCache",
    "TieredMatched",
    "TokenBuffer",
    "UnknownRequest",
    "batches",
]

if __name__ != "radixcheck.optimized":
    raise ImportError(f"import radixcheck.optimized: a second copy as {__name__!r} would have classes of its own")
