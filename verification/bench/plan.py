"""Turns the options of the command into jobs and caches."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.bench.bench_data import CACHES, SCENARIOS, Cache, Job
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.trace_replay.sample import FILE as SAMPLE


def planned(quick: bool, names: Iterable[str], trace: Path | None) -> list[Job]:
    """Return the jobs, memory first, before the process has freed memory to reuse. Raise `UsageError` for an unknown scenario."""
    wanted = tuple(names) or tuple(SCENARIOS)
    for name in wanted:
        if name not in SCENARIOS:
            raise UsageError(f"unknown scenario {name!r}: choose from {', '.join(SCENARIOS)}")
    sizes = QUICK if quick else FULL
    jobs = []
    for scenario in SCENARIOS:
        if scenario in wanted:
            jobs += [Job(scenario, f"{scenario}: {name}", arguments) for name, arguments in sizes.jobs(scenario, trace)]
    return jobs


def chosen(names: Iterable[str]) -> list[Cache]:
    """Return the caches of these names (default: all), or of the form file.py:class. Raise `UsageError` for an unknown one."""
    caches = []
    for name in tuple(names) or tuple(CACHES):
        file, _, attribute = name.rpartition(":")
        if name in CACHES:
            caches.append(CACHES[name])
        elif file.endswith(".py") and attribute:
            if not Path(file).is_file():
                raise UsageError(f"--cache {name}: there is no file {file}")
            caches.append(Cache(name, f"{Path(file).resolve()}:{attribute}", "your own driver"))
        else:
            raise UsageError(f"unknown cache {name!r}: choose from {', '.join(CACHES)}, or give the driver of your cache as file.py:class")
    return caches


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of all scenarios."""

    decode: tuple[tuple[int, int, str, int], ...]  # leaves, page size, pool, victims per call
    steps: int  # maximum
    seconds: float  # maximum for one timed loop
    per_group: int  # prompts of each of 32 groups
    pages: tuple[int, ...]  # page sizes of admissions
    traces: tuple[tuple[int, int, int, int], ...]  # tokens per hash id, hash ids of the pool, requests (0: all), page size
    sample: tuple[tuple[int, int, int, int], ...]  # the same for the small trace, which cannot fill a large pool
    chains: tuple[int, ...]  # nodes
    leaves: int  # of memory and device
    waiting: int  # requests
    rounds: int
    batches: int
    hosted: tuple[tuple[int, int, str, int], ...]  # leaves on each tier, page size, pools, leaves at a time
    growing: tuple[int, ...]  # leaves on the host alone
    device: int  # leaves that are on the device while those grow
    tiered: tuple[tuple[int, int, int], ...]  # requests of a generated trace, or of a recorded one; running requests, page size
    kv: tuple[tuple[int, int, int, int], ...]  # page size, layers, prompts, tokens of each

    def jobs(self, scenario: str, trace: Path | None) -> list[tuple[str, dict[str, Any]]]:
        """Return the names and arguments of the jobs of a scenario."""
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
        if scenario in ("host", "growth", "tiers"):
            return self._tiers(scenario, trace)
        if scenario == "kv":
            return [self._kv(*one, fragmented) for one in self.kv for fragmented in (False, True)]
        if scenario == "events":
            sizes = {"page_size": 16, "rounds": 2 * self.batches}
            return [(f"leaves of {pages} pages of 16", {"pages": pages, "leaves": max(16, 512 // pages), **sizes}) for pages in (1, 16, 64)]
        if scenario == "batch":
            return [("256 requests of 1,024 tokens", {"requests": 256, "tokens": 1_024, "steps": self.batches})]
        assert scenario == "queue"
        rounds = {"requests": self.waiting, "rounds": self.rounds, "page_size": 1}
        return [(f"{self.waiting:,} requests, {self.rounds} rounds", rounds)]

    def _tiers(self, scenario: str, trace: Path | None) -> list[tuple[str, dict[str, Any]]]:
        """Return the same of the scenarios for caches with a host tier."""
        paced = {"steps": self.steps, "seconds": self.seconds}
        if scenario == "host":
            return [
                (
                    f"{leaves:,} leaves on each tier, pages of {page}, {pool} pools, leaves at a time: {at_once}",
                    {"leaves": leaves, "page_size": page, "pool": pool, "at_once": at_once, **paced},
                )
                for leaves, page, pool, at_once in self.hosted
            ]
        if scenario == "growth":
            sizes = {"sizes": self.growing, "device": self.device, "page_size": 1, **paced}
            return [(f"{self.growing[0]:,} to {self.growing[-1]:,} leaves on the host", sizes)]
        path = str(trace.resolve()) if trace else ""
        return [
            (
                f"{trace.stem if trace else 'generated'}, {requests:,} requests, pages of {page}",
                {"path": path, "block": 16, "page_size": page, "requests": requests, "running": running, "seconds": 30 * self.seconds},
            )
            for requests, running, page in self.tiered
        ]

    def _kv(self, page: int, layers: int, prompts: int, tokens: int, fragmented: bool) -> tuple[str, dict[str, Any]]:
        host = "fragmented" if fragmented else "contiguous"
        name = f"{prompts} prompts of {tokens:,} tokens, {layers} layers of 4 KiB, pages of {page}, {host} host"
        sizes = {"page_size": page, "layers": layers, "prompts": prompts, "tokens": tokens, "fragmented": fragmented}
        return name, {**sizes, "steps": 2 * self.batches // 5, "batch": 8, "context": 256}

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
    hosted=(
        *((10_000, 1, "stub", 1), (10_000, 16, "stub", 1), (10_000, 16, "stub", 16)),
        *((1_000, 1, "real", 1), (1_000, 16, "real", 16)),
    ),
    growing=(1_000, 10_000, 50_000),
    device=1_000,
    tiered=((3_000, 16, 1), (3_000, 16, 16)),
    kv=((1, 8, 8, 2_048), (16, 8, 8, 2_048), (64, 8, 8, 2_048)),
)
QUICK = Sizes(
    decode=(
        *((leaves, 1, "stub", 1) for leaves in (100, 1_000, 10_000)),
        *((1_000, 16, "stub", 1), (1_000, 1, "stub", 100), (1_000, 1, "real", 1)),
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
    hosted=((300, 1, "stub", 1), (300, 16, "stub", 16), (300, 16, "real", 1)),
    growing=(300, 3_000),
    device=100,
    tiered=((600, 8, 16),),
    kv=((16, 4, 4, 512),),
)
