"""A package `sglang` whose engine answers from a formula, and remembers prompts as a cache would. Faults are given by backend.

Its caches count calls that cost nothing: 9 calls and 50 us a request, in the file of `call_meter`.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from fake_publisher import write_publisher
from fake_sglang import interpreter

SOURCE = """
import json, os, struct, sys
from types import SimpleNamespace

from event_publisher import Publisher

__version__ = "0.5.23"
FAULTS = json.loads(os.environ["FAKE_FAULTS"])


class Engine:
    def __init__(self, **arguments):
        name = "none" if arguments.get("disable_radix_cache") else arguments.get("radix_cache_backend", "default")
        name = name.removeprefix("timed-")
        self.page, self.fault, self.caches = arguments["page_size"], FAULTS.get(name, ""), name != "none"
        self.seen, self.served, self.publisher = set(), 0, None
        if "kv_events_config" in arguments:
            self.publisher = Publisher(json.loads(arguments["kv_events_config"]), self.page, self.fault)
        if self.fault == "start":
            raise RuntimeError("no start")
        self.watch = Watched(name) if "RADIXCHECK_WATCH" in os.environ and self.fault != "unwatched" else None

    def generate(self, input_ids, sampling_params, return_logprob=False, logprob_start_len=0, stream=False):
        if stream:
            return self.stream(input_ids, sampling_params["max_new_tokens"])
        return [self.serve(ids, sampling_params["max_new_tokens"]) for ids in input_ids]

    def stream(self, ids, count):
        whole = self.serve(ids, count)
        if self.fault != "no calls":
            with open(os.environ["RADIXCHECK_METER"], "ab+") as file:
                file.seek(0)
                calls, nanoseconds, reading = struct.unpack("3q", file.read(24) or bytes(24))
                file.truncate(0)
                file.write(struct.pack("3q", calls + 9, nanoseconds + 50_000, reading))
        for end in range(1, count + 1):
            yield whole | {"output_ids": whole["output_ids"][:end]}

    def flush_cache(self):
        self.seen = set()
        return SimpleNamespace(success=self.fault != "flush")

    def serve(self, ids, count):
        self.served += 1
        if self.watch:
            self.watch.served(self.fault)
        late = self.served > 6
        if late and self.fault in ("leak", "end"):
            text = "Full Pool Mem Leak Detected! 1 != 2" if self.fault == "leak" else "it ends"
            print("Traceback", "AssertionError: " + text, "RuntimeError: later", sep="\\n", file=sys.stderr, flush=True)
            os._exit(3)
        ends = range(self.page, len(ids), self.page)
        cached = max((end for end in ends if tuple(ids[:end]) in self.seen), default=0) if self.caches else 0
        tokens = [(sum(ids) * 7 + at) % 50 + 3 for at in range(count)]
        values = [-(sum(ids) % 97 + at) / 100 for at in range(count)]
        if late and self.fault == "tokens":
            tokens[1] += 1
        if late and self.fault in ("far", "bits"):
            values[0] += 1e-2 if self.fault == "far" else 1e-9
        whole = tuple(ids) + tuple(tokens[:-1])
        self.seen |= {whole[:end] for end in range(self.page, len(whole) + 1, self.page)}
        if self.publisher:
            self.publisher.store(whole)
        cached += late and self.fault == "more hits"
        about = {"cached_tokens": int(cached), "output_token_logprobs": [(value, token, None) for value, token in zip(values, tokens)]}
        return {"output_ids": tokens, "meta_info": about}

    def shutdown(self):
        if self.watch:
            self.watch.sink.close()


class Watched:
    # What a watch of a cache would write.

    def __init__(self, name):
        from radixcheck.verification.watch.departures import Departures
        from radixcheck.verification.watch.finding_sink import FindingSink
        from radixcheck.verification.watch.watch_counts import WatchCounts
        from radixcheck.verification.watch.watch_settings import settings_of_server

        self.counts = WatchCounts()
        self.sink = FindingSink(settings_of_server(os.environ), name, "0.5.23", Departures.of("sglang-classic", "0.5.23"))

    def served(self, fault):
        from radixcheck.verification.watch.watch_results import Finding

        self.counts.calls["match"] += 1
        self.counts.nanoseconds += 40_000
        self.sink.tick(self.counts)
        if self.counts.calls["match"] == 3:
            self.sink.found(Finding("TIME_MONO", 3, "match", "accepted"))
            if fault in ("leak", "far", "order"):
                self.sink.found(Finding("ORDER", 3, "match", "expected another victim"))
"""
CONTROLS = {"control-miscounting": "leak", "control-wrong-slot": "far", "control-silent-events": "silent"}


def live_interpreter(folder: Path, faults: Mapping[str, str] | None = None) -> str:
    """A Python that has this package. The controls fail as they must, if no other fault is given for them."""
    package = folder / "package" / "sglang"
    package.mkdir(parents=True)
    package.joinpath("__init__.py").write_text(SOURCE)
    write_publisher(package.parent)
    given = json.dumps(CONTROLS | dict(faults or {}))
    return interpreter(folder, package.parent, f"export FAKE_FAULTS='{given}'")


def model_folder(folder: Path) -> str:
    """A folder that states the vocabulary of a model."""
    folder.mkdir()
    folder.joinpath("config.json").write_text('{"vocab_size": 100}')
    return str(folder)
