"""The whole of a watch, around our cache: a finding comes with the operations that led to it, up to the call that shows it."""

from pathlib import Path
from typing import Any

import pytest
from engine_types import Scheduler, parameters, results

from radixcheck.optimized.integrations.sglang_cache import cache_class
from radixcheck.verification.core.traces import Recorded, read
from radixcheck.verification.watch.cache_views import NotWatched
from radixcheck.verification.watch.server_watch import Watched, watched
from radixcheck.verification.watch.watch_folder import read_outcome
from radixcheck.verification.watch.watch_results import Finding
from radixcheck.verification.watch.watch_settings import WatchSettings


def served(folder: Path, operations: int = 2_000) -> tuple[Any, Watched, Scheduler]:
    """A cache with one prompt in it, and one live request that shares a part of it."""
    cache = cache_class(results())(parameters(64, 1))
    watch = watched(cache, WatchSettings(folder, budget_us=100_000, operations=operations))
    assert not isinstance(watch, NotWatched)
    scheduler = Scheduler(cache)
    scheduler.start(0, [1, 2, 3, 4])
    scheduler.release(0)
    scheduler.start(1, [1, 2, 9])
    return cache, watch, scheduler


def found(folder: Path) -> dict[str, tuple[Finding, Recorded]]:
    """The findings with their traces, by property."""
    return {finding.property: (finding, read(folder / finding.trace)) for _, finding in read_outcome(folder).findings}


def test_a_right_cache_shows_nothing_and_the_calls_are_counted(tmp_path: Path) -> None:
    _, watch, scheduler = served(tmp_path)
    scheduler.release(1)
    watch.sink.close()
    outcome = read_outcome(tmp_path)

    assert (outcome.status, outcome.caches[0].calls["match"], outcome.caches[0].found) == (0, 2, {})


def test_the_trace_ends_with_the_call_that_shows_the_fault(tmp_path: Path) -> None:
    cache, watch, scheduler = served(tmp_path)
    next(iter(cache.root_node.children.values())).local_lock_ref += 1
    scheduler.checkpoint(1, 3)
    watch.sink.close()
    finding, recorded = found(tmp_path)["LOCK_COUNT"]

    assert finding.verb == "checkpoint"
    assert [str(op) for op in recorded.trace[-5:]] == ["lock h3 [1 2]", "insert [1 2 9]", "match [1 2 9]", "lock h4 [1 2 9]", "unlock h3"]
    assert (recorded.subject, recorded.property) == ("optimized", "LOCK_COUNT")


@pytest.mark.parametrize("operations", [2_000, 12])
def test_the_trace_of_a_reset_has_the_tree_that_was_there_before(operations: int, tmp_path: Path) -> None:
    cache, watch, _ = served(tmp_path, operations)
    cache.reset()
    watch.sink.close()
    finding, recorded = found(tmp_path)["RESET_QUIESCENT"]

    assert finding.text == "expected no lock at a reset; 1 are live"
    names = [op.name for op in recorded.trace]
    assert (names[-1], names.count("insert"), names.count("lock") - names.count("unlock")) == ("reset", 1, 1)
