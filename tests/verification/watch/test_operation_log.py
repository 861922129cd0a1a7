"""The log of operations: its trace does again, offline, what was done to a live cache."""

import gc
import random
import re
import weakref
from array import array
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from commands import Command
from engine_types import Key as NamedKey
from live_faults import evicts_the_newest
from logged_cache import LoggedCache

from radixcheck.spec.values import Key
from radixcheck.verification.core.traces import PAGES_MAX, Recorded, read, write
from radixcheck.verification.operations import Op
from radixcheck.verification.runs.trace_job import TraceRequest, replay_operations
from radixcheck.verification.runs.trace_results import TraceOutcome
from radixcheck.verification.search.run import new_checker
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.watch.operation_log import Bounds
from radixcheck.verification.watch.watched_call import EVICT, INSERT, LOCK, MATCH, READ, UNLOCK, Call


def served(one: LoggedCache, seed: int, steps: int) -> None:
    """Serve requests that overlap and share prefixes, in chunks; some are left live."""
    draw, scheduler = random.Random(seed), one.scheduler
    stems = [[draw.randrange(4) for _ in range(24)] for _ in range(3)]
    for _ in range(steps):
        row = draw.randrange(3)
        if row in scheduler.held:
            length = len(scheduler.held[row].origin_input_ids)
            scheduler.checkpoint(row, draw.randrange(scheduler.held[row].kv.cache_protected_len, length + 1))
            scheduler.checkpoint(row, length)
            scheduler.decode(row, [draw.randrange(4) for _ in range(draw.randrange(6))])
            scheduler.release(row)
        else:
            tokens = stems[draw.randrange(3)][: draw.randrange(4, 25)] + [draw.randrange(4) for _ in range(draw.randrange(1, 6))]
            scheduler.start(row, tokens, draw.randrange(3), draw.choice((None, None, "adapter")), draw.choice((None, "salt")))


def replayed(recorded: Recorded, subject: Any = "optimized") -> TraceOutcome:
    return replay_operations(TraceRequest(resolve(subject), "live", recorded))


def live_keys(one: LoggedCache) -> set[Key]:
    """What the live tree holds, by the ends of its nodes."""
    return {one.key(record) for record in one.alive() if record.parent is not None}


def keys_after(recorded: Recorded) -> set[Key]:
    """What the tree of the specification holds after a trace."""
    checker = new_checker(resolve("reference"), recorded.config, stride=10**9)
    for op in recorded.trace:
        checker.step(op)
    positions = checker.oracle.positions
    return {Key(tuple(key.tokens), key.namespace) for key in map(positions.key, checker.oracle.model.state.node)}


@pytest.mark.parametrize(("page_size", "limit"), [(1, 10_000), (1, 120), (4, 120)])
def test_a_trace_of_a_right_cache_is_performed_in_full_and_ends_with_the_tree_of_the_live_one(page_size: int, limit: int) -> None:
    one = LoggedCache(96, page_size, limit=limit)
    served(one, seed=page_size, steps=60)

    recorded, left_out = one.log.recorded(one.alive())
    outcome = replayed(recorded)

    assert (len(one.log) == limit, len(recorded.trace) <= limit) == (limit == 120, True)
    assert len({op.name for op in recorded.trace} & {"match", "insert", "lock", "unlock", "evict"}) == 5
    assert len({op.key.namespace for op in recorded.trace}) > 3
    assert (outcome.status, outcome.undecided, left_out) == (0, "", "")
    assert keys_after(recorded) == live_keys(one)
    assert keys_after(replace(recorded, trace=tuple(op for op in recorded.trace if op.name != "evict"))) != live_keys(one)


def wrong_eviction() -> Recorded:
    """The trace of a live cache up to the first call that evicts another node than lru would. It reports lru, and evicts as under mru."""
    one, traces = LoggedCache(96, 1, "mru", limit=160, reported="lru"), list[Recorded]()

    def look(call: Call) -> None:
        evicted = max((record.time for record in call.victims), default=0)
        if call.verb == EVICT and any(record.node.is_evictable_leaf() and record.time < evicted for record in one.alive()):
            traces.append(replace(one.log.recorded(one.alive()).recorded, property="ORDER"))

    one.after = look
    while not traces:
        served(one, seed=len(one.log), steps=20)
    return traces[0]


