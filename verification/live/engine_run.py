"""Runs in the engine's Python, as a script: one live engine with one backend. One JSON message a line, over standard input and output.

    {"do": "model", "path": [...], "folder": ...}                       makes the tiny model: `parameters`
    {"do": "start", "path": [...], "log": ..., "engine": {...}}         starts the engine: `version`, `seconds`
    {"do": "round", "prompts": [[...], ...], "tokens": ...}             serves prompts together: `answers`, `seconds`, `begun`, `ended`
    {"do": "calls", "path": [...], "drives": [{...}, ...]}               drives caches, as `engine_calls.drive`: `version`, `rows`
    {"do": "timed", "prompt": [...], "tokens": ...}                     serves one prompt: as `call_meter.serve`
    {"do": "flush"}                                                     empties the cache: as `call_meter.flush`
    {"do": "convert", "path": [...], "file": ..., "folder": ...}         makes a model from a GGUF file: as `gguf_model.made`
    {"do": "events", "path": [...], "drives": [{...}, ...]}              the same of their KV events, as `event_calls.emitted`: `rows`
    {"do": "watch_cost", "path": [...], "drive": {...}}                  drives a watched cache, as `watch_cost.measured`: `version`, `rows`
    {"do": "end"}                                                       stops it

`path` goes before the path of modules, also in the processes that the engine starts. What they print goes to the log. A message that starts
an engine may also set variables of its environment. `begun` and `ended` are readings of the clock on the wall, in seconds.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter, time
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = {
    "SGLANG_PLUGINS": "radixcheck_live",
    "SGLANG_ENABLE_STRICT_MEM_CHECK_DURING_BUSY": "1",  # compares the pool with what cache and requests hold, after every step
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
ON_CPU = {"SGLANG_USE_CPU_ENGINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}  # one thread: sums in one order


class Runner:
    """Answers messages about one engine."""

    def __init__(self) -> None:
        self._engine: Any = None

    def model(self, message: dict[str, Any]) -> dict[str, Any]:
        """Make the tiny model."""
        _place(message["path"])
        from radixcheck.verification.live.tiny_model import make

        return {"parameters": make(message["folder"])}

    def start(self, message: dict[str, Any]) -> dict[str, Any]:
        """Start the engine."""
        log = os.open(message["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.environ.update(ENVIRONMENT | (ON_CPU if message["engine"]["device"] == "cpu" else {}) | message.get("environment", {}))
        _place(message["path"])
        import sglang

        from radixcheck.verification.live.workload import WARM_UP

        start = perf_counter()
        self._engine = sglang.Engine(**message["engine"])
        self.round({"prompts": [list(WARM_UP)], "tokens": 2})
        return {"version": sglang.__version__, "seconds": perf_counter() - start}

    def round(self, message: dict[str, Any]) -> dict[str, Any]:
        """Serve some prompts together, each token the likeliest."""
        sampling = {"max_new_tokens": message["tokens"], "temperature": 0, "ignore_eos": True}
        begun, start = time(), perf_counter()
        results = self._engine.generate(input_ids=message["prompts"], sampling_params=sampling, return_logprob=True, logprob_start_len=-1)
        seconds = perf_counter() - start
        return {"answers": [_answer(result) for result in results], "seconds": seconds, "begun": begun, "ended": time()}

    def calls(self, message: dict[str, Any]) -> dict[str, Any]:
        """Drive caches without an engine."""
        _place(message["path"])
        from importlib.metadata import version

        from radixcheck.verification.live.engine_calls import drive

        return {"rows": [drive(**each) for each in message["drives"]], "version": version("sglang")}

    def timed(self, message: dict[str, Any]) -> dict[str, Any]:
        """Serve one prompt, and time it."""
        from radixcheck.verification.live.call_meter import serve

        return serve(self._engine, message)

    def flush(self, _: dict[str, Any]) -> dict[str, Any]:
        """Empty the cache."""
        from radixcheck.verification.live.call_meter import flush

        return flush(self._engine)

    def convert(self, message: dict[str, Any]) -> dict[str, Any]:
        """Make a model from a GGUF file, and compare it with what a reader makes of that file."""
        _place(message["path"])
        from radixcheck.verification.live.gguf_model import made

        return made(message["file"], message["folder"], message["prompts"], message["seed"])

    def events(self, message: dict[str, Any]) -> dict[str, Any]:
        """Drive caches that emit KV events, without an engine."""
        _place(message["path"])
        from radixcheck.verification.live.event_calls import emitted

        return {"rows": [emitted(**each) for each in message["drives"]]}

    def watch_cost(self, message: dict[str, Any]) -> dict[str, Any]:
        """Drive a watched cache without an engine."""
        _place(message["path"])
        from importlib.metadata import version

        from radixcheck.verification.live.watch_cost import measured

        return {"rows": measured(**message["drive"]), "version": version("sglang")}

    def end(self, _: dict[str, Any]) -> dict[str, Any]:
        """Stop the engine."""
        self._engine.shutdown()
        return {}


def _answer(result: dict[str, Any]) -> dict[str, Any]:
    about = result["meta_info"]
    probabilities = [each[0] for each in about["output_token_logprobs"]]
    return {"tokens": result["output_ids"], "cached": about["cached_tokens"], "log_probabilities": probabilities}


def _place(path: list[str]) -> None:
    """Put folders before the path of modules, here and in the processes that the engine starts, instead of the folder of this file."""
    sys.path[:] = [*path, *(each for each in sys.path if os.path.abspath(each or ".") != HERE)]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [*path, os.environ.get("PYTHONPATH")]))


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
