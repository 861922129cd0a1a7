"""The caches and the scenarios of the benchmark, as data. Importing this module loads no cache."""

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from typing import Any

OURS, FLOOR, DEFAULT = "optimized", "floor", "sglang-rust"
HISTORICAL = ("base", "as-submitted:pairs", "as-submitted:nodes", "leaf-set")


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache and its driver."""

    name: str
    place: str  # module:class or file.py:class
    sentence: str

    @property
    def is_peer(self) -> bool:
        """Return whether it is a widely used cache, with which ours is compared."""
        return self.name in CACHES and self.name not in (OURS, FLOOR, *HISTORICAL)


CACHES = {
    cache.name: cache
    for cache in (
        Cache(OURS, "radixcheck.verification.bench.drivers.optimized_driver:Optimized", "this project's cache, every feature on"),
        Cache(FLOOR, "radixcheck.verification.bench.drivers.floor_driver:Floor", "no usable cache: the least that CPython can do"),
        Cache(
            DEFAULT, "radixcheck.verification.bench.drivers.sglang_driver:UnifiedRust", "SGLang's default: UnifiedRadixCache, core in Rust"
        ),
        Cache("sglang-python", "radixcheck.verification.bench.drivers.sglang_driver:UnifiedPython", "the same, core in Python"),
        Cache("sglang-classic", "radixcheck.verification.bench.drivers.sglang_driver:Classic", "SGLang's RadixCache"),
        Cache("vllm", "radixcheck.verification.bench.drivers.vllm_driver:Blocks", "vLLM's KVCacheManager, without its hashing"),
        Cache("sglang-0.4.6", "radixcheck.verification.bench.drivers.sglang_driver:Legacy", "the same of 0.4.6.post5"),
        Cache("base", "radixcheck.verification.bench.drivers.historical_driver:Base", "before sglang#6907, reimplemented"),
        Cache("as-submitted:pairs", "radixcheck.verification.bench.drivers.historical_driver:Pairs", "sglang#6907, heap of (time, node)"),
        Cache("as-submitted:nodes", "radixcheck.verification.bench.drivers.historical_driver:Nodes", "sglang#6907, heap of nodes"),
        Cache("leaf-set", "radixcheck.verification.bench.drivers.historical_driver:LeafSet", "base with the set of leaves of sglang#14339"),
        Cache("sglang-cpp", "radixcheck.verification.bench.drivers.sglang_driver:Cpp", "SGLang 0.5.12's tree in C++"),
    )
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """The figures of a scenario. For the compared ones less is better."""

    sentence: str
    columns: tuple[str, ...]  # figures in a table
    compared: tuple[str, ...]  # the ones among them with ratios
    ours_only: bool = False  # the caches of others do not do what it measures
    told_apart: tuple[str, ...] = ()  # figures of caches that do a part of the work elsewhere: the cost with that part

    def shown(self, caches: Collection[Container[str]]) -> list[str]:
        """Return the columns of a table of these caches' figures: the ones that at least one of them has."""
        return [name for name in (*self.columns, *self.told_apart) if any(name in figures for figures in caches)]


_MEMORY = ("bytes per leaf of 16", "bytes per leaf of 64")
_HOST = ("backup p50", "load-back p50", "demote p50", "evict_host p50")
_GROWTH = ("backup", "demote", "evict_host")
_DEVICE = ("alloc", "free", "insert", "match", "evict")
SCENARIOS = {
    "memory": Scenario("resident bytes per leaf of 16 and 64 tokens", _MEMORY, _MEMORY),
    "decode": Scenario(
        "the pool is full of leaves of 64 tokens; a step evicts one or more in one call, allocates their slots and inserts others; us",
        ("evict p50", "evict p99", "alloc p50", "insert p50", "step p50", "step p99"),
        ("evict p50", "step p50"),
        told_apart=("step with hash p50",),
    ),
    "admit": Scenario(
        "admission of prompts of 2,048 tokens, 1,536 of which are shared within a group; us",
        ("match p50", "indices p50", "lock p50", "insert p50", "unlock p50", "total p99", "total p50"),
        ("total p50",),
        told_apart=("total with hash p50",),
    ),
    "trace": Scenario(
        "a recorded trace over a bounded pool; us per request",
        ("hit %", "leak", "match", "indices", "lock", "evict", "alloc", "insert", "finish", "unread", "requests/s", "us/request"),
        ("us/request",),
        told_apart=("us/request with hash",),
    ),
    "deep": Scenario(
        "a chain of nodes of 16 tokens; the time of a lock includes reading exact sizes; us",
        ("match p50", "lock p50", "unlock p50", "insert p50", "evict p50"),
        ("match p50", "lock p50", "insert p50"),
    ),
    "queue": Scenario(
        "waiting prompts of 2,048 tokens are ranked; 10 sequences come and 10 go between rounds; us per round",
        ("cached tokens", "enqueue", "first round", "round p50"),
        ("round p50",),
    ),
    "host": Scenario(
        "leaves of 64 tokens are backed up, loaded back, demoted and evicted from the host; copies cost nothing; us for each node",
        _HOST,
        _HOST,
    ),
    "growth": Scenario(
        "the same with few and with many leaves on the host alone; us, and how many times as large the largest median is as the smallest",
        tuple(f"{name} {figure}" for name in _GROWTH for figure in ("last", "growth")),
        tuple(f"{name} last" for name in _GROWTH),
    ),
    "tiers": Scenario(
        "a trace whose working set is ten times the device and twice the host; copies cost nothing; us per request",
        (
            *("device hit %", "host hit %", "match", "load", "indices", "lock", "evict", "alloc", "insert", "finish", "flush", "poll"),
            *("unread", "requests/s", "us/request"),
        ),
        ("us/request",),
    ),
    "device": Scenario(
        "our slots on the device (cuda 1) or on the CPU (0), in wall-clock time; tagged: the content of slots is checked there; us",
        ("cuda", *_DEVICE, *(f"tagged {name}" for name in _DEVICE)),
        (),
        ours_only=True,
    ),
    "kv": Scenario(
        "KV between the device (cuda 1), or the CPU (0), and the host; %: of one plain copy of as many bytes; a decode step; us",
        (
            *("cuda", "load GB/s", "plain load GB/s", "load %", "load launches"),
            *("backup GB/s", "plain backup GB/s", "backup %", "backup launches"),
            *("step us", "cache us/step", "share %"),
        ),
        (),
        ours_only=True,
    ),
    "events": Scenario(
        "leaves are inserted and evicted without KV events and with them; us for each leaf, and what events add for each page",
        ("insert off", "insert on", "insert on / off", "evict off", "evict on", "evict on / off", "us/page"),
        (),
        ours_only=True,
    ),
    "batch": Scenario(
        "the tokens of requests become one tensor, in several ways; us, and how many times faster ours is",
        (
            *("sum p50", "chain p50", "buffers p50", "lists p50", "arrays p50", "staged lists p50", "staged arrays p50"),
            *("sum / lists", "chain / lists", "sum / arrays", "buffers / arrays"),
        ),
        (),
        ours_only=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Job:
    """One scenario at one size."""

    scenario: str
    name: str
    arguments: Mapping[str, Any]

    def concerns(self, cache: Cache) -> bool:
        """Return whether the job is run on this cache."""
        return cache.name == OURS or not SCENARIOS[self.scenario].ours_only
