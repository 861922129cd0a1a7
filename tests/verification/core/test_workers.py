"""Worker processes: a task that loses its process says how, and what it was doing."""

import os
import signal
import time

import pytest
from hostile import CONFIG, OPS, raises_what_cannot_be_pickled, recorded_then

from radixcheck.verification.core.workers import WorkerLost, workers
from radixcheck.verification.operations import Op


def test_a_worker_that_ends_hands_down_its_operations_and_the_next_task_gets_another() -> None:
    with workers(1) as pool:
        before = pool.submit(os.getpid).result()
        with pytest.raises(WorkerLost, match="the process was ended by SIGKILL") as lost:
            pool.submit(recorded_then, signal.SIGKILL).result()
        assert pool.submit(os.getpid).result() != before
    assert lost.value.last is not None
    assert (lost.value.last.subject, lost.value.last.config, lost.value.last.trace) == ("reference", CONFIG, (*OPS, Op("match")))


def test_a_worker_that_leaves_says_with_which_status() -> None:
    with workers(1) as pool, pytest.raises(WorkerLost, match="ended with status 7") as lost:
        pool.submit(os._exit, 7).result()
    assert lost.value.last is None


def test_what_cannot_be_pickled_is_an_error_and_not_a_lost_worker() -> None:
    with workers(1) as pool:
        with pytest.raises(RuntimeError, match="Local: words"):
            pool.submit(raises_what_cannot_be_pickled).result()
        with pytest.raises(Exception, match="pickle"):
            pool.submit(lambda: None).result()
        assert pool.submit(abs, -3).result() == 3


def test_the_end_of_the_block_does_not_wait() -> None:
    """That this ends is what it tests: the worker would sleep for an hour."""
    with workers(2) as pool:
        future = pool.submit(time.sleep, 3_600)
        time.sleep(0.1)
    with pytest.raises(WorkerLost):
        future.result(60)
