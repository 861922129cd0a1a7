"""Serves requests through watched caches of SGLang and ours, without an engine, some of them with a fault. Runs in SGLang's Python.

    python watched_drives.py '[{"cache": "classic", "page_size": 16, "policy": "lru", "requests": 200, ...}, ...]'

prints one line for each. With `mutant` and `at`, that fault happens at that opportunity.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
from cache_mutants import Fires, Mutants

from radixcheck.verification.live.engine_calls import ROWS, Calls, made
from radixcheck.verification.watch.attach import attach
from radixcheck.verification.watch.cache_views import NotWatched, view_of
from radixcheck.verification.watch.live_watch import LiveWatch
from radixcheck.verification.watch.watched_call import Call

STEMS = 4
END = object()


class Numbered(LiveWatch):
    """A watch that tells a fault which call runs."""

    fires: Fires

    def begin(self, verb: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call | None:
        """A call begins."""
        call = super().begin(verb, arguments, named)
        if call is not None:
            self.fires.number, self.fires.verb = call.number, verb
        return call


class Crowded(Calls):
    """Requests that overlap in any order and share a few stems: they find what others cache meanwhile, and split what others hold."""

    def __init__(self, cache: Any, seed: int) -> None:
        super().__init__(cache, seed)
        self.stems = self.stems[:STEMS]

    def serve(self, requests: int) -> None:
        """Serve requests, chunk by chunk."""
        running: dict[int, Any] = {}
        started = 0
        while started < requests or running:
            row = self.draw.randrange(ROWS)
            if row in running:
                if next(running[row], END) is END:
                    del running[row]
            elif started < requests:
                started += 1
                running[row] = self.chunks(self.start(row))


def drive(
    cache: str, page_size: int, policy: str, requests: int, pool: int, seed: int, budget: float, mutant: str = "", at: int = 1
) -> dict[str, Any]:
    """Serve requests through one cache; return what was found, and where the fault was."""
    subject = made(cache, page_size, pool, policy)
    view = view_of(subject)
    assert not isinstance(view, NotWatched), view.reason
    findings: list[tuple[str, int, str, str]] = []
    watch = Numbered(view, lambda *found: findings.append(found), budget)
    watch.fires = fires = Fires(at, view)
    mutants = Mutants(subject, fires)
    if mutant and not mutant.startswith("late"):
        getattr(mutants, mutant)()
    attach(subject, watch)
    calls = Crowded(subject, seed)
    if mutant.startswith("late"):
        getattr(mutants, mutant)()
    error = ""
    try:
        calls.serve(requests)
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    about = {"cache": view.cache_name, "version": view.version, "policy": policy, "page_size": page_size, "mutant": mutant, "at": at}
    counts = {"calls": watch.counts.calls.total(), "us_per_call": watch.counts.nanoseconds / 1_000 / max(1, watch.counts.calls.total())}
    return about | counts | {"fault": fires.call, "findings": findings, "error": error, "nodes": watch.counts.nodes, "on": watch.on}


def main() -> None:
    """Drive what the first argument says."""
    torch.set_num_threads(1)
    for each in json.loads(sys.argv[1]):
        print(json.dumps(drive(**each) | {"sglang": version("sglang")}), flush=True)


if __name__ == "__main__":
    main()
