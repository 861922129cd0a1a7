"""A pytest plugin for `mutation.py`: a test that takes far more processor time than any takes ends its process.

A mutant often makes a loop endless. The limit counts the process' own time, so that a busy machine does not make a mutant die.
"""

import os
import resource
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

SECONDS = 12.0  # several times what the longest of the selected tests takes
BYTES = 6 << 30  # a loop that only collects is stopped by this
TIMED_OUT = 36  # the exit status that mutmut calls a timeout


def end(_signal: int, _frame: FrameType | None) -> None:
    """End the process without any clean-up: a mutant may have broken that as well."""
    os._exit(TIMED_OUT)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Give each test its own allowance."""
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    outcome = yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    return outcome
