"""What the plugin refuses: each limit with the flag that its sentence names."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from engine_types import Allocator, parameters

from radixcheck.optimized.integrations.sglang_interface import READ
from radixcheck.optimized.integrations.sglang_limits import LIMITS, refusal

ARGUMENTS: dict[str, Any] = {
    **dict.fromkeys(READ["server_args:ServerArgs"].split(), False),
    **{"dcp_size": 1, "disaggregation_mode": "null", "speculative_algorithm": None, "dllm_algorithm": None},
}


class TokenToKVPoolAllocator(Allocator):
    """By its name an allocator that is served."""


def context() -> Any:
    """A server that can have the cache."""
    made = parameters(64, 16, disable=False, is_eagle=False, eviction_policy_config=None, enable_kv_cache_events=False)
    made.token_to_kv_pool_allocator = TokenToKVPoolAllocator(64, 16)
    vars(made).update(enable_session_radix_cache=False, pp_size=1, attn_cp_size=1)
    return SimpleNamespace(
        server_args=SimpleNamespace(**ARGUMENTS),
        params=made,
        tp_size=1,
        model_config=SimpleNamespace(is_multimodal=False),
        **dict.fromkeys(("is_hybrid_swa", "is_hybrid_ssm", "is_dsa", "enable_hierarchical_cache"), False),
    )


def setter(path: str, value: object) -> Callable[[Any], None]:
    owner, _, name = path.rpartition(".")

    def change(of: Any) -> None:
        for each in owner.split(".") if owner else ():
            of = getattr(of, each)
        setattr(of, name, value)

    return change


REFUSED = [
    ("--disable-radix-cache", "params.disable", True),
    ("--radix-eviction-policy", "params.eviction_policy", "tlru"),
    ("--radix-eviction-policy-config", "params.eviction_policy_config", {"protected_threshold": 3}),
    ("--enable-hierarchical-cache", "enable_hierarchical_cache", True),
    ("--tp-size", "tp_size", 2),
    ("--pp-size", "params.pp_size", 2),
    ("--attn-cp-size", "params.attn_cp_size", 2),
    ("--dcp-size", "server_args.dcp_size", 2),
    ("--disaggregation-mode", "server_args.disaggregation_mode", "prefill"),
    ("--speculative-algorithm", "server_args.speculative_algorithm", "NGRAM"),
    ("--speculative-algorithm", "params.is_eagle", True),
    ("--dllm-algorithm", "server_args.dllm_algorithm", "LowConfidence"),
    ("--enable-session-radix-cache", "params.enable_session_radix_cache", True),
    ("--enable-streaming-session", "server_args.enable_streaming_session", True),
    ("--enable-lmcache", "server_args.enable_lmcache", True),
    ("--enable-flexkv", "server_args.enable_flexkv", True),
    ("--enable-unified-cache-external-linker", "server_args.enable_unified_cache_external_linker", True),
    ("--enable-hisparse", "server_args.enable_hisparse", True),
    ("--enable-unified-memory", "server_args.enable_unified_memory", True),
    ("--model-path", "is_hybrid_swa", True),
    ("--model-path", "is_hybrid_ssm", True),
    ("--model-path", "is_dsa", True),
    ("--model-path", "model_config.is_multimodal", True),
    ("--model-path", "params.token_to_kv_pool_allocator", Allocator(64, 16)),
    ("--page-size", "params.page_size", 8),
]


def test_a_server_that_asks_for_nothing_else_is_served() -> None:
    assert refusal(context()) is None


@pytest.mark.parametrize("policy", ["lru", "lfu", "fifo", "filo", "mru", "slru", "priority", "LRU"])
def test_every_policy_that_both_have_is_served(policy: str) -> None:
    server = context()
    server.params.eviction_policy = policy

    assert refusal(server) is None


def test_the_threshold_of_slru_that_the_cache_has_is_served() -> None:
    server = context()
    server.params.eviction_policy_config = {"protected_threshold": 2}

    assert refusal(server) is None


@pytest.mark.parametrize(("flag", "path", "value"), REFUSED)
def test_what_is_not_served_is_refused_with_one_sentence_that_names_the_flag(flag: str, path: str, value: object) -> None:
    server = context()
    setter(path, value)(server)

    sentence = refusal(server)

    assert sentence is not None
    assert f"does not serve what {flag} asks for: " in sentence
    assert "\n" not in sentence


def test_every_limit_is_tried() -> None:
    assert {limit.flag for limit in LIMITS} == {flag for flag, _, _ in REFUSED}
