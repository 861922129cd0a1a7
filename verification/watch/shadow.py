"""The shadow: our cache beside a live one. It makes the same calls, answers no request, and reports where the two differ.

Both trees are compared along the path of each match and each checkpoint: the same nodes, of the same sizes, and with the same hits or
priorities where the policy compares these. Of an eviction the victims are compared, in order; after each call the sizes. A shadow of one of
SGLang's caches imitates the choices in which SGLang and we differ (`imitation`).

After a difference the two caches have diverged, and what follows from it would differ too. So our tree is made anew from the live one
(`shadow_rebuild`), and sizes are compared by how they change. The shadow pauses until the next reset, and reports why, if the live tree
cannot be read within one call, is not one that our cache can have, or was read REBUILDS_MAX times, and if the two differ at a lock.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain, zip_longest
from time import perf_counter_ns
from types import SimpleNamespace
from typing import Any

from radixcheck.optimized.heap import SLRU_HITS
from radixcheck.optimized.integrations.sglang_cache import SGLangCache, namespace_of, packed
from radixcheck.spec.values import StaleHandle
from radixcheck.verification.watch.imitation import Imitation, UnifiedImitation
from radixcheck.verification.watch.shadow_cache import PairedNode, PairedTree, Request, shadow_cache
from radixcheck.verification.watch.shadow_rebuild import NotReadable, rebuilt
from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.tree_view import TreeView
from radixcheck.verification.watch.watch_counts import ShadowCounts
from radixcheck.verification.watch.watched_call import CHECKPOINT, EVICT, INSERT, LOCK, MATCH, RESET, UNLOCK, Call

Report = Callable[[str, int, str, str], None]  # as of `LiveWatch`

REFINEMENT, SHADOW = "REFINEMENT", "SHADOW"  # SHADOW: calls are not compared from now on
REBUILDS_MAX = 16  # between two resets
NODES_MAX = 5_000  # of a live tree that is read at once, within one call of the server: 12 microseconds each
COUNTED = frozenset({"lfu", "slru", "priority"})  # policies whose first number counts: it must be the same in both caches
KINDS: dict[str, type[SGLangCache]] = {
    "radixcheck": SGLangCache,
    "sglang-classic": Imitation,
    "sglang-python": UnifiedImitation,
    "sglang-rust": UnifiedImitation,
}
CHOICES = {  # findings about the choices that the kind of KINDS imitates
    "sglang-classic": "classic-match-refreshes-unused (L5), classic-split-renews-creation",
    "sglang-python": "python-match-refreshes-unused (L5)",
    "sglang-rust": "rust-match-refreshes-unused (L5)",
}


class NotShadowed(Exception):
    """Our cache has no such call."""


class Shadow:
    """A `Listener` of the calls of the cache that `view` shows. `kind` is a class of our cache, as KINDS has it for caches of SGLang.

    `results` is SGLang's module `base_prefix_cache`, where another one does not stand for it. Raises ValueError for a policy that we do not
    have, NotReadable for a live tree beside which our cache cannot begin.
    """

    def __init__(self, view: TreeView, kind: type[SGLangCache], report: Report, results: Any = None, nodes_max: int = NODES_MAX) -> None:
        self.view, self.report, self.nodes_max = view, report, nodes_max
        self.counts = ShadowCounts()
        self.cache = shadow_cache(view, kind, results or import_module("sglang.srt.mem_cache.base_prefix_cache"))
        choices = CHOICES.get(view.cache_name, "") if kind is not KINDS.get(view.cache_name) else ""
        self._why = f"; this shadow does not imitate {choices}, which may be why" if choices else ""
        self._ours: dict[Any, PairedNode] = {}  # by the live node
        self._calls = {MATCH: self._match, INSERT: self._insert, CHECKPOINT: self._checkpoint, EVICT: self._evict}
        self._calls |= {LOCK: self._lock, UNLOCK: self._lock}
        self._rebuilds = 0  # since the last reset
        self._offset = (0, 0)  # by how much the live sizes have differed since the last difference
        self._counted = view.policy in COUNTED
        self._failed = False  # for ever
        if (hits := getattr(getattr(view, "_strategy", None), "protected_threshold", SLRU_HITS)) != SLRU_HITS:
            raise ValueError(f"under slru it protects from {hits} hits, and our cache from {SLRU_HITS}")
        self._begin()

    def called(self, call: Call) -> None:
        """Make the same call, and report how its outcome differs."""
        start = perf_counter_ns()
        try:
            self._take(call)
        except (NotShadowed, NotReadable) as reason:
            self._pause(call, f"the shadow waits for a reset: {reason}")
        except Exception as error:
            self._failed = True
            self._pause(call, f"the shadow has failed: {type(error).__name__}: {error}")
        took = perf_counter_ns() - start
        self.counts.nanoseconds += took
        self.counts.longest = max(self.counts.longest, took)

    def _pause(self, call: Call, reason: str) -> None:
        self.counts.paused = reason
        self.report(SHADOW, call.number, call.verb, reason)

    def _take(self, call: Call) -> None:
        if call.verb == RESET and not self._failed:
            self._begin()
        make = self._calls.get(call.verb)
        if make is None:
            return
        if self.counts.paused:
            self.counts.left_out += 1
            return
        self.counts.calls[call.verb] += 1
        self.cache.token_to_kv_pool_allocator.freed = 0
        try:
            found = next(chain(make(call), self._sizes()), "")  # what follows from the first difference is not reported
        except (AssertionError, StaleHandle) as error:
            if self._rebuilds:
                raise NotShadowed(f"after a difference our cache cannot make this call ({error})") from error
            found = f"our cache cannot make this call: {error}"
        if found:
            self.counts.differences += 1
            self.report(REFINEMENT, call.number, call.verb, found + self._why)
            if call.verb in (LOCK, UNLOCK):
                raise NotShadowed("the lock counts differ, and the tree does not show who holds what")
            self._rebuild()

    # Calls: each yields how the outcomes differ

    def _match(self, call: Call) -> Iterator[str]:
        key = getattr(call.arguments[0], "key", call.arguments[0])  # of `touch_prefix`: the key itself
        if getattr(key, "is_bigram", False):
            raise NotShadowed("keys of pairs of tokens, for draft models, are not shadowed")
        ours, theirs = self.cache.match_prefix(SimpleNamespace(key=key)), call.result
        if theirs is None:
            yield from self._path(ours.last_device_node, call.touched[-1]) if call.touched else ()
            return
        if ours.device_prefix_len != theirs.device_prefix_len:
            yield f"our cache matches {ours.device_prefix_len} tokens; the live one {theirs.device_prefix_len}"
        else:
            yield from self._path(ours.last_device_node, self.view.node(theirs.last_device_node))

    def _insert(self, call: Call) -> Iterator[str]:
        params = call.arguments[0]
        whole = len(params.key) // self.view.page_size * self.view.page_size
        data, slots = packed(params.key.token_ids, whole), self.cache.req_to_token_pool.first(whole)
        prefix, path = self.cache._store(namespace_of(params.key), data, slots, params.inserted_len, params.priority or 0)
        if prefix != call.result.prefix_len:
            yield f"our cache had {prefix} tokens of the key; the live one {call.result.prefix_len}"
        yield from self._path(path[-1] if path else self.cache.tree.root, self.view.node(call.result.last_device_node))

    def _checkpoint(self, call: Call) -> Iterator[str]:
        request, cache = call.arguments[0], self.cache
        protected, inserted, lock = call.before
        held = None if lock is None else SimpleNamespace(node=self._node(self.view.node(lock.node)))
        ours = Request(request, protected, inserted, held)
        cache.checkpoint(ours, up_to=call.named.get("up_to", len(request.full_untruncated_fill_ids)))
        yield from self._freed(call)
        for name, what in (("cache_protected_len", "protected"), ("cache_inserted_len", "inserted")):
            mine, live = getattr(ours.kv, name), getattr(request.kv, name)
            if mine != live:
                yield f"our cache says that {mine} tokens are {what}; the live one {live}"
        yield from self._path(ours.last_node, self.view.node(request.last_node))

    def _lock(self, call: Call) -> Iterator[str]:
        for live, change in call.locks:
            node = self._node(live)
            if change > 0:
                self.cache.inc_lock_ref(node)
            else:
                self.cache.dec_lock_ref(node)
        yield from ()

    def _evict(self, call: Call) -> Iterator[str]:
        if call.named.get("allocation_reclaim_satisfied") is not None:
            raise NotShadowed("evictions that end when an allocator is satisfied are not shadowed")
        tree: PairedTree = self.cache.tree
        tree.victims = []
        freed, answer = self.cache.evict(call.arguments[0]).num_tokens_evicted, call.result.num_tokens_evicted
        for number, (ours, theirs) in enumerate(zip_longest(tree.victims, call.victims), 1):
            if ours is None or theirs is None or not self._same(ours, theirs):
                yield f"victim {number} of our cache is {ours or 'missing'}; of the live one {self._name(theirs)}"
                break
        for ours in tree.victims:
            self._ours.pop(ours.live, None)
        if freed != answer:
            yield f"our cache evicts {freed} tokens; the live one answers {answer}"
        yield from self._freed(call)

    # Comparisons

    def _freed(self, call: Call) -> Iterator[str]:
        """Compare how many slots the call gave back."""
        slots, freed = self.cache.token_to_kv_pool_allocator, sum(map(len, call.freed))
        if slots.freed != freed:
            yield f"our cache gives {slots.freed} slots back; the live one {freed}"

    def _same(self, ours: PairedNode, theirs: Record) -> bool:
        """Return whether a victim of each is the same node."""
        return ours.live is theirs.node and ours.size == theirs.size

    def _name(self, theirs: Record | None) -> str:
        return str(theirs or "missing")

    def _node(self, live: Any) -> PairedNode:
        """Return our node for a live one."""
        if live is self.view.root:
            root: PairedNode = self.cache.tree.root
            return root
        found = self._ours.get(live)
        assert found is not None, "the lock is of a node that our tree does not have"
        return found

    def _path(self, ours: PairedNode, live: Any) -> Iterator[str]:
        """Compare two paths from their ends to the root. New nodes become known to each other."""
        view, known, root, top = self.view, self._ours, self.cache.tree.root, self.view.root
        key = self.cache.tree.heap.key
        while ours is not root and live is not None and live is not top:
            size = view.size(live)
            if ours.live is None and live not in known:
                ours.live, known[live] = live, ours
            if ours.live is not live or ours.size != size:
                yield f"the path of our cache has {ours}; that of the live one has another of {size} tokens there"
                return
            if self._counted and key(ours)[0] != view.order(live)[0]:
                yield f"our cache counts {key(ours)[0]} for {ours} ({view.policy}); the live one {view.order(live)[0]}"
                return
            assert isinstance(ours.parent, PairedNode)
            ours, live = ours.parent, view.parent(live)
        if ours is not root or live is not top:
            yield f"the path of our cache has {ours if ours is not root else 'no more nodes'}; that of the live one has " + (
                "more" if ours is root else "no more nodes"
            )

    def _sizes(self) -> Iterator[str]:
        tree, offset = self.cache.tree, self._offset
        evictable, protected = self.view.sizes()
        if (evictable - offset[0], protected - offset[1]) != (tree.evictable, tree.protected):
            expected = f"{tree.evictable + offset[0]} evictable and {tree.protected + offset[1]} protected tokens"
            yield f"our cache counts {expected}; the live one {evictable} and {protected}"

    # Beginnings

    def _begin(self) -> None:
        """Begin with the live tree as it is: empty, at a start or a reset."""
        self._rebuilds, self._offset, self.counts.paused = 0, (0, 0), ""
        if len(self.view.children(self.view.root)):
            self._rebuild()
        else:
            self.cache.reset()
            self._ours = {}

    def _rebuild(self) -> None:
        """Make our tree anew from the live one. Raises NotShadowed, NotReadable."""
        if self._rebuilds == REBUILDS_MAX:
            raise NotShadowed(f"our tree was made anew {REBUILDS_MAX} times")
        self._ours = rebuilt(self.cache, self.view, self.nodes_max)
        self._rebuilds += 1
        self.counts.rebuilds += 1
        sizes, tree = self.view.sizes(), self.cache.tree
        self._offset = (sizes[0] - tree.evictable, sizes[1] - tree.protected)
