"""vLLM's `KVCacheManager` (tested with 0.33.0), unmodified: blocks found by hashes, and request verbs only.

Where its interface allows a choice, it is called in the order of the specification: a whole prompt may be matched
(`max_cache_hit_length`; its scheduler recomputes the last token), and blocks are cached by `cache_blocks`, not when they are allocated
(`delay_cache_blocks`). Different by design, and not hidden here: it evicts single blocks, not nodes, in the order in which they were
released, tail first; and when two requests compute the same tokens, both copies are kept, and the second stays in the cache.

Its block 0 is never allocated: page k is block k + 1. A block is out while a request holds it or a hash leads to it; allocations and
frees are computed from that. Priorities are not used.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib.util import find_spec
from typing import Any, NamedTuple

from radixcheck.verification.remote.serve import Key, Missing, NoRoom, Row, Sizes, StillHeld, Supports
from radixcheck.verification.subjects.engine_shim import BadRequest, RequestExists, UnknownRequest, check_tokens, to_amount
from radixcheck.verification.subjects.sglang import extracted, installed

VERSION = "0.33.0"  # of the extracted sources
LONGEST = 1 << 20  # tokens of a request
_COPIES = "the second copy of what another request has cached stays, and is never matched"
CHOICES = {
    "victims of an eviction": "it evicts single blocks, in the order in which they were released, the last of a request first",
    "slots given back in chunk": _COPIES,
    "slots given back in finish": _COPIES,
}


def _prepared() -> str:
    """Return the version that can be imported. Raises Missing."""
    if "vllm" in sys.modules:
        return getattr(sys.modules["vllm"], "__version__", VERSION)
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    logging.disable(logging.WARNING)
    if find_spec("vllm") is not None:
        return installed("vllm")
    sys.path.insert(0, str(extracted("vllm", VERSION, "__init__.py").parent.parent))
    return VERSION


class Built(NamedTuple):
    """The unmodified manager, and the types that its requests need."""

    version: str
    manager: Any
    hasher: Any  # of the blocks of a request, with the engine's default hash
    request: Any  # the type
    sampling: Any  # the type of a request's sampling parameters


def built(page_size: int, capacity: int) -> Built:
    """Return a manager of `capacity` tokens, in addition to the block that is never allocated. Raises Missing."""
    version = _prepared()
    try:
        import torch
        from vllm.sampling_params import SamplingParams
        from vllm.utils.hashing import get_hash_fn_by_name
        from vllm.v1.core.kv_cache_manager import KVCacheManager
        from vllm.v1.core.kv_cache_utils import get_request_block_hasher, init_none_hash
        from vllm.v1.kv_cache_interface import FullAttentionSpec, KVCacheConfig, KVCacheGroupSpec
        from vllm.v1.request import Request
    except ImportError as error:
        raise Missing(f"vllm {version} cannot be imported ({error}): give a Python that has what it needs with --python PATH") from error
    hashed = get_hash_fn_by_name("sha256")
    init_none_hash(hashed)
    attention = FullAttentionSpec(block_size=page_size, num_kv_heads=1, head_size=64, dtype=torch.float16)
    groups = [KVCacheGroupSpec(["layer"], attention)]
    config = KVCacheConfig(num_blocks=capacity // page_size + 1, kv_cache_tensors=[], kv_cache_groups=groups)
    sizes = {"scheduler_block_size": page_size, "hash_block_size": page_size}
    manager = KVCacheManager(config, max_model_len=LONGEST, enable_caching=True, **sizes)
    return Built(version, manager, get_request_block_hasher(page_size, hashed), Request, SamplingParams)


class Blocks:
    """The manager, and its requests."""

    supports = Supports(tree=False, choices=CHOICES)

    def __init__(self, setup: Any) -> None:
        has = self._has = built(setup.page_size, setup.pool.capacity)
        self.version, self.manager = has.version, has.manager
        self._sampling = has.sampling(max_tokens=LONGEST)
        self._page, self._pool = setup.page_size, setup.pool
        self._blocks = self.manager.block_pool.blocks[1:]
        self._out = set[int]()
        self._requests = dict[int, Any]()
        self._adapters = dict[Any, int]()

    def start(self, request: int, key: Key, priority: int = 0) -> Row:
        """Match the prefix, then allocate blocks for the rest."""
        if not isinstance(request, int):
            raise BadRequest(f"{request!r} is not an integer")
        check_tokens(key.tokens)
        to_amount(priority)
        if request in self._requests:
            raise RequestExists(f"request {request} is live")
        made = self._made(request, key)
        found, cached, _ = self.manager.get_computed_blocks(made, max_cache_hit_length=made.num_tokens)
        if made.num_tokens:
            given = self.manager.allocate_slots(made, made.num_tokens - cached, cached, found, delay_cache_blocks=True)
            if given is None:
                raise NoRoom(f"{made.num_tokens - cached} tokens do not fit")
            self._note(given.get_block_ids()[0])
        made.num_computed_tokens = made.num_tokens
        self._requests[request] = made
        return Row(cached, self._row(made))

    def decode(self, request: int, token: int) -> int:
        """Allocate a slot for one more token, then append the token."""
        live = self._live(request)
        check_tokens((token,))
        given = self.manager.allocate_slots(live, 1, delay_cache_blocks=True)
        if given is None:
            raise NoRoom("no block is free")
        live.append_output_token_ids(token)
        live.num_computed_tokens = live.num_tokens
        self._note(given.get_block_ids()[0])
        return self._row(live)[-1]

    def chunk(self, request: int) -> Row:
        """Cache the whole blocks."""
        live = self._live(request)
        self.manager.cache_blocks(live, live.num_tokens)
        self._note(())
        return Row(live.num_tokens // self._page * self._page, self._row(live))

    def finish(self, request: int) -> None:
        """Cache the whole blocks, then release the blocks."""
        live = self._live(request)
        self.manager.cache_blocks(live, live.num_tokens)
        self.abort(request)

    def abort(self, request: int) -> None:
        """Release the blocks."""
        self.manager.free(self._live(request))
        del self._requests[request]
        self._note(())

    def reset(self) -> None:
        """Forget every hash."""
        if self._requests or not self.manager.reset_prefix_cache():
            raise StillHeld("a request is live")
        self._note(())

    def sizes(self) -> Sizes:
        """Count blocks in tokens: free, cached and not used, cached and used."""
        kinds = [(block.block_hash is not None, block.ref_cnt > 0) for block in self._blocks]
        return Sizes(*(self._page * kinds.count(kind) for kind in ((False, False), (True, False), (True, True))))

    def _made(self, request: int, key: Key) -> Any:
        """Return a request with an adapter and a salt, which are the two parts of a namespace."""
        from vllm.lora.request import LoRARequest

        adapter, salt = (*map(repr, key.namespace), None, None)[:2]
        lora = None
        if adapter is not None:
            lora = LoRARequest(adapter, self._adapters.setdefault(adapter, len(self._adapters) + 1), "nowhere")
        return self._has.request(
            request_id=str(request),
            prompt_token_ids=list(key.tokens),
            sampling_params=self._sampling,
            pooling_params=None,
            lora_request=lora,
            cache_salt=salt,
            block_hasher=self._has.hasher,
        )

    def _row(self, live: Any) -> list[int]:
        blocks = self.manager.get_block_ids(live.request_id)[0]
        slots = [(block - 1) * self._page + i for block in blocks for i in range(self._page)]
        return slots[: live.num_tokens]

    def _live(self, request: int) -> Any:
        if not isinstance(request, int) or request not in self._requests:
            raise UnknownRequest(f"request {request} is not live")
        return self._requests[request]

    def _note(self, given: Any) -> None:
        """Report to the checker what came back to the pool, then what was allocated. A cached block that was allocated did both."""
        now = {block.block_id for block in self._blocks if block.ref_cnt > 0 or block.block_hash is not None}
        back = [block for block in given if block in self._out] + sorted(self._out - now)
        self._out = now
        for blocks, note in ((back, self._pool.note_free), (given, self._pool.note_alloc)):
            if blocks:
                note([(block - 1) * self._page + i for block in blocks for i in range(self._page)])


def vllm(setup: Any) -> Blocks:
    """Return the block manager of vLLM."""
    return Blocks(setup)
