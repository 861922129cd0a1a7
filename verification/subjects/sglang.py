"""The common part of SGLang's trees: tensors of slots, an allocator, the table of rows, a deterministic clock.

Runs in the environment of SGLang; torch comes with it.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from radixcheck.verification.remote.serve import Key, Missing, Pool
from radixcheck.verification.subjects.engine_shim import Peek

LONGEST = 4096  # tokens of a request's row, at first
POLICIES = ("lru", "lfu", "fifo", "filo", "mru", "slru", "priority")


class Clock:
    """Replaces the module `time`: each reading is later than the one before, and the same in every run."""

    def __init__(self) -> None:
        self.now = 0

    def monotonic(self) -> int:
        """Return the next reading."""
        self.now += 1
        return self.now

    perf_counter = monotonic


class Allocator:
    """The checker's pool with the methods that a tree calls on its allocator."""

    device = "cpu"

    def __init__(self, pool: Pool) -> None:
        self.pool, self.page_size = pool, pool.page_size

    def free(self, slots: Any) -> None:
        """Free the pages of these slots, each once, as a paged allocator does."""
        size = self.page_size
        pages = dict.fromkeys(slot // size for slot in slots.tolist())
        if not pages:
            return
        self.pool.free([page * size + i for page in pages for i in range(size)])

    def free_segment(self, slots: Any, *, start_pos: int) -> None:
        """Free a part of a row that begins with a page."""
        assert start_pos % self.page_size == 0, "the segment does not begin with a page"
        self.free(slots)

    def free_segments(self, segments: Any) -> None:
        """Free several parts."""
        for slots, start in segments:
            self.free_segment(slots, start_pos=start)

    def available_size(self) -> int:
        """Return the free tokens."""
        return self.pool.available

    def get_kvcache(self) -> None:
        """There are no tensors of keys and values for these slots."""


class Rows:
    """The table of requests' rows. It has one row, for the request of the current call."""

    device = "cpu"

    def __init__(self) -> None:
        import torch

        self.req_to_token = torch.zeros((1, LONGEST), dtype=torch.int32)

    def write(self, where: Any, slots: Any) -> None:
        """Write slots, as the engine's table does."""
        self.req_to_token[where] = slots.to(self.req_to_token.dtype)

    def put(self, row: list[int]) -> None:
        """Write the row of the request of the current call; the table grows with it."""
        import torch

        if len(row) > self.req_to_token.shape[1]:
            self.req_to_token = torch.zeros((1, 2 * len(row)), dtype=torch.int32)
        self.req_to_token[0, : len(row)] = torch.tensor(row, dtype=torch.int32)

    def free(self, request: Any) -> None:
        """Nothing to free: the row is used again."""


class Linked:
    """A tree whose handles are its nodes, which have links to their children and their parent."""

    cache: Any
    _pool: Any

    def attached(self, node: Any) -> bool:
        """Return whether the root leads to it."""
        while node is not self.cache.root_node:
            parent = node.parent
            if parent is None or not any(child is node for child in parent.children.values()):
                return False
            node = parent
        return True

    def sizes(self) -> tuple[int, int]:
        """Return the evictable and protected tokens, as the cache counts them."""
        return self.cache.evictable_size(), self.cache.protected_size()

    def locate(self, node: Any) -> Any:
        """Return the number of a node."""
        return None if node is self.cache.root_node else node.id

    def reset(self) -> None:
        """The engine empties the allocator as well: here the slots of the tree go back to the pool."""
        held = [slot for node in nodes_of(self.cache.root_node) for slot in node.value.tolist()]
        self.cache.reset()
        self._pool.free(held)

    def _walk(self, left: Any, child_key: Callable[[Any], Any], shared_tokens: Callable[[Any, Any], int]) -> Peek:
        """Walk along the tokens that are left of a key, as a match does, but change nothing: these caches have no such walk."""
        node, length, evictable = self.cache.root_node, 0, 0
        while len(left):
            child = node.children.get(child_key(left))
            if child is None or child.value is None:  # only the host has it
                break
            shared = shared_tokens(child.key, left)
            length += shared
            evictable += 0 if child.lock_ref else shared
            if shared < len(child.key):
                break
            node, left = child, left[shared:]
        return Peek(length, evictable)


def nodes_of(root: Any) -> list[Any]:
    """Return every node below a root, parents first."""
    found, waiting = [], list(root.children.values())
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(node.children.values())
    return found


def filed(node: Any) -> Any:
    """Return the key under which its parent files a node."""
    return next(key for key, child in node.parent.children.items() if child is node)


def words(key: Key) -> tuple[str | None, str | None]:
    """Return a namespace in the form of SGLang: an extra key and a salt, each a string or None. Different ones stay different."""
    extra, salt = (*map(repr, key.namespace), None, None)[:2]
    return extra, salt


class Interface(NamedTuple):
    """The types that SGLang 0.5 passes to its caches."""

    version: str
    types: Any  # the module with the parameter types of its calls
    key: Any
    parameters: Any  # from which a cache is built


def interface() -> Interface:
    """Return the types of the installed SGLang. Raises Missing."""
    version = installed()
    try:
        from sglang.srt.mem_cache import base_prefix_cache
        from sglang.srt.mem_cache.cache_init_params import CacheInitParams
        from sglang.srt.mem_cache.radix_cache import RadixKey
    except ImportError as error:
        raise Missing(f"sglang {version} cannot be imported: {error}") from error
    return Interface(version, base_prefix_cache, RadixKey, CacheInitParams)


def common(pool: Any, rows: Any, page_size: int, policy: str) -> dict[str, Any]:
    """Return the parameters that all of these caches have."""
    pools = {"req_to_token_pool": rows, "token_to_kv_pool_allocator": pool}
    return {"disable": False, **pools, "page_size": page_size, "eviction_policy": policy}


class Current:
    """A cache with the interface of SGLang 0.5's caches. Keys have its type, rows its tensors."""

    cache: Any
    allocator: Callable[[Pool], Any] = Allocator

    def __init__(self, setup: Any) -> None:
        self._has = interface()
        self.version, self._types, self._key_type = self._has.version, self._has.types, self._has.key
        self._pool, self._rows, self._spaces = setup.pool, Rows(), dict[Any, Any]()
        self._common = common(self.allocator(setup.pool), self._rows, setup.page_size, setup.policy)

    def match(self, key: Key) -> tuple[list[int], Any]:
        """Return the slots of the path, as an engine reads them, and the node."""
        node = self.cache.match_prefix(self._types.MatchPrefixParams(key=self._key(key))).last_device_node
        return self.cache.path_device_indices(node).tolist(), node

    def insert(self, key: Key, slots: list[int], priority: int) -> int:
        """Insert a copy of the slots, as from an engine's row.

        The caller frees the slots of what was cached already. So that a cache does not free them as well, `prev_prefix_len` is the length.
        """
        import torch

        values = torch.tensor(slots, dtype=torch.int64)
        params = self._types.InsertParams(key=self._key(key), value=values, priority=priority, prev_prefix_len=len(slots))
        return int(self.cache.insert(params).prefix_len)

    def lock(self, node: Any) -> Any:
        """Lock as a request does."""
        return self.cache.lock(node)

    def unlock(self, lock: Any) -> None:
        """Unlock as a request does."""
        self.cache.unlock(lock)

    def evict(self, tokens: int) -> int:
        """Return the tokens that the cache reports as evicted."""
        return int(self.cache.evict(self._types.EvictParams(num_tokens=tokens)).num_tokens_evicted)

    def sizes(self) -> tuple[int, int]:
        """Return the evictable and protected tokens, as the cache counts them."""
        return self.cache.evictable_size(), self.cache.protected_size()

    def checkpoint(self, live: Any) -> None:
        """Call the cache's own `checkpoint`."""
        req = request(live, self._space(live.key))
        self._rows.put(live.row)
        self.cache.checkpoint(req, up_to=len(live.tokens))
        taken_back(live, req, self._rows.req_to_token)

    def _key(self, key: Key) -> Any:
        extra, salt = self._space(key)
        return self._key_type(array("q", key.tokens), extra, cache_salt=salt)

    def _space(self, key: Key) -> tuple[str | None, str | None]:
        space = words(key)
        self._spaces[space] = key.namespace
        return space

    def _shown(self, node: Any) -> tuple[tuple[Any, ...], tuple[int, ...]]:
        """Return the namespace of a node, and the page under which its parent files it."""
        space, key = (node.key.extra_key, node.key.cache_salt), filed(node)
        page = key if space == (None, None) else key[1]
        return self._spaces[space], (page,) if isinstance(page, int) else page


def request(live: Any, namespace: tuple[str | None, str | None]) -> Any:
    """Return what a tree reads of a request in a checkpoint. All of its tokens are its prompt, so that no leaf is split at its end."""
    kv = SimpleNamespace(
        req_pool_idx=0, cache_protected_len=live.protected, cache_inserted_len=live.inserted, swa_evict_floor=0, holds_mamba=False
    )
    tokens = array("q", live.tokens)
    return SimpleNamespace(
        rid=str(live.name),
        kv=kv,
        full_untruncated_fill_ids=tokens,
        origin_input_ids=tokens,
        extra_key=namespace[0],
        cache_salt=namespace[1],
        priority=live.priority,
        session_id=None,
        session=None,
        kv_rotation_base=None,
        lock=live.lock,
        last_node=live.node,
        finished=lambda: False,
        skip_radix_cache_insert=False,
    )


def taken_back(live: Any, req: Any, row: Any) -> None:
    """Copy the results of a checkpoint from the engine's request to `live`."""
    live.node, live.lock = req.last_node, req.lock
    live.protected, live.inserted = req.kv.cache_protected_len, req.kv.cache_inserted_len
    live.row[: live.protected] = row[0, : live.protected].tolist()


def installed(package: str = "sglang") -> str:
    """Return the version of an installed package. Raises Missing."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        raise Missing(
            f"{package} is not installed for this Python: name one, as NAME@PATH or with --python PATH, or pip install {package}"
        ) from None


def extracted(package: str, version: str, file: str) -> Path:
    """Return the path of a file in an extracted wheel. Raises Missing."""
    folder = os.environ.get("PEERS_DIR")
    name = f"{package}-{version}"
    path = Path(folder or ".") / name / package / file
    if folder is None or not path.exists():
        wheel = f"pip download --no-deps {package}=={version} && unzip {name}-*.whl -d DIR/{name}"
        here = "PEERS_DIR is not set" if folder is None else f"there is no {name} in PEERS_DIR={folder}"
        raise Missing(f"{package} {version} runs from extracted sources, and {here}: {wheel}, then set PEERS_DIR=DIR")
    return path
