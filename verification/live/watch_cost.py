"""What a watch costs at SGLang's own calls, without an engine: for each budget, and with a tree that grows. Runs in the engine's Python."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Sequence
from typing import Any

from radixcheck.verification.live.engine_calls import STEM_TOKENS, STEMS, Calls, made, reading_nanoseconds
from radixcheck.verification.watch.attach import attach
from radixcheck.verification.watch.cache_views import NotWatched, view_of
from radixcheck.verification.watch.departures import Departures
from radixcheck.verification.watch.live_watch import LiveWatch

SHORT_TOKENS = 6  # of a prompt that makes a tree grow


class Watched:
    """A cache with its watch, if it has one, and the requests that it serves."""

    def __init__(self, name: str, page_size: int, policy: str, pool: int, seed: int, budget: float | None) -> None:
        self.cache = made(name, page_size, pool, policy)
        self.found: Counter[str] = Counter()
        self.watch = None if budget is None else self._watch(budget)
        self.calls = Growing(self.cache, seed)

    def _watch(self, budget: float) -> LiveWatch:
        view = view_of(self.cache)
        if isinstance(view, NotWatched):
            raise ValueError(f"this cache cannot be watched: {view.reason}")
        accepts = Departures.of(view.cache_name, view.version).accepts
        watch = LiveWatch(view, lambda property_, number, verb, text: self.found.update([property_]), budget, (), accepts)
        attach(self.cache, watch)
        return watch

    def serve(self, requests: int) -> dict[str, Any]:
        """Serve requests; return the processor time within the cache, and what the watch did."""
        calls, watch = self.calls, self.watch
        calls.calls = calls.nanoseconds = 0
        before = (0, 0, 0, 0) if watch is None else numbers_of(watch)
        calls.serve(requests)
        after = before if watch is None else numbers_of(watch)
        seen, nanoseconds, skipped, window = (b - a for a, b in zip(before, after, strict=True))
        return {
            "us_per_request": (calls.nanoseconds - calls.calls * reading_nanoseconds()) / 1_000 / requests,
            "calls": seen,
            "us_per_call": nanoseconds / 1_000 / max(1, seen),
            "skipped": skipped,
            "window_checks": window,
            "nodes": 0 if watch is None else watch.counts.nodes,
            "found": dict(self.found),
        }


class Growing(Calls):
    """Requests as ever, or with a short prompt of its own each."""

    short = False

    def _prompt(self) -> list[int]:
        return self._tokens(SHORT_TOKENS * self.page_size) if self.short else super()._prompt()

    def grow(self, nodes: int, watch: LiveWatch) -> None:
        """Serve short prompts until the tree has as many nodes."""
        self.short = True
        while watch.counts.nodes < nodes:
            self.serve(4)
        self.short = False
        self.past, self.stems = [], [self._tokens(STEM_TOKENS) for _ in range(STEMS)]  # as in a new tree: paths of the same depth


def numbers_of(watch: LiveWatch) -> tuple[int, int, int, int]:
    """Return calls, nanoseconds, skipped checks and checks of the window."""
    counts = watch.counts
    return sum(counts.calls.values()), counts.nanoseconds, counts.skipped, counts.window_checks


def measured(
    name: str, page_size: int, policy: str, requests: int, pool: int, seed: int, budget: float | None, nodes: Sequence[int] = ()
) -> list[dict[str, Any]]:
    """Serve requests through one cache, with a watch of this budget (microseconds a call) or without; once, or at each number of nodes."""
    import torch

    torch.set_num_threads(1)  # as the caches are measured elsewhere
    watched = Watched(name, page_size, policy, pool, seed, budget)
    about = {"cache": name, "page_size": page_size, "budget": budget}
    if not nodes:
        return [about | watched.serve(requests)]
    assert watched.watch is not None, "a tree is grown under a watch, which counts its nodes"
    rows = []
    for each in nodes:
        watched.calls.grow(each, watched.watch)
        gc.collect()  # a collection of all that has grown takes as long as thousands of calls
        rows.append(about | {"aimed": each} | watched.serve(requests))
    return rows
