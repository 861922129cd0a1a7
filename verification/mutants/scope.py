"""The faults reported in the field: FB-01 to FB-85. Each is the source of a mutant, or stands here with the reason why it has none.

What is out of scope lies beyond the cache that the specification describes: one tier, slots of one pool, keys of whole pages. A
mutant would have to break what no formula speaks of.
"""

FIELD = tuple(f"FB-{number:02d}" for number in range(1, 86))

_HOST = "a second tier: copies on the host, their locks, their transfers"
_WINDOWS = "windows and hybrid models: a second pool, of which a match needs the last part only"
_INDEX = "an index from hashes to blocks, which a tree of tokens does not have"
_EVENTS = "events told to a router, which mirrors the cache elsewhere"
_MANY = "several processes that must call the same collectives"
_ROUTER = "a router's tree, with tenants and budgets"

OUT_OF_SCOPE = {
    "FB-05": f"{_INDEX}: hashes of pages, sliced by tokens",
    "FB-12": f"{_HOST}: unlocked when a copy is acknowledged",
    "FB-17": f"{_HOST}: a lock of the host that a cascade overlooks",
    "FB-22": f"{_WINDOWS}: one victim frees two resources",
    "FB-30": f"{_WINDOWS}: a map from slots to those of the second pool",
    "FB-32": f"{_HOST}: a prefetch and its completion free the same slots",
    "FB-33": f"{_HOST}: an operation is forgotten before it ends",
    "FB-37": f"{_INDEX}: a partial block registered again",
    "FB-38": f"{_INDEX}: tokens of a request rewritten under their hashes",
    "FB-42": f"{_HOST}: evicting from the host cuts nodes off",
    "FB-44": f"{_HOST}: what a leaf is, on each tier",
    "FB-52": f"{_INDEX}: the order in which blocks of several groups join a list of free ones",
    "FB-53": f"{_WINDOWS}: which end of a chain is worth keeping",
    "FB-55": f"{_WINDOWS}: how long the run behind a gap is",
    "FB-57": f"{_HOST}: a copied child below a parent without a copy",
    "FB-58": f"{_HOST}: a guard of one way of writing, applied to the other",
    "FB-59": f"{_HOST}: a copy that failed is taken for made",
    "FB-60": f"{_MANY}: a barrier skipped where there is nothing to do",
    "FB-61": f"{_HOST}: an empty transfer counts as complete",
    "FB-64": f"{_HOST}: a branch that no candidate can reach",
    "FB-65": f"{_HOST}: a lock of the host where there is no copy yet",
    "FB-67": f"{_HOST}: a key of an external tier without the adapter",
    "FB-69": f"{_EVENTS}: ids without the namespace",
    "FB-71": f"{_EVENTS}: ids of pages without what lies before them",
    "FB-72": f"{_EVENTS}: several copies under one id",
    "FB-73": f"{_EVENTS}: parents not named",
    "FB-74": f"{_EVENTS}: removals not told",
    "FB-75": f"{_EVENTS}: a parent that was stored long ago",
    "FB-76": f"{_ROUTER}: removed nodes stay attached",
    "FB-77": f"{_EVENTS}: removals told twice",
    "FB-78": f"{_EVENTS}: a cache that tells nothing",
    "FB-79": f"{_EVENTS}: a child told before its parent",
    "FB-82": f"{_INDEX}: ancestors hashed again for each page",
    "FB-83": f"{_ROUTER}: budgets for each worker and none for the tree",
}
