"""What a command reports to the process that supervises it (`cli/supervisor.py`): what it is doing, by when it ends, and its status.

Where no process supervises, as in a test or under the Python API, nothing is reported.
"""

import os
from contextlib import suppress

from radixcheck.verification.core.deadline import NEVER, Deadline

DOING, UNTIL, STATUS = "doing", "until", "status"


class Supervision:
    """The connection to the supervising process."""

    def __init__(self) -> None:
        self._pipe: int | None = None
        self.started = NEVER  # when the command was started, as a deadline that has passed; NEVER: it is not supervised

    def begin(self, pipe: int, started: Deadline) -> None:
        """Report into this pipe from now on."""
        self._pipe, self.started = pipe, started

    def doing(self, what: str) -> None:
        """Report what the command is doing: named if the process ends in the middle of it."""
        self._report(DOING, " ".join(what.split()))

    def until(self, deadline: Deadline) -> None:
        """Report by when the command ends: if it does not, it is ended."""
        self._report(UNTIL, f"{deadline.ends}")

    def finished(self, status: int) -> None:
        """Report the exit status, once the result is written."""
        self._report(STATUS, f"{status}")

    def _report(self, kind: str, value: str) -> None:
        if self._pipe is not None:
            with suppress(OSError):
                os.write(self._pipe, f"{kind} {value}\n".encode(errors="replace"))


SUPERVISION = Supervision()
