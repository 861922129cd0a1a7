"""SGLang 0.4.6.post5's `RadixCache`, unmodified, from extracted sources, but for a deterministic clock. Its inside is read.

Only the two files of the cache are loaded. What they import from the rest of the package is not needed: empty classes stand for it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from radixcheck.verification.remote.serve import Key, Missing, Observation, SeenNode, Supports
from radixcheck.verification.subjects.engine_shim import FinishingShim, Peek
from radixcheck.verification.subjects.sglang import Allocator, Clock, Linked, Rows, extracted, filed, nodes_of

VERSION = "0.4.6.post5"
PACKAGES = ("", ".srt", ".srt.mem_cache", ".srt.managers", ".srt.disaggregation")
STANDING_IN = {
    ".srt.disaggregation.kv_events": ("AllBlocksCleared", "BlockRemoved", "BlockStored", "KVCacheEvent"),
    ".srt.managers.schedule_batch": ("global_server_args_dict",),
    ".srt.mem_cache.memory_pool": ("ReqToTokenPool", "TokenToKVPoolAllocator"),
}


def loaded() -> Any:
    """Return the module of the cache. Raises Missing."""
    name = "sglang.srt.mem_cache.radix_cache"
    if name in sys.modules:
        return sys.modules[name]
    folder = extracted("sglang", VERSION, "srt/mem_cache/radix_cache.py").parent
    if importlib.util.find_spec("torch") is None:
        raise Missing(f"sglang {VERSION} needs torch, which is not installed for this Python: name one, as NAME@PATH or with --python PATH")
    for package in PACKAGES:
        sys.modules["sglang" + package] = ModuleType("sglang" + package)
    for module, names in STANDING_IN.items():
        stand_in = ModuleType("sglang" + module)
        stand_in.__dict__.update({one: type(one, (), {}) for one in names})
        sys.modules["sglang" + module] = stand_in
    for file in ("base_prefix_cache", "radix_cache"):
        load(folder / f"{file}.py")
    return sys.modules[name]


def load(path: Path) -> Any:
    """Load one file of the package, and return its module."""
    spec = importlib.util.spec_from_file_location(f"sglang.srt.mem_cache.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(allocator: Any, rows: Any, page_size: int) -> Any:
    """Return the unmodified cache. Raises Missing."""
    return loaded().RadixCache(rows, allocator, page_size)


class Legacy(Linked):
    """The tree. It has no creations, hits, priorities or namespaces."""

    supports = Supports(attributes=frozenset({"time"}), namespaces=False)
    version = VERSION

    def __init__(self, setup: Any) -> None:
        module = loaded()
        self._clock = module.time = Clock()
        self._pool, self._rows = setup.pool, Rows()
        self.cache = built(Allocator(setup.pool), self._rows, setup.page_size)

    def match(self, key: Key) -> tuple[list[int], Any]:
        """Return the slots and the node."""
        slots, node = self.cache.match_prefix(list(key.tokens))
        return slots.tolist(), node

    def peek(self, key: Key) -> Peek:
        """Return what a match would find; changes nothing."""
        return self._walk(list(key.tokens), self.cache.get_child_key_fn, self.cache.key_match_fn)

    def insert(self, key: Key, slots: list[int], priority: int) -> int:
        """Insert a copy of the slots, as from an engine's row."""
        import torch

        return int(self.cache.insert(list(key.tokens), torch.tensor(slots, dtype=torch.int64)))

    def lock(self, node: Any) -> Any:
        """Lock as a request does, which keeps the node."""
        self.cache.inc_lock_ref(node)
        return node

    def unlock(self, lock: Any) -> None:
        """Unlock as a request does."""
        self.cache.dec_lock_ref(lock)

    def evict(self, tokens: int) -> int:
        """Return what the pool got back: the cache does not report what it has evicted."""
        before = self._pool.available
        self.cache.evict(tokens)
        return int(self._pool.available - before)

    def checkpoint(self, live: Any) -> None:
        """Call the cache's own `cache_unfinished_req`."""
        req = self._request(live)
        self.cache.cache_unfinished_req(req)
        live.node = live.lock = req.last_node
        live.inserted = len(req.prefix_indices)
        live.protected = len(live.tokens) // self.cache.page_size * self.cache.page_size
        live.row[: live.protected] = self._rows.req_to_token[0, : live.protected].tolist()

    def finish(self, live: Any) -> None:
        """Call the cache's own `cache_finished_req`.

        It ignores the last token of an answer, which has no slot in an engine: one more token is added here.
        """
        req = self._request(live)
        req.output_ids = [0]
        self.cache.cache_finished_req(req)

    def _request(self, live: Any) -> Any:
        """Return what the cache reads of a request: of `prefix_indices` the length, to which after a checkpoint the tail belongs."""
        self._rows.put(live.row)
        tokens, known = list(live.tokens), range(max(live.protected, live.inserted))
        return SimpleNamespace(
            req_pool_idx=0, origin_input_ids=tokens, output_ids=[], fill_ids=list(live.tokens), prefix_indices=known, last_node=live.node
        )

    def observe(self, requests: Any) -> Observation:
        """Return every node below the root, parents first, with the key under which its parent files it."""
        return Observation(self._clock.now, [self._seen(node) for node in nodes_of(self.cache.root_node)], requests)

    def _seen(self, node: Any) -> SeenNode:
        key = filed(node)
        page = (key,) if isinstance(key, int) else key
        return SeenNode(node.id, self.locate(node.parent), node.key, node.value, (), page, node.lock_ref, node.last_access_time)


def sglang_legacy(setup: Any) -> FinishingShim:
    """Return the cache of SGLang 0.4.6.post5."""
    return FinishingShim(Legacy(setup), setup.pool)
