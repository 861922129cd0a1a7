"""The command line in this process: what a command printed, and that wrong use gets one sentence."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Ran(NamedTuple):
    """What a command gave back."""

    status: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """Standard output on one line, however wide the terminal."""
        return " ".join(self.out.split())

    @property
    def json(self) -> Any:
        """Standard output of a command with `--json`."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one sentence about wrong use; nothing else was printed."""
        assert (self.status, self.out, self.err.strip().count("\n")) == (2, "", 0), self
        return " ".join(self.err.split())


Command = Callable[..., Ran]  # of the arguments behind `radixcheck`
