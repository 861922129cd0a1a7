"""What searches try, who does the work, and what of it is written."""

import os
import time
from collections.abc import Iterable
from itertools import islice
from multiprocessing import active_children
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from radixcheck.spec.values import Key
from radixcheck.verification.core.atomic_write import write_atomically
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.workers import workers
from radixcheck.verification.operations import Op
from radixcheck.verification.report.verify_view import not_holding
from radixcheck.verification.search.generate import PAGES_MAX, PRIORITIES, PROFILES, operations
from radixcheck.verification.search.run import new_checker, replay
from radixcheck.verification.subjects.model_subject import model_subject
from radixcheck.verification.subjects.optimized_subject import optimized_subject
from radixcheck.verification.subjects.reference_subject import reference_subject


def tried(page_size: int, pages: int, longest: int = PAGES_MAX, steps: int = 400, seeds: Iterable[int] = range(6)) -> list[list[Op]]:
    """The operations of some runs."""
    runs = []
    for seed in seeds:
        checker = new_checker(reference_subject, Config("lru", page_size, pages * page_size), stride=steps)
        runs.append(list[Op]())
        for op in islice(operations(checker, Random(seed), PROFILES["requests"], longest), steps):
            runs[-1].append(op)
            assert checker.step(op) == []
    return runs


def test_ids_of_requests_are_given_again_with_another_key_and_priority() -> None:
    starts = [[op for op in run if op.name == "start"] for run in tried(1, 12)]
    again = [(one, other) for run in starts for one in run for other in run if one is not other and one.holder == other.holder]

    assert any(one.key != other.key for one, other in again)
    assert any(one.priority != other.priority for one, other in again)
    assert any(one.key == other.key for one, other in again)  # one that was refused


def test_pages_differ_in_the_middle_alone() -> None:
    pages = {op.key.tokens[i : i + 16] for run in tried(16, 24) for op in run for i in range(0, len(op.key.tokens) - 15, 16)}
    assert any((a[0], a[-1], sorted(a)) == (b[0], b[-1], sorted(b)) for a in pages for b in pages if a != b)


def test_keys_are_long_only_where_they_may_be() -> None:
    lengths = {len(op.key.tokens) for run in tried(1, 160) for op in run} - {161}  # the last: more than the pool has
    assert max(lengths) <= 2 * PAGES_MAX + 1
    assert max(len(op.key.tokens) for run in tried(1, 160, longest=40) for op in run) > 20


def test_priorities_are_alike_once_they_are_cut_to_few_bits() -> None:
    assert {op.priority for run in tried(1, 12, seeds=range(12)) for op in run} == {p for some in PRIORITIES for p in some}


@pytest.mark.parametrize("factory", [reference_subject, model_subject, optimized_subject])
def test_what_a_request_decodes_behind_nothing_is_in_its_namespace(factory: Any) -> None:
    start, decode = Op("start", Key((), ("a", "b")), 1), Op("decode", holder=1, amount=5)
    result = replay(factory, Config("lru", 1, 4), (start, decode, Op("finish", holder=1), Op("match", Key((5,), ("a", "b")))))
    assert (result.found, result.steps) == ({}, 4)


def interrupted() -> None:
    with workers(1) as pool:
        pool.submit(time.sleep, 3_600)
        raise KeyboardInterrupt


def exists(process: int | None) -> bool:
    try:
        os.kill(process or 0, 0)
    except ProcessLookupError:
        return False
    return True


def test_who_is_interrupted_does_not_wait_for_workers() -> None:
    """That this ends is what it tests: the worker would sleep for an hour."""
    before = set(active_children())  # of other tests of this process
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    ours, deadline = [child.pid for child in set(active_children()) - before], time.monotonic() + 60
    while any(map(exists, ours)) and time.monotonic() < deadline:
        active_children()  # reaps those that have ended; the executor's own thread may have done so before
        time.sleep(0.05)
    assert not any(map(exists, ours))


def test_a_file_is_replaced_and_a_pipe_is_written_into(tmp_path: Path) -> None:
    file, link, pipe = tmp_path / "file", tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(file)
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    write_atomically(link, "text")
    write_atomically(pipe, "words")

    assert (file.read_text(), link.is_symlink()) == ("text", True)
    assert (os.read(reading, 99), pipe.is_fifo()) == (b"words", True)
    os.close(reading)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "pipe"]


def test_the_verdict_names_what_speaks_against_a_subject_beside_its_properties() -> None:
    outcome: Any = SimpleNamespace(agreement=SimpleNamespace(status=1), replayed=SimpleNamespace(status=3))
    quiet: Any = SimpleNamespace(agreement=SimpleNamespace(status=0), replayed=None)
    assert not_holding(outcome) == ["comparison with the reference REFUTED", "replay of the sample undecided"]
    assert not_holding(quiet) == []
