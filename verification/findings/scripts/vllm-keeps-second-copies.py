"""vLLM's KVCacheManager (installed, or sources under PEERS_DIR): two requests that compute the same tokens leave two copies."""

import logging
import os
import sys

logging.disable(logging.WARNING)
sys.path.append(os.path.join(os.environ.get("PEERS_DIR", ""), "vllm-0.33.0"))

import torch  # noqa: E402
from vllm.sampling_params import SamplingParams  # noqa: E402
from vllm.utils.hashing import get_hash_fn_by_name  # noqa: E402
from vllm.v1.core.kv_cache_manager import KVCacheManager  # noqa: E402
from vllm.v1.core.kv_cache_utils import get_request_block_hasher, init_none_hash  # noqa: E402
from vllm.v1.kv_cache_interface import FullAttentionSpec, KVCacheConfig, KVCacheGroupSpec  # noqa: E402
from vllm.v1.request import Request  # noqa: E402

hashed = get_hash_fn_by_name("sha256")
init_none_hash(hashed)
spec = FullAttentionSpec(block_size=1, num_kv_heads=1, head_size=64, dtype=torch.float16)
config = KVCacheConfig(num_blocks=8, kv_cache_tensors=[], kv_cache_groups=[KVCacheGroupSpec(["layer"], spec)])
manager = KVCacheManager(config, max_model_len=64, scheduler_block_size=1, hash_block_size=1, enable_caching=True)
hasher = get_request_block_hasher(1, hashed)
requests = [Request(name, [7], SamplingParams(max_tokens=1), None, block_hasher=hasher) for name in ("one", "two")]
for request in requests:  # both are computed before either is cached
    assert manager.allocate_slots(request, 1, delay_cache_blocks=True)
for request in requests:
    manager.cache_blocks(request, 1)
    manager.free(request)
copies = sum(block.block_hash is not None for block in manager.block_pool.blocks)
print(f"one token was computed twice: {copies} blocks hold it, and only one of them can be found")
sys.exit(copies > 1)
