"""A child process that answers one JSON message with one JSON line within a time limit. Every other outcome raises `SubjectLost`."""

import json
import os
import re
import select
import signal
import subprocess
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from errno import EACCES, ENOENT
from shutil import which
from time import monotonic
from typing import Any

from radixcheck.verification.core.guardian import GUARDIAN
from radixcheck.verification.core.timeouts import Timeout

LONGEST = 1 << 26  # bytes of one line
CHUNK = 1 << 16  # bytes read at a time
EXCERPT = 120  # characters of a quotation
KEPT = 4096  # bytes of standard error
# A program begins only when a line says that it is guarded: were this process killed before, nothing would end the program.
_HELD = 'read -r RADIXCHECK_GUARDED && exec "$@"'
FAULT = re.compile(rb"rror|xception|panic|fault|bort")


class SubjectLost(Exception):
    """The process can no longer be used."""


class SubjectDied(SubjectLost):
    """The process has ended."""


class SubjectHung(SubjectLost):
    """The process did not answer within the time limit."""


class ProtocolError(SubjectLost):
    """The process wrote something that is not a valid answer."""


class Process:
    """One child process. After a `SubjectLost` it has been ended, and every later `ask` raises the same `SubjectLost`."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start the process. Raise `SubjectDied` if the command cannot be started."""
        if which(command[0]) is None:
            why = os.strerror(EACCES if os.path.exists(command[0]) else ENOENT)
            raise SubjectDied(f"cannot be started: {why}")
        pipe = subprocess.PIPE
        held = ("/bin/sh", "-c", _HELD, "sh", *command)
        try:
            self._child = subprocess.Popen(held, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        except OSError as error:
            raise SubjectDied(f"cannot be started: {error.strerror}") from error
        GUARDIAN.add(-self._child.pid)  # its session: also if this process is killed
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        self._in, self._out, self._err = (stream.fileno() for stream in (self._child.stdin, self._child.stdout, self._child.stderr))
        with suppress(OSError):
            os.write(self._in, b"\n")  # it is guarded now
        self._reading = select.poll()
        for end in (self._in, self._out, self._err):
            os.set_blocking(end, False)
        self._reading.register(self._out, select.POLLIN)
        self._reading.register(self._err, select.POLLIN)
        self._read, self._errors = bytearray(), b""  # of standard output and of standard error
        self._lost: SubjectLost | None = None
        self._end = weakref.finalize(self, _kill, self._child)  # also when this interpreter exits
        self.fresh = True  # until the first answer

    def ask(self, message: Mapping[str, Any], timeout: Timeout) -> dict[str, Any]:
        """Send a message and return the answer. Raise `SubjectLost` if there is no valid answer in time."""
        if self._lost is not None:
            raise self._lost
        what, start = str(message["do"]), monotonic()
        try:
            answer = self._ask(message, what, start + timeout.seconds)
        except SubjectLost as lost:
            within = f" within {round(timeout.seconds, 2):g} s" if isinstance(lost, SubjectHung) else ""
            reason = type(lost)(f"{lost}{within}{self._last_error()}")
            if within:
                timeout.expired()
            self.lose(reason)
            raise reason from lost
        self.fresh = False
        timeout.answered(monotonic() - start)
        return answer

    @property
    def alive(self) -> bool:
        """Return whether the process can be asked."""
        return self._lost is None and self._child.poll() is None

    @property
    def quiet(self) -> bool:
        """Return whether the process can be asked, and has written nothing since its last answer."""
        return self.alive and self._receive(0) and not self._read

    def lose(self, why: SubjectLost) -> None:
        """Kill the process and every process that it has started. Later calls of `ask` raise `why`."""
        self._lost = self._lost or why
        self._end()
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _ask(self, message: Mapping[str, Any], what: str, end: float) -> dict[str, Any]:
        if self._read:
            raise ProtocolError(f"wrote {excerpt(self._read)} without being asked")
        self._write(json.dumps(message, separators=(",", ":")).encode() + b"\n", what, end)
        line = self._line(what, end)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"answered {what} with {excerpt(line)}, which is not JSON") from error
        if not isinstance(answer, dict):
            raise ProtocolError(f"answered {what} with {excerpt(line)}, which is not a JSON object")
        return answer

    def _write(self, data: bytes, what: str, end: float) -> None:
        while data:
            try:
                data = data[os.write(self._in, data) :]
            except BlockingIOError:
                if monotonic() > end:
                    raise SubjectHung(f"did not read {what}") from None
                writing = select.poll()
                writing.register(self._in, select.POLLOUT)
                writing.poll(50)
                self._receive(0)
            except BrokenPipeError as error:
                raise self._died(what) from error

    def _line(self, what: str, end: float) -> bytes:
        seen = 0
        while (at := self._read.find(b"\n", seen)) < 0:
            seen = len(self._read)
            if seen > LONGEST:
                raise ProtocolError(f"answered {what} with more than {LONGEST:,} bytes in one line")
            if monotonic() > end:
                raise SubjectHung(f"gave no answer to {what}")
            if not self._receive(end - monotonic()):
                raise self._died(what)
        line = bytes(self._read[:at])
        del self._read[: at + 1]
        return line

    def _receive(self, seconds: float) -> bool:
        """Read what the child has written, and wait at most this long for it. Return False if the child has closed its output."""
        open_ = True
        for end, _ in self._reading.poll(max(0, int(1000 * seconds) + 1) if seconds else 0):
            part = os.read(end, CHUNK)
            if end == self._out:
                self._read += part
                open_ = bool(part)
            elif part:
                self._errors = (self._errors + part)[-KEPT:]
            else:
                self._reading.unregister(end)
        return open_

    def _died(self, what: str) -> SubjectDied:
        try:
            status = self._child.wait(1)
        except subprocess.TimeoutExpired:
            return SubjectDied(f"closed its output instead of answering {what}")
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return SubjectDied(f"{how} instead of answering {what}")

    def _last_error(self) -> str:
        """Return the last line of standard error that mentions a fault, or else the last line."""
        with suppress(OSError):  # there is nothing more to read
            for _ in range(KEPT):
                if not (part := os.read(self._err, CHUNK)):
                    break
                self._errors = (self._errors + part)[-KEPT:]
        lines = self._errors.strip().splitlines()
        faults = [line for line in lines if FAULT.search(line)] or lines
        return f"; its standard error: {excerpt(faults[-1])}" if faults else ""


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kill a child and every process in its session."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    GUARDIAN.remove(-child.pid)


def excerpt(written: bytes | bytearray) -> str:
    """Return the beginning of what a process wrote, on one line."""
    text = bytes(written[: 4 * EXCERPT]).decode(errors="replace").strip()
    return repr(text[:EXCERPT] + ("..." if len(text) > EXCERPT else ""))
