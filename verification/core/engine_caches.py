"""The caches of serving engines that have an adapter. Plain data: nothing is imported for them."""

from radixcheck.verification.core.subject import Named

_ADAPTERS = "radixcheck.verification.subjects"
PEERS = {
    n.name: n
    for n in (
        Named("sglang-classic", f"{_ADAPTERS}.sglang_classic:sglang_classic", "SGLang's RadixCache, white box"),
        Named("sglang-python", f"{_ADAPTERS}.sglang_unified:sglang_python", "its UnifiedRadixCache, Python core, white box"),
        Named("sglang-rust", f"{_ADAPTERS}.sglang_unified:sglang_rust", "its UnifiedRadixCache, Rust core, black box"),
        Named("sglang-host-python", f"{_ADAPTERS}.sglang_host:sglang_host_python", "the same with its host tier, Python core, white box"),
        Named("sglang-host-rust", f"{_ADAPTERS}.sglang_host:sglang_host_rust", "the same with its host tier, Rust core, black box"),
        Named("sglang-0.4.6", f"{_ADAPTERS}.sglang_legacy:sglang_legacy", "SGLang 0.4.6.post5's RadixCache, white box"),
        Named("sglang-hiradix-0.4.6", f"{_ADAPTERS}.sglang_hiradix:sglang_hiradix", "its HiRadixCache, with a host tier, white box"),
        Named("vllm", f"{_ADAPTERS}.vllm:vllm", "vLLM's KVCacheManager: requests only, black box"),
    )
}  # each runs in a process of its own, because of what it imports
