"""The recorder: a worker process writes each call to a subject into a file before it makes it.

If the call ends the process, or never returns, the file still has the operations that led there: a trace that reproduces the fault.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import time

from radixcheck.verification.core.found import Config
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.operations import Op, Trace

_BEGUN, _OPERATION, _CALL, _RETURNED = "begun", "op", "(", ")"
SIZE_MAX = 1 << 24  # bytes, before a new record replaces the old ones


class Recorder:
    """Writes the calls of this process. Until `open` it writes nothing."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._numbers = count(1)

    def open(self, path: str) -> None:
        """Write into this file from now on."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)

    def clear(self) -> None:
        """Forget the calls so far: another task begins, and they do not explain how it ends."""
        if self._file is not None:
            os.ftruncate(self._file, 0)

    def began(self, subject: str, config: Config, before: Trace = ()) -> int:
        """Begin the record of a fresh subject, on which operations were performed `before`. Return its number."""
        number = next(self._numbers)
        if self._file is not None:
            if os.fstat(self._file).st_size > SIZE_MAX:
                os.ftruncate(self._file, 0)
            self._write(f"{_BEGUN} {number} {json.dumps({'subject': subject, 'config': config.to_json()})}")
            for op in before:
                self.operation(number, op)
        return number

    def operation(self, number: int, op: Op) -> None:
        """Record the operation that is performed next on the subject with this number."""
        if self._file is not None:
            self._write(f"{_OPERATION} {number} {json.dumps(op.to_json(), default=repr)}")

    def call(self) -> None:
        """Record that the subject is called."""
        if self._file is not None:
            os.write(self._file, b"(\n")

    def returned(self) -> None:
        """Record that the call has returned or raised."""
        if self._file is not None:
            os.write(self._file, b")\n")

    @contextmanager
    def limited_elsewhere(self) -> Iterator[None]:
        """What is called inside may take longer than a call: it has a limit of its own."""
        self.returned()
        try:
            yield
        finally:
            self.call()

    def _write(self, line: str) -> None:
        assert self._file is not None
        os.write(self._file, line.encode() + b"\n")


RECORDER = Recorder()


def recorded(path: str) -> Recorded | None:
    """Return the operations of the subject that was called last, of which the last one may not have returned; None if none was called."""
    if not os.path.exists(path):
        return None
    lines = [line.split(" ", 2) for line in Path(path).read_text().splitlines() if line not in (_CALL, _RETURNED)]
    lines = [line for line in lines if len(line) == 3]  # the last line may be cut
    if not lines:
        return None
    last = lines[-1][1]
    begun = next((json.loads(text) for kind, number, text in lines if (kind, number) == (_BEGUN, last)), None)
    if begun is None:
        return None
    trace = tuple(Op.from_json(json.loads(text)) for kind, number, text in lines if (kind, number) == (_OPERATION, last))
    return Recorded(Config(**begun["config"]), trace, begun["subject"])


def stalled(path: str) -> float:
    """Return for how many seconds the call in progress has not returned; 0 if there is none."""
    if not os.path.exists(path):
        return 0.0
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 2))
        return max(0.0, time() - os.fstat(file.fileno()).st_mtime) if file.read() == b"(\n" else 0.0
