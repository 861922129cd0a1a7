"""Runs in an environment with engines: their own caches report events, which their own publishers send.

    python engine_events.py CACHE ADDRESS REPLAY_ADDRESS REQUESTS

Prints, as JSON, the ids of the blocks that the cache holds in the end, and ends when its standard input does. CACHE is `sglang` (classic,
in its default format), `sglang-keys` (requests under two extra keys), `sglang-dynamo` (these in the other format) or `vllm`.
"""

# ruff: noqa: PLC0415  # engines are imported where they are needed

import json
import sys
from collections.abc import Callable
from random import Random
from typing import Any

PAGE, CAPACITY = 16, 1_600  # tokens


def prompts(requests: int) -> list[list[int]]:
    """Prompts that share prefixes."""
    random = Random(7)
    starts = [[random.randrange(2_000) for _ in range(96)] for _ in range(8)]
    return [random.choice(starts) + [random.randrange(2_000) for _ in range(16 * random.randrange(4))] for _ in range(requests)]


class NoPool:
    """In the place of a pool of slots."""

    device = "cpu"

    def free_segment(self, slots: Any, start_pos: int) -> None:
        """Take slots back."""


def sglang(name: str, requests: int) -> tuple[Any, Callable[[], Any]]:
    """Yield what the classic cache reports, request by request. The function returns what it holds."""
    import torch
    from sglang.srt.disaggregation.kv_events import KVEventBatch, namespaced_block_hash
    from sglang.srt.mem_cache.base_prefix_cache import EvictParams, InsertParams
    from sglang.srt.mem_cache.radix_cache import RadixCache, RadixKey
    from sglang.srt.mem_cache.utils import hash_str_to_int64

    cache = RadixCache.create_simulated(
        mock_allocator=NoPool(), page_size=PAGE, enable_kv_cache_events=True, dynamo_kv_event_format="dynamo" in name
    )

    def batches() -> Any:
        for number, tokens in enumerate(prompts(requests)):
            key = RadixKey(tokens, extra_key="ab"[number % 2] if "keys" in name or "dynamo" in name else None)
            cache.insert(InsertParams(key=key, value=torch.arange(len(tokens))))
            if cache.total_size() > CAPACITY:
                cache.evict(EvictParams(num_tokens=cache.total_size() - CAPACITY))
            yield KVEventBatch(ts=float(number), events=cache.kv_events.take())

    def held() -> list[Any]:
        found, nodes = [], list(cache.root_node.children.values())
        while nodes:
            node = nodes.pop()
            nodes += node.children.values()
            seed = cache.kv_events._namespace_seed(node)
            hashes = map(hash_str_to_int64, cache.kv_events._node_event_hash_values(node))
            found += [namespaced_block_hash(each, namespace_seed=seed) for each in hashes]
        return found

    return batches(), held


def vllm(name: str, requests: int) -> tuple[Any, Callable[[], Any]]:
    """Yield what the block pool reports, request by request. The function returns what it holds."""
    from radixcheck.verification.subjects.vllm import built

    has = built(PAGE, CAPACITY)
    manager, pool = has.manager, has.manager.block_pool
    pool.enable_kv_cache_events = manager.enable_kv_cache_events = True
    from vllm.distributed.kv_events import KVEventBatch
    from vllm.v1.core.kv_cache_utils import get_block_hash, maybe_convert_block_hash

    def batches() -> Any:
        sampling = has.sampling(max_tokens=1)
        for number, tokens in enumerate(prompts(requests)):
            made = has.request(str(number), tokens, sampling, None, block_hasher=has.hasher)
            found, cached, _ = manager.get_computed_blocks(made)
            assert manager.allocate_slots(made, len(tokens) - cached, cached, found) is not None
            made.num_computed_tokens = len(tokens)
            manager.free(made)
            yield KVEventBatch(ts=float(number), events=manager.take_events())

    def held() -> list[Any]:
        hashes = (block.block_hash for block in pool.blocks if block.block_hash is not None)
        return [value.hex() if isinstance(value := maybe_convert_block_hash(get_block_hash(each)), bytes) else value for each in hashes]

    return batches(), held


def main(name: str, address: str, replay: str, requests: str) -> None:
    """Run the cache, publish, print what it holds, and wait."""
    if name.startswith("vllm"):
        batches, held = vllm(name, int(requests))
        from vllm.distributed.kv_events import ZmqEventPublisher
    else:
        batches, held = sglang(name, int(requests))
        from sglang.srt.disaggregation.kv_events import ZmqEventPublisher
    publisher = ZmqEventPublisher(0, endpoint=address, replay_endpoint=replay, topic="kv")
    for batch in batches:
        publisher.publish(batch)
    while not publisher._event_queue.empty():
        pass
    print(json.dumps(held()), flush=True)
    sys.stdin.read()
    publisher.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
