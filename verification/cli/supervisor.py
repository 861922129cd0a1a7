"""The process that a user starts. It runs the command in a child process, and decides the exit status.

A cache under check can end the process that it runs in (`os._exit`, a fault in compiled code), never return, or leave threads that keep the
process alive. None of that may look like a verdict. So the exit status is UNDECIDED until the child reports that its result was written,
and a child that does not end in time is killed, with every process that it has started.
"""

import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from types import FrameType

from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.guardian import GUARDIAN
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.supervision import DOING, STATUS, SUPERVISION, UNTIL

GRACE_SECONDS = 1.0  # after its status was reported, or its last deadline has passed
POLL_SECONDS = 0.1
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def supervised(command: Callable[[], int]) -> int:
    """Run a command in a child process and return its exit status, or UNDECIDED if it ends without a result."""
    started, (reading, writing) = Deadline(monotonic()), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        SUPERVISION.begin(writing, started)
        _be_child(command)
    os.close(writing)
    return _Supervisor(child, reading).status()


def _be_child(command: Callable[[], int]) -> None:
    """Run the command, report its status and end the process, without waiting for threads that a cache has left."""
    os.setpgid(0, 0)
    for number in FORWARDED:
        signal.signal(number, signal.default_int_handler)
    status: int = Status.UNDECIDED
    try:
        status = command()
        SUPERVISION.finished(status)
    except BaseException:  # a fault of the command itself, whose traceback is wanted
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()
        os._exit(status)


class _Supervisor:
    """Watches one child."""

    def __init__(self, child: int, reading: int) -> None:
        self._child, self._reading = child, reading
        self._doing, self._until = "starting", NEVER
        self._status: int | None = None
        with suppress(OSError):  # the child does the same: whoever comes first
            os.setpgid(child, child)
        GUARDIAN.add(-child)
        for number in FORWARDED:
            signal.signal(number, self._forward)
        signal.signal(signal.SIGTSTP, self._stop)

    def status(self) -> int:
        """Wait for the child and return the exit status."""
        how = self._watch()
        with suppress(ProcessLookupError):
            os.killpg(self._child, signal.SIGKILL)
        if self._status is not None:
            return self._status
        with suppress(OSError):
            print(f"radixcheck: {how} while {self._doing}; nothing was decided", file=sys.stderr)
        return Status.UNDECIDED

    def _watch(self) -> str:
        """Return how the child ended. It is killed if it does not end in time."""
        unread = b""
        while True:
            ready, _, _ = select.select((self._reading,), (), (), POLL_SECONDS)
            part = os.read(self._reading, 1 << 16) if ready else b""
            *lines, unread = (unread + part).split(b"\n")
            for line in lines:
                self._note(*line.decode(errors="replace").split(" ", 1))
            ended, how = os.waitpid(self._child, os.WNOHANG)
            if ended:
                GUARDIAN.remove(-self._child)
                for line in _rest(self._reading, unread):
                    self._note(*line.decode(errors="replace").split(" ", 1))
                return _ended(how)
            if self._until.passed:
                return "the command did not end in time and was ended"

    def _note(self, kind: str, value: str) -> None:
        if kind == DOING:
            self._doing = value
        if kind == UNTIL:
            self._until = Deadline(float(value) + GRACE_SECONDS)
        if kind == STATUS:
            self._status, self._until = int(value), Deadline.after(GRACE_SECONDS)

    def _forward(self, number: int, frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._child, number)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Stop with the child, and continue with it."""
        os.killpg(self._child, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.killpg(self._child, signal.SIGCONT)


def _rest(reading: int, unread: bytes) -> Iterator[bytes]:
    """Return the lines that the child wrote before it ended."""
    os.set_blocking(reading, False)
    with suppress(BlockingIOError):
        while part := os.read(reading, 1 << 16):
            unread += part
    yield from unread.split(b"\n")[:-1]


def _ended(how: int) -> str:
    status = os.waitstatus_to_exitcode(how)
    return f"the process was ended by {signal.Signals(-status).name}" if status < 0 else f"the process ended with status {status}"
