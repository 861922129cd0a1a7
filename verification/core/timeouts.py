"""Timeouts that become shorter each time they expire."""

SECONDS_MIN = 0.5
FACTOR = 50  # times the slowest answer so far: a timeout does not become shorter than that


class Timeout:
    """A timeout for answers. Each time it expires it is halved, so that many calls that hang take a bounded time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._slowest = 0.0

    def answered(self, seconds: float) -> None:
        """Record the duration of an answer."""
        self._slowest = max(self._slowest, seconds)

    def expired(self) -> None:
        """Halve the timeout, but keep it far above the duration of the answers recorded."""
        self.seconds = min(self.seconds, max(self.seconds / 2, SECONDS_MIN, FACTOR * self._slowest))
