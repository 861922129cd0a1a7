"""What the cache takes for granted of SGLang: functions with their parameters, fields, attributes. A difference is named, never guessed.

`FUNCTIONS` are those that the cache overrides or calls, `MADE` the types that it makes, `READ` those that it reads, and `VERBS` all verbs
of SGLang's base class: a new one may be a duty. Behaviour is not compared: `TRIED` are the versions in which live runs were checked.
"""

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

TRIED = ("0.5.23",)
ROOT = "sglang.srt."
BASE = "mem_cache.base_prefix_cache:"

# Parameters as `parameters_of` writes them.
FUNCTIONS = {
    f"{BASE}BasePrefixCache.init_metrics_collector": "self",
    f"{BASE}BasePrefixCache.update_eviction_metrics": "self, num_evicted, start_time",
    f"{BASE}BasePrefixCache.reset": "self",
    f"{BASE}BasePrefixCache.match_prefix": "self, params",
    f"{BASE}BasePrefixCache.touch_prefix": "self, key",
    f"{BASE}BasePrefixCache.checkpoint": "self, req, *, up_to, **kwargs",
    f"{BASE}BasePrefixCache.evict": "self, params",
    f"{BASE}BasePrefixCache.evict_for_alloc": "self, params, *, allocation_reclaim_satisfied=",
    f"{BASE}BasePrefixCache.inc_lock_ref": "self, node",
    f"{BASE}BasePrefixCache.dec_lock_ref": "self, node, params=",
    f"{BASE}BasePrefixCache.lock": "self, node",
    f"{BASE}BasePrefixCache.unlock": "self, lock",
    f"{BASE}BasePrefixCache.path_device_indices": "self, node",
    f"{BASE}BasePrefixCache.prefix_device_indices": "self, req",
    f"{BASE}BasePrefixCache.free_kv_row": "self, kv, ranges",
    f"{BASE}BasePrefixCache.root_node_handle": "self, extra_key=",
    f"{BASE}BasePrefixCache.resolve_node_handle": "self, node_handle",
    f"{BASE}BasePrefixCache.supports_prefix_sharing": "self",
    f"{BASE}BasePrefixCache.evictable_size": "self",
    f"{BASE}BasePrefixCache.full_evictable_size": "self",
    f"{BASE}BasePrefixCache.protected_size": "self",
    f"{BASE}BasePrefixCache.full_protected_size": "self",
    f"{BASE}BasePrefixCache.total_size": "self",
    f"{BASE}BasePrefixCache.pretty_print": "self",
    "mem_cache.allocator:TokenToKVPoolAllocator.available_size": "self",
    "mem_cache.allocator:TokenToKVPoolAllocator.free_segment": "self, free_index, *, start_pos",
    "mem_cache.allocator:PagedTokenToKVPoolAllocator.available_size": "self",
    "mem_cache.allocator:PagedTokenToKVPoolAllocator.free_segment": "self, free_index, *, start_pos",
    "mem_cache.memory_pool:ReqToTokenPool.write": "self, indices, values",
    "mem_cache.registry:register_radix_cache_backend": "name, factory",
    "mem_cache.events:KVCacheEventRecorder.__init__": "self, *, enabled, page_size, dynamo_format=, lora_names=",
    "mem_cache.events:KVCacheEventRecorder.record_store": "self, node, medium=, *, session_id=",
    "mem_cache.events:KVCacheEventRecorder.record_remove": "self, node, medium=",
    "mem_cache.events:KVCacheEventRecorder.record_all_cleared": "self",
}
VERBS = (
    "init_metrics_collector update_eviction_metrics release_host_resources release_aborted_request finish reset match_prefix "
    "supports_fast_match_prefix touch_prefix dfs_weight_order resolve_node_handle root_node_handle rotation_base_of checkpoint free_kv_row "
    "evict evict_for_alloc inc_lock_ref dec_lock_ref lock unlock path_device_indices prefix_device_indices maybe_hand_to_session "
    "claim_kv_row on_release evictable_size full_evictable_size swa_evictable_size protected_size full_protected_size swa_protected_size "
    "swa_transient_size total_size pretty_print init_load_back load_back_is_cache_owned finish_storage_prefetch_admission "
    "discard_storage_prefetch_accounting waiting_storage_span pop_prefetch_loaded_span ready_to_load_host_cache check_hicache_events "
    "flush_pending_backups take_events supports_swa supports_auxiliary_swa evict_sliding_windows swa_retain_floor "
    "swa_reprefill_tail_tokens supports_mamba release_session release_radix_session session_records supports_prefix_sharing "
    "available_and_evictable_str"
)
MADE = {  # a new field may be one that has to be set
    f"{BASE}MatchResult": (
        "device_prefix_len last_device_node last_host_node best_match_node host_hit_length swa_host_hit_length swa_branching_seqlen "
        "mamba_host_hit_length mamba_branching_seqlen cache_protected_len full_kv_hit_length cache_actions last_visited_node_id "
        "full_device_match_len"
    ),
    f"{BASE}EvictResult": "num_tokens_evicted swa_num_tokens_evicted mamba_num_evicted",
    f"{BASE}IncLockRefResult": "delta node_id skipped_lock_components component_lock_uuids component_host_lock_uuids",
    f"{BASE}DecLockRefParams": "node_id skipped_lock_components component_lock_uuids component_host_lock_uuids",
    f"{BASE}DecLockRefResult": "delta",
    f"{BASE}TreeLock": "node receipt swa_released",
}
READ = {
    f"{BASE}MatchPrefixParams": "key",
    f"{BASE}EvictParams": "num_tokens",
    "mem_cache.radix_cache:RadixKey": "token_ids extra_key cache_salt limit",
    "mem_cache.cache_init_params:CacheInitParams": (
        "disable req_to_token_pool token_to_kv_pool_allocator page_size is_eagle eviction_policy eviction_policy_config enable_metrics "
        "enable_kv_cache_events dynamo_kv_event_format kv_event_lora_names enable_session_radix_cache pp_size attn_cp_size"
    ),
    "mem_cache.registry:TreeCacheBuildContext": (
        "server_args params is_hybrid_swa is_hybrid_ssm enable_hierarchical_cache model_config tp_size is_dsa"
    ),
    "managers.schedule_batch:ReqKvInfo": "req_pool_idx cache_protected_len cache_inserted_len",
    "managers.schedule_batch:Req": "full_untruncated_fill_ids origin_input_ids extra_key cache_salt priority lock last_node kv",
    "server_args:ServerArgs": (
        "dcp_size disaggregation_mode speculative_algorithm dllm_algorithm enable_streaming_session enable_lmcache enable_flexkv "
        "enable_unified_cache_external_linker enable_hisparse enable_unified_memory"
    ),
}