def test_a_fault_of_a_live_cache_breaks_the_same_property_at_the_same_operation_in_a_replay(tmp_path: Path, command: Command) -> None:
    recorded, small = wrong_eviction(), tmp_path / "small.jsonl"
    write(tmp_path / "trace.jsonl", recorded)

    broken = [step.number for step in replayed(recorded, evicts_the_newest).broken if "ORDER" in {v.property for v in step.broken}]
    assert broken == [len(recorded.trace)]
    assert replayed(recorded).status == 0
    ran = command("replay", tmp_path / "trace.jsonl", "--subject", "live_faults:evicts_the_newest", "--shrink", small, "--json")
    assert (ran.status, ran.json["shrunk"]["property"], recorded.trace[-1].name) == (1, "ORDER", "evict")
    assert len(read(small).trace) <= 4 < len(recorded.trace)
    assert read(tmp_path / "trace.jsonl").subject == "optimized"


def test_after_a_reset_a_trace_begins_with_an_empty_tree() -> None:
    one = LoggedCache(64, 1)
    one.scheduler.start(0, [1, 2, 3])
    one.scheduler.release(0)
    one.cache.reset()

    assert one.log.recorded(one.alive()).recorded.trace[-1] == Op("reset")
    one.cache.match_prefix(SimpleNamespace(key=NamedKey(array("q", [1, 2, 3]))))
    assert one.log.recorded(one.alive()).recorded.trace == (Op("match", Key((1, 2, 3))),)


def test_what_is_appended_to_a_request_later_is_not_in_the_keys_before() -> None:
    one = LoggedCache(64, 1)
    one.scheduler.start(0, [1, 2, 3])
    one.scheduler.held[0].full_untruncated_fill_ids.append(9)

    assert one.log.recorded(one.alive()).recorded.trace[0] == Op("match", Key((1, 2)))


def test_a_request_is_not_kept() -> None:
    one = LoggedCache(64, 1)
    one.scheduler.start(0, [1, 2, 3])
    one.scheduler.held[0].part = part = {1}
    kept = weakref.ref(part)
    del part
    one.scheduler.release(0)
    gc.collect()

    assert len(one.log) == 4
    assert kept() is None


def test_the_output_can_be_evicted_without_the_prompt_in_the_trace_as_well() -> None:
    one = LoggedCache(64, 1)
    one.scheduler.start(0, [1, 2, 3], priority=2)
    one.scheduler.decode(0, [7, 8])
    one.scheduler.release(0)
    inserts = [op for op in one.log.recorded(one.alive()).recorded.trace if op.name == "insert"]

    assert inserts == [Op("insert", Key((1, 2, 3, 7, 8)), priority=2), Op("insert", Key((1, 2, 3)), priority=3)]


def test_calls_that_leave_the_tree_as_it_is_are_not_kept() -> None:
    one = LoggedCache(64, 1)
    one.log.called(Call(1, READ, (), {}))

    assert one.log.recorded(one.alive()).recorded.trace == ()


@pytest.mark.parametrize("bounds", [Bounds(keys=100), Bounds(victims=10)])
def test_few_calls_with_long_keys_or_many_victims_are_kept(bounds: Bounds) -> None:
    one, free = (LoggedCache(96, 1, bounds=each) for each in (bounds, Bounds()))
    for each in (one, free):
        served(each, seed=3, steps=60)

    assert 0 < len(one.log) < len(free.log)
    assert replayed(one.log.recorded(one.alive()).recorded).status == 0


def test_a_trace_that_leaves_out_some_of_the_tree_says_so() -> None:
    one = LoggedCache(96, 1, limit=10, bounds=Bounds(trace=40))
    served(one, seed=5, steps=60)
    recorded, left_out = one.log.recorded(one.alive())

    assert re.fullmatch(r"[1-9]\d* of \d+ nodes of the tree at its beginning are left out", left_out)
    assert sum(len(op.key.tokens) for op in recorded.trace if op.name == "insert") < 120


def test_a_pool_that_is_too_large_to_be_checked_is_made_smaller() -> None:
    one = LoggedCache(64, 2)
    one.view.capacity = 2 * PAGES_MAX + 2
    one.log.called(Call(1, MATCH, (SimpleNamespace(key=NamedKey(array("q", range(8)), limit=4)),), {}))

    assert one.log.recorded(one.alive()).recorded.config.pool == 4
    one.log.called(Call(2, INSERT, (SimpleNamespace(key=NamedKey(array("q", [1, 2, 3])), priority=None),), {}))
    assert one.log.recorded(one.alive()).recorded.config.pool == 6


def test_an_unlock_of_what_is_not_locked_is_not_in_a_trace() -> None:
    one = LoggedCache(64, 1)
    root = one.cache.root_node
    one.log.called(Call(1, UNLOCK, (), {}, locks=[(root, -1)]))
    one.log.called(Call(2, LOCK, (), {}, locks=[(root, 1)]))
    one.log.called(Call(3, UNLOCK, (), {}, locks=[(root, -1)]))
    names = [op.name for op in one.log.recorded([]).recorded.trace]

    assert names == ["match", "lock", "unlock"]
