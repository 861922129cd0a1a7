"""What is measured, of which caches."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.replay.sample import FILE as SAMPLE

OURS, FLOOR, DEFAULT = "optimized", "floor", "sglang-rust"
HISTORICAL = ("base", "as-submitted:pairs", "as-submitted:nodes", "leaf-set")


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache, and where its driver is."""

    name: str
    place: str  # module:class or file.py:class
    sentence: str

    @property
    def is_peer(self) -> bool:
        """Whether others are compared with it as one that people run."""
        return self.name in CACHES and self.name not in (OURS, FLOOR, *HISTORICAL)


CACHES = {
    cache.name: cache
    for cache in (
        Cache(OURS, "radixcheck.verification.bench.drivers.optimized_driver:Optimized", "this project's cache, every feature on"),
        Cache(FLOOR, "radixcheck.verification.bench.drivers.floor_driver:Floor", "no cache to use: the least that CPython can do"),
        Cache(
            DEFAULT, "radixcheck.verification.bench.drivers.sglang_driver:UnifiedRust", "SGLang's default: UnifiedRadixCache, core in Rust"
        ),
        Cache("sglang-python", "radixcheck.verification.bench.drivers.sglang_driver:UnifiedPython", "the same, core in Python"),
        Cache("sglang-classic", "radixcheck.verification.bench.drivers.sglang_driver:Classic", "SGLang's RadixCache"),
        Cache("vllm", "radixcheck.verification.bench.drivers.vllm_driver:Blocks", "vLLM's KVCacheManager, without its hashing"),
        Cache("sglang-0.4.6", "radixcheck.verification.bench.drivers.sglang_driver:Legacy", "the same of 0.4.6.post5"),
        Cache("base", "radixcheck.verification.bench.drivers.historical_driver:Base", "before sglang#6907, in our words"),
        Cache("as-submitted:pairs", "radixcheck.verification.bench.drivers.historical_driver:Pairs", "sglang#6907, heap of (time, node)"),
        Cache("as-submitted:nodes", "radixcheck.verification.bench.drivers.historical_driver:Nodes", "sglang#6907, heap of nodes"),
        Cache("leaf-set", "radixcheck.verification.bench.drivers.historical_driver:LeafSet", "base with the set of leaves of sglang#14339"),
        Cache("sglang-cpp", "radixcheck.verification.bench.drivers.sglang_cpp_driver:Cpp", "SGLang 0.5.12's tree in C++"),
    )
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a scenario shows. Of what is compared less is better."""

    sentence: str
    columns: tuple[str, ...]  # figures that a table shows
    compared: tuple[str, ...]  # of these: those that are put in relation
    ours_only: bool = False  # it is about something that the caches of others do not do
    told_apart: tuple[str, ...] = ()  # figures of caches that do a part of the work elsewhere: what it costs with that part

    def shown(self, caches: Collection[Container[str]]) -> list[str]:
        """The columns of a table of these caches' figures: what at least one of them has."""
        return [name for name in (*self.columns, *self.told_apart) if any(name in figures for figures in caches)]


SCENARIOS = {
    "memory": Scenario(
        "resident bytes for each leaf of 16 and 64 tokens",
        ("bytes per leaf of 16", "bytes per leaf of 64"),
        ("bytes per leaf of 16", "bytes per leaf of 64"),
    ),
    "decode": Scenario(
        "the pool is full of leaves of 64 tokens; a step evicts one or more in one call, takes their slots and inserts others; us",
        ("evict p50", "evict p99", "alloc p50", "insert p50", "step p50", "step p99"),
        ("evict p50", "step p50"),
        told_apart=("step with hash p50",),
    ),
    "admit": Scenario(
        "prompts of 2,048 tokens, of which groups share 1,536, are admitted; us",
        ("match p50", "indices p50", "lock p50", "insert p50", "unlock p50", "total p99", "total p50"),
        ("total p50",),
        told_apart=("total with hash p50",),
    ),
    "trace": Scenario(
        "a recorded trace over a bounded pool; us for each request",
        ("hit %", "leak", "match", "indices", "lock", "evict", "alloc", "insert", "finish", "unread", "requests/s", "us/request"),
        ("us/request",),
        told_apart=("us/request with hash",),
    ),
    "deep": Scenario(
        "a chain of nodes of 16 tokens; a lock is timed with a reading of exact sizes; us",
        ("match p50", "lock p50", "unlock p50", "insert p50", "evict p50"),
        ("match p50", "lock p50", "insert p50"),
    ),
    "queue": Scenario(
        "waiting prompts of 2,048 tokens are ranked; 10 sequences come and 10 go between rounds; us a round",
        ("cached tokens", "enqueue", "first round", "round p50"),
        ("round p50",),
    ),
    "device": Scenario(
        "our slots on the device (cuda 1), or on the CPU (0), by the clock on the wall; tagged: what slots hold is compared there; us",
        (
            *("cuda", "alloc", "free", "insert", "match", "evict"),
            *("tagged alloc", "tagged free", "tagged insert", "tagged match", "tagged evict"),
        ),
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
        """Whether it is to be done with this cache."""
        return cache.name == OURS or not SCENARIOS[self.scenario].ours_only


def planned(quick: bool, names: Iterable[str], trace: Path | None) -> list[Job]:
    """What is to be done, in this order: memory first, while a process has none to use again. Raises `UsageError`."""
    wanted = tuple(names) or tuple(SCENARIOS)
    _known(wanted)
    sizes = QUICK if quick else FULL
    jobs = []
    for scenario in SCENARIOS:
        if scenario in wanted:
            jobs += [Job(scenario, f"{scenario}: {name}", arguments) for name, arguments in sizes.jobs(scenario, trace)]
    return jobs


def _known(names: Iterable[str]) -> None:
    for name in names:
        if name not in SCENARIOS:
            raise UsageError(f"unknown scenario {name!r}: choose from {', '.join(SCENARIOS)}")


def chosen(names: Iterable[str]) -> list[Cache]:
    """The caches of these names (default: all), or drivers of one's own as file.py:class. Raises `UsageError`."""
    caches = []
    for name in tuple(names) or tuple(CACHES):
        file, _, attribute = name.rpartition(":")
        if name in CACHES:
            caches.append(CACHES[name])
        elif file.endswith(".py") and attribute:
            if not Path(file).is_file():
                raise UsageError(f"--cache {name}: there is no file {file}")
            caches.append(Cache(name, f"{Path(file).resolve()}:{attribute}", "a driver of your own"))
        else:
            raise UsageError(f"unknown cache {name!r}: choose from {', '.join(CACHES)}, or give file.py:class, a driver of your own")
    return caches


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    decode: tuple[tuple[int, int, str, int], ...]  # leaves, page size, pool, victims of one call
    steps: int  # at most
    seconds: float  # of one timed loop, at most
    per_group: int  # prompts of each of 32 groups
    pages: tuple[int, ...]  # of admissions
    traces: tuple[tuple[int, int, int, int], ...]  # tokens a hash id, hash ids of the pool, requests (0: all), page size
    sample: tuple[tuple[int, int, int, int], ...]  # the same of the small trace, which leaves a large pool empty
    chains: tuple[int, ...]  # nodes
    leaves: int  # of the memory
    waiting: int  # requests
    rounds: int
    batches: int

    def jobs(self, scenario: str, trace: Path | None) -> list[tuple[str, dict[str, Any]]]:
        """Names and arguments."""
        paced = {"steps": self.steps, "seconds": self.seconds}
        if scenario == "memory":
            return [(f"{self.leaves:,} leaves", {"leaves": self.leaves})]
        if scenario == "decode":
            return [
                (
                    f"{leaves:,} leaves, pages of {page}, {pool} pool, victims at a time: {victims}",
                    {"leaves": leaves, "page_size": page, "pool": pool, "victims": victims, **paced},
                )
                for leaves, page, pool, victims in self.decode
            ]
        if scenario == "admit":
            many = {"groups": 32, "per_group": self.per_group}
            return [(f"{32 * self.per_group:,} prompts, pages of {page}", {**many, "page_size": page}) for page in self.pages]
        if scenario == "trace":
            return [self._trace(trace or SAMPLE, *one) for one in (self.traces if trace else self.sample)]
        if scenario == "deep":
            return [(f"{nodes:,} nodes", {"nodes": nodes, "steps": 30}) for nodes in self.chains]
        if scenario == "device":
            sizes = {"leaves": self.leaves // 10, "page_size": 16, "steps": self.steps // 4}
            return [(f"{self.leaves // 10:,} leaves of 64 tokens, pages of 16", sizes)]
        if scenario == "batch":
            return [("256 requests of 1,024 tokens", {"requests": 256, "tokens": 1_024, "steps": self.batches})]
        assert scenario == "queue"
        rounds = {"requests": self.waiting, "rounds": self.rounds, "page_size": 1}
        return [(f"{self.waiting:,} requests, {self.rounds} rounds", rounds)]

    def _trace(self, path: Path, block: int, blocks: int, requests: int, page: int) -> tuple[str, dict[str, Any]]:
        name = f"{path.stem}, {block} tokens a hash id, pool of {block * blocks:,}, pages of {page}"
        bounds = {"block": block, "blocks": blocks, "page_size": page, "requests": requests}
        return name, {"path": str(path.resolve()), **bounds, "running": 32, "seconds": 30 * self.seconds}


FULL = Sizes(
    decode=tuple(
        (leaves, page, pool, victims)
        for pool in ("stub", "real")
        for leaves, page, victims in ((1_000, 1, 1), (10_000, 1, 1), (50_000, 1, 1), (10_000, 16, 1), (10_000, 64, 1), (10_000, 1, 100))
    ),
    steps=2_000,
    seconds=4.0,
    per_group=32,
    pages=(1, 16, 64),
    traces=((16, 20_000, 0, 1), (16, 20_000, 0, 16), (512, 4_000, 800, 1), (512, 4_000, 800, 16)),
    sample=((16, 400, 0, 1), (16, 400, 0, 16), (512, 400, 0, 1), (512, 400, 0, 16)),
    chains=(64, 256, 1_024),
    leaves=20_000,
    waiting=1_000,
    rounds=10,
    batches=20,
)
QUICK = Sizes(
    decode=(
        (100, 1, "stub", 1),
        (1_000, 1, "stub", 1),
        (10_000, 1, "stub", 1),
        (1_000, 16, "stub", 1),
        (1_000, 1, "stub", 100),
        (1_000, 1, "real", 1),
    ),
    steps=300,
    seconds=0.3,
    per_group=8,
    pages=(1, 16),
    traces=((16, 2_000, 300, 1), (16, 2_000, 300, 16)),
    sample=((16, 400, 0, 1), (16, 400, 0, 16)),
    chains=(64, 256),
    leaves=3_000,
    waiting=500,
    rounds=4,
    batches=5,
)
