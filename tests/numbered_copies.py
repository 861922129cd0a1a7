"""A copier whose copies are known by when they were issued, so that those of two caches can be compared and completed together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from radixcheck.reference.copies import Transfer


class Waited(Transfer):
    """A copy that may fail where a call waits for it."""

    fails = False

    def wait(self) -> None:
        """Be done at once."""
        if not self.done:
            self.complete(self.fails)


@dataclass
class Numbered:
    """A copier that keeps what was issued in order, so that the copies of two caches can be compared and completed together."""

    issued: list[Waited] = field(default_factory=list)
    fail_every: int = 0  # of the copies that a call waits for, one in so many fails; 0: none

    def copy(self, up: bool, sources: Any, targets: Any) -> Waited:
        """Issue it."""
        assert up in (True, False)
        self.issued.append(Waited(up, tuple(map(int, sources)), tuple(map(int, targets))))
        self.issued[-1].fails = bool(self.fail_every) and len(self.issued) % self.fail_every == 0
        return self.issued[-1]

    def numbers(self, tickets: Sequence[object]) -> list[int]:
        """Return when these copies were issued."""
        places = {id(ticket): place for place, ticket in enumerate(self.issued)}
        return [places[id(ticket)] for ticket in tickets]
