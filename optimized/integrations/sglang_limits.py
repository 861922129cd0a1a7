"""What the cache does not serve: refused when SGLang starts, with one sentence that names the flag.

Text models with full attention on one rank are served, with pages of any size, chunked prefill, the overlap schedule, and priorities.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from radixcheck.optimized.heap import POLICIES, SLRU_HITS

ALLOCATORS = {"TokenToKVPoolAllocator", "PagedTokenToKVPoolAllocator"}  # whose slots any page may hold, in one pool


class Limit(NamedTuple):
    """One flag of the server, and what it must not ask for."""

    flag: str
    serves: Callable[[Any], bool]  # of SGLang's `TreeCacheBuildContext`
    reason: str


def _argument(name: str, *served: Any) -> Callable[[Any], bool]:
    """Return a check that an argument of the server has one of these values."""
    return lambda context: getattr(context.server_args, name) in served


LIMITS = (
    Limit("--disable-radix-cache", lambda c: not c.params.disable, "there is no cache to put in the place of SGLang's"),
    Limit("--radix-eviction-policy", lambda c: c.params.eviction_policy.lower() in POLICIES, f"it has {', '.join(POLICIES)}"),
    Limit(
        "--radix-eviction-policy-config",
        lambda c: not c.params.eviction_policy_config or c.params.eviction_policy_config == {"protected_threshold": SLRU_HITS},
        f"its policies have no parameters; slru protects from {SLRU_HITS} hits",
    ),
    Limit("--enable-hierarchical-cache", lambda c: not c.enable_hierarchical_cache, "in SGLang it has no host tier yet"),
    Limit("--tp-size", lambda c: c.tp_size == 1, "it serves one rank"),
    Limit("--pp-size", lambda c: c.params.pp_size == 1, "it serves one rank"),
    Limit("--attn-cp-size", lambda c: c.params.attn_cp_size == 1, "it serves one rank"),
    Limit("--dcp-size", _argument("dcp_size", 1), "it serves one rank"),
    Limit("--disaggregation-mode", _argument("disaggregation_mode", "null"), "prefill and decode must be in one server"),
    Limit("--speculative-algorithm", lambda c: _argument("speculative_algorithm", None)(c) and not c.params.is_eagle, "it has no drafts"),
    Limit("--dllm-algorithm", _argument("dllm_algorithm", None), "it serves models that generate one token after the other"),
    Limit("--enable-session-radix-cache", lambda c: not c.params.enable_session_radix_cache, "it knows no sessions"),
    Limit("--enable-streaming-session", _argument("enable_streaming_session", False), "it knows no sessions"),
    Limit("--enable-lmcache", _argument("enable_lmcache", False), "it has no other tier"),
    Limit("--enable-flexkv", _argument("enable_flexkv", False), "it has no other tier"),
    Limit("--enable-unified-cache-external-linker", _argument("enable_unified_cache_external_linker", False), "it has no other tier"),
    Limit("--enable-hisparse", _argument("enable_hisparse", False), "it serves full attention"),
    Limit("--enable-unified-memory", _argument("enable_unified_memory", False), "it serves one pool of slots"),
    Limit("--model-path", lambda c: not c.is_hybrid_swa, "the model has sliding windows, and the cache serves full attention"),
    Limit("--model-path", lambda c: not c.is_hybrid_ssm, "the model has recurrent state, and the cache serves full attention"),
    Limit("--model-path", lambda c: not c.is_dsa, "the model has sparse attention, and the cache serves full attention"),
    Limit("--model-path", lambda c: not c.model_config.is_multimodal, "the model reads more than text, and the cache serves text models"),
    Limit(
        "--model-path",
        lambda c: type(c.params.token_to_kv_pool_allocator).__name__ in ALLOCATORS,
        f"the slots of its KV come from another allocator than {' or '.join(sorted(ALLOCATORS))}",
    ),
    Limit("--page-size", lambda c: c.params.page_size == c.params.token_to_kv_pool_allocator.page_size, "the allocator has other pages"),
)


def refusal(context: Any) -> str | None:
    """Return why this server cannot have the cache, as one sentence that names the flag, or None: it can."""
    for limit in LIMITS:
        if not limit.serves(context):
            return (
                f"--radix-cache-backend radixcheck does not serve what {limit.flag} asks for: {limit.reason}; "
                f"change {limit.flag}, or leave --radix-cache-backend out"
            )
    return None
