"""A cache in a process of its own: one message out, one answer back, within a time limit; whatever else happens is an error of its own."""

import json
import os
import re
import select
import subprocess
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from radixcheck.verification.core.timeouts import Patience

LONGEST = 1 << 26  # bytes of one line
CHUNK = 1 << 16  # bytes read at a time
SHOWN = 120  # characters of what was said
KEPT = 4096  # bytes of standard error
BLAME = re.compile(rb"rror|xception|panic|fault|bort")


class SubjectLost(Exception):
    """The other process cannot be asked any more."""


class SubjectDied(SubjectLost):
    """It has ended."""


class SubjectHung(SubjectLost):
    """It gave no answer within the time limit."""


class SubjectBabbled(SubjectLost):
    """It wrote what is no answer."""


class Process:
    """One child process. After a `SubjectLost` it is gone, and every question gets the same `SubjectLost`."""

    def __init__(self, command: Sequence[str]) -> None:
        """Raises `SubjectDied` if there is no such program."""
        pipe = subprocess.PIPE
        try:
            self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        except OSError as error:
            raise SubjectDied(f"cannot be started: {error.strerror}") from error
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        self._in, self._out, self._err = (stream.fileno() for stream in (self._child.stdin, self._child.stdout, self._child.stderr))
        self._reading = select.poll()
        for end in (self._in, self._out, self._err):
            os.set_blocking(end, False)
        self._reading.register(self._out, select.POLLIN)
        self._reading.register(self._err, select.POLLIN)
        self._read, self._said = bytearray(), b""
        self._lost: SubjectLost | None = None
        self._end = weakref.finalize(self, _kill, self._child)  # at the latest when this interpreter ends: it may not listen any more
        self.fresh = True  # until its first answer

    def ask(self, message: Mapping[str, Any], patience: Patience) -> dict[str, Any]:
        """The answer to a message. Raises `SubjectLost`."""
        if self._lost is not None:
            raise self._lost
        what, start = str(message["do"]), monotonic()
        try:
            answer = self._ask(message, what, start + patience.seconds)
        except SubjectLost as lost:
            within = f" within {patience.seconds:.2g} s" if isinstance(lost, SubjectHung) else ""
            said = type(lost)(f"{lost}{within}{self._last_words()}")
            if within:
                patience.in_vain()
            self.lose(said)
            raise said from lost
        self.fresh = False
        patience.answered(monotonic() - start)
        return answer

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._lost is None and self._child.poll() is None

    @property
    def quiet(self) -> bool:
        """Whether it can be asked, and has said nothing more than it was asked."""
        return self.alive and self._hear(0) and not self._read

    def lose(self, why: SubjectLost) -> None:
        """End it, and what it has started, whatever they do."""
        self._lost = self._lost or why
        self._end()
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _ask(self, message: Mapping[str, Any], what: str, end: float) -> dict[str, Any]:
        if self._read:
            raise SubjectBabbled(f"wrote {shown(self._read)} without being asked")
        self._write(json.dumps(message, separators=(",", ":")).encode() + b"\n", what, end)
        line = self._line(what, end)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SubjectBabbled(f"answered {what} with {shown(line)}, which is no JSON") from error
        if not isinstance(answer, dict):
            raise SubjectBabbled(f"answered {what} with {shown(line)}, which is no JSON object")
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
                self._hear(0)
            except BrokenPipeError as error:
                raise self._died(what) from error

    def _line(self, what: str, end: float) -> bytes:
        seen = 0
        while (at := self._read.find(b"\n", seen)) < 0:
            seen = len(self._read)
            if seen > LONGEST:
                raise SubjectBabbled(f"answered {what} with more than {LONGEST:,} bytes in one line")
            if monotonic() > end:
                raise SubjectHung(f"gave no answer to {what}")
            if not self._hear(end - monotonic()):
                raise self._died(what)
        line = bytes(self._read[:at])
        del self._read[: at + 1]
        return line

    def _hear(self, seconds: float) -> bool:
        """Read what has been written, waiting for it so long. False: the child has closed its output."""
        open_ = True
        for end, _ in self._reading.poll(max(0, int(1000 * seconds) + 1) if seconds else 0):
            part = os.read(end, CHUNK)
            if end == self._out:
                self._read += part
                open_ = bool(part)
            elif part:
                self._said = (self._said + part)[-KEPT:]
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

    def _last_words(self) -> str:
        """The last line of its standard error that speaks of a fault, or the last one."""
        with suppress(OSError):  # nothing more is there, or it has closed it
            for _ in range(KEPT):
                if not (part := os.read(self._err, CHUNK)):
                    break
                self._said = (self._said + part)[-KEPT:]
        lines = self._said.strip().splitlines()
        blamed = [line for line in lines if BLAME.search(line)] or lines
        return f"; its last words: {shown(blamed[-1])}" if blamed else ""


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a child and all that it has started."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, 9)
    child.wait()


def shown(said: bytes | bytearray) -> str:
    """The beginning of what was said, on one line."""
    text = bytes(said[: 4 * SHOWN]).decode(errors="replace").strip()
    return repr(text[:SHOWN] + ("..." if len(text) > SHOWN else ""))