def parameters_of(function: Callable[..., Any]) -> str:
    """Return the parameters of a function: `=` marks one with a default.

    >>> def checkpoint(self, req, priority=0, *, up_to, **others): ...
    >>> parameters_of(checkpoint)
    'self, req, priority=, *, up_to, **others'
    """
    parts, marked = [], False
    for each in inspect.signature(function).parameters.values():
        if each.kind is each.KEYWORD_ONLY and not marked:
            parts.append("*")
        marked |= each.kind in (each.KEYWORD_ONLY, each.VAR_POSITIONAL)
        stars = "*" if each.kind is each.VAR_POSITIONAL else "**" if each.kind is each.VAR_KEYWORD else ""
        parts.append(f"{stars}{each.name}{'' if each.default is each.empty else '='}")
    return ", ".join(parts)


def fields_of(kind: type[Any]) -> list[str]:
    """Return the fields of a dataclass, a named tuple or a class with slots, else what `__init__` sets or uses as an attribute."""
    for name in ("__dataclass_fields__", "_fields", "__slots__"):
        if found := getattr(kind, name, None):
            return list(found)
    return list(kind.__init__.__code__.co_names)


def _found(place: str) -> Any:
    """Return what a place names, as `module:Class.function` below ROOT. Raises ImportError, AttributeError."""
    module, _, path = place.partition(":")
    found = import_module(ROOT + module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _named(place: str) -> str:
    return place.partition(":")[2]


def _compared(places: dict[str, str], compare: Callable[[str, Any, str], str | None]) -> Iterator[str]:
    for place, expected in places.items():
        try:
            found = _found(place)
        except (ImportError, AttributeError) as error:
            yield f"{_named(place)} is missing: {error}"
            continue
        if sentence := compare(_named(place), found, expected):
            yield sentence


def _function(name: str, found: Any, expected: str) -> str | None:
    actual = parameters_of(found)
    return None if actual == expected else f"{name} has the parameters ({actual}), not ({expected})"


def _made(name: str, found: Any, expected: str) -> str | None:
    actual = fields_of(found)
    return None if actual == expected.split() else f"{name} has the fields {', '.join(actual)}, not {', '.join(expected.split())}"


def _read(name: str, found: Any, expected: str) -> str | None:
    lacking = set(expected.split()) - {*fields_of(found), *vars(found)}
    return f"{name} has no {', '.join(sorted(lacking))}" if lacking else None


def _verbs(name: str, found: Any, expected: str) -> str | None:
    verbs = {verb for verb, value in vars(found).items() if inspect.isfunction(value) and not verb.startswith("_")}
    sentences = [f"{name} has the new verbs {', '.join(sorted(new))}"] if (new := verbs - set(expected.split())) else []
    sentences += [f"{name} has no {', '.join(sorted(gone))}"] if (gone := set(expected.split()) - verbs) else []
    return "; ".join(sentences) or None


def differences() -> list[str]:
    """Compare the installed SGLang with the one that the cache was written for; return a sentence for each difference."""
    return [
        *_compared({f"{BASE}BasePrefixCache": VERBS}, _verbs),
        *_compared(FUNCTIONS, _function),
        *_compared(MADE, _made),
        *_compared(READ, _read),
    ]
