"""Serves requests through watched caches of SGLang and ours, without an engine, some of them with a fault. Runs in SGLang's Python.

    python watched_drives.py '[{"cache": "classic", "page_size": 16, "policy": "lru", "requests": 200, ...}, ...]'
    python watched_drives.py table BUDGET

The first prints a line for each drive: with `mutant` and `at`, that fault happens at that opportunity. The second prints a table of all
faults, and where each was found with this budget in microseconds a call.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
from cache_mutants import Fires, Mutants, names_of

from radixcheck.verification.live.engine_calls import Calls, made
from radixcheck.verification.watch.attach import attach
from radixcheck.verification.watch.cache_views import NotWatched, view_of
from radixcheck.verification.watch.departures import Departures
from radixcheck.verification.watch.live_watch import LiveWatch
from radixcheck.verification.watch.watched_call import Call

CACHES = ("classic", "python", "radixcheck")
PLACES = ((16, 1), (1, 3))  # page size, opportunity
SHOWN = 400  # findings of one drive
STEMS, AT_ONCE = 4, 5
BEHIND = 40  # calls that are made when the fault has happened
END = object()


class Numbered(LiveWatch):
    """A watch that shows a fault which call runs."""

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

    def serve_until(self, requests: int, done: Callable[[], bool]) -> None:
        """Serve requests, chunk by chunk, until all are served or there is enough."""
        running: dict[int, Any] = {}
        started = 0
        while (started < requests or running) and not done():
            row = self.draw.randrange(AT_ONCE)
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
    accepts = Departures.of(view.cache_name, view.version).accepts
    watch = Numbered(view, lambda *found: findings.append(found), budget, accepts=accepts)
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
        calls.serve_until(requests, lambda: bool(fires.call) and fires.number > fires.call + BEHIND)
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    counts = watch.counts
    about = {"cache": cache, "policy": policy, "page_size": page_size, "mutant": mutant, "at": at, "error": error, "on": watch.on}
    numbers = {"calls": counts.calls.total(), "window_checks": counts.window_checks, "nodes": counts.nodes, "fault": fires.call}
    return about | numbers | {"findings": findings[:SHOWN], "departures": counts.departures.total()}


def fault_drives(budget: float, places: Sequence[tuple[int, int]] = PLACES) -> list[dict[str, Any]]:
    """Return a drive for each fault of each cache, at each page size and opportunity."""
    common = {"policy": "lru", "requests": 80, "pool": 3_072, "seed": 3, "budget": budget}
    faults = [(cache, name) for cache in CACHES for name in names_of(cache)]
    return [{"cache": cache, "mutant": name, "page_size": page, "at": at, **common} for cache, name in faults for page, at in places]


def place_of(row: dict[str, Any]) -> str:
    """Return where a fault was found, in words."""
    if not row["fault"]:
        return "did not happen"
    first = next((number for _, number, *_ in row["findings"] if number >= row["fault"]), None)
    return "never" if first is None else "at its call" if first == row["fault"] else f"{first - row['fault']} calls later"


def table(budget: float) -> None:
    """Print where each fault is found."""
    here: Counter[str] = Counter()
    rows = []
    for each in fault_drives(budget):
        rows.append(row := drive(**each))
        place, properties = place_of(row), sorted({found[0] for found in row["findings"] if found[1] == row["fault"]})
        here[row["cache"]] += place == "at its call"
        about = f"{row['cache']:11} {row['page_size']:3} {row['mutant']:33}"
        print(f"{about} call {row['fault']:4}  {place:16} {' '.join(properties)}", flush=True)
    for cache in CACHES:
        print(f"{cache}: {here[cache]} of {sum(row['cache'] == cache for row in rows)} faults found at their calls, {budget:g} us a call")


def main() -> None:
    """Do what the arguments say."""
    torch.set_num_threads(1)
    if sys.argv[1] == "table":
        table(float(sys.argv[2]))
        return
    for each in json.loads(sys.argv[1]):
        print(json.dumps(drive(**each)), flush=True)


if __name__ == "__main__":
    main()
