"""What the views of all caches behind SGLang's scheduler have in common: the pool, the rows of requests, the sizes."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor


class EngineView:
    """The part of a view that does not depend on the kind of tree."""

    cache_name: str
    policy: str

    def __init__(self, cache: Any) -> None:
        allocator = cache.token_to_kv_pool_allocator
        self.cache = cache
        self.version = engine_version()
        self.page_size: int = cache.page_size
        self.capacity: int = allocator.size
        self.slots_end = (allocator.size // self.page_size + 1) * self.page_size  # page 0 is for padded tokens
        self.device = torch.device(allocator.device)

    def parent(self, node: Any) -> Any | None:
        """Return its parent; None if it has none."""
        return node.parent

    def children(self, node: Any) -> Any:
        """Return its children."""
        return node.children.values()

    def row(self, request: Any) -> Tensor:
        """Return the row of a request: the engine's own tensor of slots."""
        row: Tensor = self.cache.req_to_token_pool.req_to_token[request.kv.req_pool_idx]
        return row

    def sizes(self) -> tuple[int, int]:
        """Return the evictable and the protected tokens, as the cache counts them."""
        return self.cache.evictable_size(), self.cache.protected_size()


def engine_version() -> str:
    """Return the version of SGLang, as its package states it."""
    try:
        return version("sglang")
    except PackageNotFoundError:
        return "of unknown version"
