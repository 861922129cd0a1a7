"""A timeout for answers that becomes shorter each time it expires."""

TIMEOUT_MIN = 0.5  # seconds
TIMEOUT_FACTOR = 50  # times the slowest answer so far


class Timeout:
    """How long to wait for an answer.

    The timeout is halved each time it expires, so that many missing answers are found in a bounded time. It stays far above the time that
    answers have taken so far.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._slowest = 0.0

    def answered(self, seconds: float) -> None:
        """Record the time that an answer took."""
        self._slowest = max(self._slowest, seconds)

    def expired(self) -> None:
        """Shorten the timeout: no answer came."""
        self.seconds = min(self.seconds, max(self.seconds / 2, TIMEOUT_MIN, TIMEOUT_FACTOR * self._slowest))
