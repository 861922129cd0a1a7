"""A point in time after which no more work is begun. It is a ceiling, never the size of the work: see `search/search_plan.py`."""

from dataclasses import dataclass
from math import inf
from time import monotonic

LONGEST = 1e6  # seconds: a lock cannot wait for infinity


@dataclass(frozen=True, slots=True)
class Deadline:
    """A reading of `time.monotonic()`, which all processes of a machine share."""

    ends: float  # seconds

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(monotonic() + seconds)

    @property
    def left(self) -> float:
        """Return the seconds until then, LONGEST at most; 0 if it has passed."""
        return min(max(0.0, self.ends - monotonic()), LONGEST)

    @property
    def passed(self) -> bool:
        """Return whether it has passed."""
        return monotonic() >= self.ends


NEVER = Deadline(inf)
