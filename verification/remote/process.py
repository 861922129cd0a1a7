"""A cache in a process of its own: one message out, one answer back, within a time limit; whatever else happens is an error of its own."""

import json
import os
import selectors
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

START_SECONDS = 120.0  # for the first answer: an interpreter, and what the cache imports
ANSWER_SECONDS = 10.0
LONGEST = 1 << 26  # bytes of one line
SHOWN = 120  # characters of what was said


class SubjectLost(Exception):
    """The other process cannot be asked any more."""


class SubjectDied(SubjectLost):
    """It has ended."""


class SubjectHung(SubjectLost):
    """It gave no answer within the time limit."""


class SubjectBabbled(SubjectLost):
    """It wrote what is no answer."""


class Process:
    """One child process. After a `SubjectLost` it is gone."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # standard error, of which the end is shown; it lives as long as the child
        try:
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, env=environment, start_new_session=True
            )
        except OSError as error:
            raise SubjectDied(f"{command[0]} cannot be started: {error.strerror}") from error
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._in, self._out = self._child.stdin.fileno(), self._child.stdout.fileno()
        for end in (self._in, self._out):
            os.set_blocking(end, False)
        self._ready = selectors.DefaultSelector()
        self._read = b""
        self._limit = START_SECONDS

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a message. Raises `SubjectLost`."""
        try:
            return self._ask(message)
        except SubjectLost:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._child.poll() is None

    def end(self) -> None:
        """End it, whatever it does."""
        if self._child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, 9)
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout, self._said):
            if stream is not None:
                stream.close()
        self._ready.close()

    def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        what, end = str(message["do"]), monotonic() + self._limit
        if self._read:
            raise SubjectBabbled(f"wrote {_shown(self._read)} without being asked")
        self._write(json.dumps(message, separators=(",", ":")).encode() + b"\n", what, end)
        line = self._line(what, end)
        self._limit = ANSWER_SECONDS
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise SubjectBabbled(f"answered {what} with {_shown(line)}, which is no JSON") from error
        if not isinstance(answer, dict):
            raise SubjectBabbled(f"answered {what} with {_shown(line)}, which is no JSON object")
        return answer

    def _write(self, data: bytes, what: str, end: float) -> None:
        while data:
            try:
                data = data[os.write(self._in, data) :]
            except BlockingIOError:
                self._wait(self._in, selectors.EVENT_WRITE, what, end)
            except BrokenPipeError as error:
                raise self._died(what) from error

    def _line(self, what: str, end: float) -> bytes:
        while b"\n" not in self._read:
            if len(self._read) > LONGEST:
                raise SubjectBabbled(f"answered {what} with more than {LONGEST:,} bytes in one line")
            try:
                part = os.read(self._out, 1 << 16)
            except BlockingIOError:
                self._wait(self._out, selectors.EVENT_READ, what, end)
                continue
            if not part:
                raise self._died(what)
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _wait(self, stream: int, event: int, what: str, end: float) -> None:
        self._ready.register(stream, event)
        ready = self._ready.select(max(0.0, end - monotonic()))
        self._ready.unregister(stream)
        if not ready and monotonic() >= end:
            raise SubjectHung(f"gave no answer to {what} within {self._limit:g} s")

    def _died(self, what: str) -> SubjectDied:
        try:
            status = self._child.wait(1)
        except subprocess.TimeoutExpired:
            return SubjectDied(f"closed its output instead of answering {what}")
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        self._said.seek(0)
        words = self._said.read()[-2000:].decode(errors="replace").strip().splitlines()
        return SubjectDied(f"{how} instead of answering {what}" + (f": {words[-1][:SHOWN]}" if words else ""))


def _shown(said: bytes) -> str:
    text = said[: SHOWN + 1].decode(errors="replace").strip()
    return repr(text[:SHOWN] + ("..." if len(said) > SHOWN else ""))
