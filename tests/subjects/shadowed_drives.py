"""Serves requests through caches of SGLang and ours beside which the shadow runs, without an engine. Runs in SGLang's Python.

    python shadowed_drives.py '[{"cache": "classic", "page_size": 16, "policy": "lru", "requests": 200, ...}, ...]'

prints one line for each. With `mutant` and `at`, that fault happens at that opportunity. With `plain`, the shadow is our cache as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import thread_time_ns
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
from cache_mutants import Fires, Mutants
from watched_drives import Crowded, Numbered

from radixcheck.optimized.integrations.sglang_cache import SGLangCache
from radixcheck.verification.live.engine_calls import Calls, made, reading_nanoseconds
from radixcheck.verification.watch.attach import attach
from radixcheck.verification.watch.black_box import BlackBoxShadow, BlackBoxView, BlackBoxWatch, attach_black_box
from radixcheck.verification.watch.cache_views import NotWatched, is_black_box, view_of
from radixcheck.verification.watch.imitation import UnifiedImitation
from radixcheck.verification.watch.shadow import KINDS, Shadow
from radixcheck.verification.watch.watched_call import Call

SALTS = (None, None, "salt")


class Metered:
    """A listener whose processor time is counted, and how many victims it was shown."""

    def __init__(self, listener: Shadow) -> None:
        self.listener = listener
        self.nanoseconds, self.victims = 0, 0

    def called(self, call: Call) -> None:
        """Pass a call to the listener."""
        start = thread_time_ns()
        self.listener.called(call)
        self.nanoseconds += thread_time_ns() - start
        self.victims += len(call.victims)


class NumberedBox(BlackBoxWatch):
    """A watch that says to a fault which call runs."""

    fires: Fires

    def begin(self, verb: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call | None:
        """A call begins."""
        call = super().begin(verb, arguments, named)
        if call is not None:
            self.fires.number, self.fires.verb = call.number, verb
        return call


class HitMutants(Mutants):
    """And faults that only the order of lfu and slru shows."""

    def hit_counts_twice(self) -> None:
        """A checkpoint counts two hits of one of its nodes."""
        if self.ours:
            self.after(self.ours, "count_hit", self._again)
        elif self.core:
            self.after(self.core, "_inc_hit_count_and_check", self._again)
        else:
            self.after(self.cache, "_inc_hit_count", self._again)

    def _again(self, result: Any, node: Any) -> Any:
        node = node[-1] if self.ours and node else node
        if self.fires(bool(node) if self.ours else True):
            setattr(node, "hits" if self.ours else "hit_count", (node.hits if self.ours else node.hit_count) + 1)
        return result


def served(cache: Any, seed: int, requests: int, prepare: Callable[[], None] | None = None) -> tuple[Calls, str]:
    """Serve requests; return the calls, and the error that ended them."""
    calls = Crowded(cache, seed)
    calls.salts = SALTS
    if prepare is not None:
        prepare()
    try:
        calls.serve(requests)
    except Exception as raised:
        return calls, f"{type(raised).__name__}: {raised}"
    return calls, ""


def opened(cache: Any, policy: str, plain: bool, findings: list[Any]) -> tuple[Metered, Any]:
    """A shadow and a watch beside a cache whose tree is read."""
    view = view_of(cache)
    assert not isinstance(view, NotWatched), view.reason
    metered = Metered(Shadow(view, SGLangCache if plain else KINDS[view.cache_name], lambda *found: findings.append(found)))
    return metered, Numbered(view, lambda *found: None, 0, [metered])


def box(cache: Any, policy: str, plain: bool, findings: list[Any]) -> tuple[Metered, Any]:
    """The same beside the unified cache with its core in Rust."""
    assert is_black_box(cache)
    view: Any = BlackBoxView(cache, policy)
    metered = Metered(BlackBoxShadow(view, SGLangCache if plain else UnifiedImitation, lambda *found: findings.append(found)))
    return metered, NumberedBox(view, lambda *found: findings.append(found), [metered], lambda counts: None)


def drive(
    cache: str, page_size: int, policy: str, requests: int, pool: int, seed: int, mutant: str = "", at: int = 1, plain: bool = False
) -> dict[str, Any]:
    """Serve requests through one cache; return what the shadow has found, where the fault was, and microseconds of processor time."""
    alone, _ = served(made(cache, page_size, pool, policy), seed, 0 if mutant else requests)
    subject = made(cache, page_size, pool, policy)
    findings: list[tuple[str, int, str, str]] = []
    metered, watch = (box if cache == "default" else opened)(subject, policy, plain, findings)
    shadow, view = metered.listener, watch.view
    watch.fires = fires = Fires(at, view)
    mutants = HitMutants(subject, fires)
    if mutant and not mutant.startswith("late"):
        getattr(mutants, mutant)()
    (attach_black_box if cache == "default" else attach)(subject, watch)
    calls, error = served(subject, seed, requests, getattr(mutants, mutant) if mutant.startswith("late") else None)
    counts, count = shadow.counts, max(1, shadow.counts.calls.total())
    about = {"cache": view.cache_name, "policy": policy, "page_size": page_size, "mutant": mutant, "at": at, "error": error, "on": watch.on}
    results = {name: getattr(counts, name) for name in ("calls", "differences", "rebuilds", "left_out", "paused")}
    micros = (alone.nanoseconds - alone.calls * reading_nanoseconds()) / 1_000 / max(1, alone.calls)
    times = {"live_us": micros, "shadow_us": metered.nanoseconds / 1_000 / count, "longest_us": counts.longest / 1_000}
    return about | results | times | {"fault": fires.call, "findings": findings, "victims": metered.victims, "hits": sum(calls.hits)}


def main() -> None:
    """Drive what the first argument says."""
    torch.set_num_threads(1)
    for each in json.loads(sys.argv[1]):
        print(json.dumps(drive(**each)), flush=True)


if __name__ == "__main__":
    main()
