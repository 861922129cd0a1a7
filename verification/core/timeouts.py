"""How long an answer may take."""

PATIENCE_MIN = 0.5  # seconds
PATIENCE_FACTOR = 50  # times the slowest answer so far


class Patience:
    """How long an answer may take. Each time it was in vain the next takes half as long, so that many are found out in a bounded time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._slowest = 0.0

    def answered(self, seconds: float) -> None:
        """An answer took so long."""
        self._slowest = max(self._slowest, seconds)

    def in_vain(self) -> None:
        """No answer came. What answers do take stays far below the limit."""
        self.seconds = min(self.seconds, max(self.seconds / 2, PATIENCE_MIN, PATIENCE_FACTOR * self._slowest))
