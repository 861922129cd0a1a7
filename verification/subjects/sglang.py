"""What the trees of SGLang have in common: tensors of slots, an allocator, the table of rows, a clock that can be compared.

Runs in the environment of SGLang; torch comes with it.
"""

from __future__ import annotations

import os
from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from radixcheck.verification.remote.serve import Key, Missing, Pool

LONGEST = 4096  # tokens of a request's row


class Clock:
    """In place of the module `time`: each reading is later than the one before, and the same in every run."""

    def __init__(self) -> None:
        self.now = 0

    def monotonic(self) -> int:
        """The next reading."""
        self.now += 1
        return self.now

    perf_counter = monotonic


class Allocator:
    """The checker's pool behind the calls that a tree makes of its allocator."""

    device = "cpu"

    def __init__(self, pool: Pool) -> None:
        self.pool, self.page_size = pool, pool.page_size

    def free(self, slots: Any) -> None:
        """The pages of these slots, each once, as a paged allocator does."""
        size = self.page_size
        pages = dict.fromkeys(slot // size for slot in slots.tolist())
        if not pages:
            return
        self.pool.free([page * size + i for page in pages for i in range(size)])

    def free_segment(self, slots: Any, *, start_pos: int) -> None:
        """A part of a row that begins with a page."""
        assert start_pos % self.page_size == 0, "the segment does not begin with a page"
        self.free(slots)

    def free_segments(self, segments: Any) -> None:
        """Several of them."""
        for slots, start in segments:
            self.free_segment(slots, start_pos=start)

    def available_size(self) -> int:
        """Tokens."""
        return self.pool.available

    def get_kvcache(self) -> None:
        """No tensors of keys and values belong to these slots."""


class Rows:
    """The table of requests' rows, of which only one is filled: that of the request at hand."""

    device = "cpu"

    def __init__(self) -> None:
        import torch

        self.req_to_token = torch.zeros((1, LONGEST), dtype=torch.int32)

    def write(self, where: Any, slots: Any) -> None:
        """As the engine's table does."""
        self.req_to_token[where] = slots.to(self.req_to_token.dtype)

    def put(self, row: list[int]) -> None:
        """The row of the request at hand."""
        import torch

        self.req_to_token[0, : len(row)] = torch.tensor(row, dtype=torch.int32)

    def free(self, request: Any) -> None:
        """The table has room enough."""


class Linked:
    """A cache of nodes that know their children and their parent."""

    cache: Any

    def attached(self, node: Any) -> bool:
        """Whether the root leads to it."""
        while node is not self.cache.root_node:
            parent = node.parent
            if parent is None or not any(child is node for child in parent.children.values()):
                return False
            node = parent
        return True

    def sizes(self) -> tuple[int, int]:
        """As the cache counts them."""
        return self.cache.evictable_size(), self.cache.protected_size()

    def locate(self, node: Any) -> Any:
        """Nodes have numbers of their own."""
        return None if node is self.cache.root_node else node.id

    def nodes(self) -> list[Any]:
        """Every node that the root leads to, parents first."""
        found, waiting = [], list(self.cache.root_node.children.values())
        while waiting:
            node = waiting.pop()
            found.append(node)
            waiting.extend(node.children.values())
        return found

    def filed(self, node: Any) -> Any:
        """The key by which its parent finds a node."""
        return next(key for key, child in node.parent.children.items() if child is node)


def words(key: Key) -> tuple[str | None, str | None]:
    """A namespace as SGLang has it: an extra key and a salt, each a string or nothing. Different ones stay different."""
    extra, salt = (*map(repr, key.namespace), None, None)[:2]
    return extra, salt


def request(live: Any, namespace: tuple[str | None, str | None]) -> Any:
    """What a tree reads of a request that is checkpointed. Its prompt is all that it has: no leaf is split where a prompt ends."""
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
    """What a checkpoint has left in the request."""
    live.node, live.lock = req.last_node, req.lock
    live.protected, live.inserted = req.kv.cache_protected_len, req.kv.cache_inserted_len
    live.row[: live.protected] = row[0, : live.protected].tolist()


def installed(package: str = "sglang") -> str:
    """The version of an installed package. Raises Missing."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        raise Missing(
            f"{package} is not installed for this Python: give one that has it with --python PATH, or pip install {package}"
        ) from None


def extracted(package: str, version: str, file: str) -> Path:
    """A file of a package whose wheel was extracted. Raises Missing."""
    folder = os.environ.get("PEERS_DIR")
    name = f"{package}-{version}"
    path = Path(folder or ".") / name / package / file
    if folder is None or not path.exists():
        wheel = f"pip download --no-deps {package}=={version} && unzip {name}-*.whl -d DIR/{name}"
        here = "PEERS_DIR is not set" if folder is None else f"there is no {name} in PEERS_DIR={folder}"
        raise Missing(f"{package} {version} runs from extracted sources, and {here}: {wheel}, then set PEERS_DIR=DIR")
    return path
