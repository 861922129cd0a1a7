"""The fast cache: slots are tensors on the device, the tree is kept on the host, and nothing on a hot path reads back.

The modules, from the bottom up: `keys` (tokens as bytes), `node`, `heap` (victims in order), `locks` (paths that are protected, and
sizes), `tree` (segments and walks), `matched` (what a match hands out), `lookup` (keys that are looked up again), `pool` (which slots are
free), `memory` (tree and pool: room is made by evicting), `loans` and `tags` (what a checking mode puts in), `requests` (rows of live
requests), `cache` (the verbs). Beside them `batch` (what a forward pass is given).
"""

from radixcheck.optimized.batch import Batches, DeviceBatch, batches
from radixcheck.optimized.cache import RadixCache
from radixcheck.optimized.device_pool import DevicePool, Pool
from radixcheck.optimized.keys import TokenBuffer
from radixcheck.optimized.loans import CountedLoans, ListedLoans
from radixcheck.optimized.lookup import Lookup
from radixcheck.optimized.tags import NoTags, TagMismatch, Tags

__all__ = [
    "Batches",
    "CountedLoans",
    "DeviceBatch",
    "DevicePool",
    "ListedLoans",
    "Lookup",
    "NoTags",
    "Pool",
    "RadixCache",
    "TagMismatch",
    "Tags",
    "TokenBuffer",
    "batches",
]

if __name__ != "radixcheck.optimized":
    raise ImportError(f"import radixcheck.optimized: a second copy as {__name__!r} would have classes of its own")
