"""A function of the state that notes where it has changed, so that only there it need be compared again."""

from collections.abc import Iterable


class Journal(dict[int, int]):
    """A dictionary that is changed by assignment, `update` with pairs and `pop` alone, as compiled transitions do."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[int] = set()  # arguments; the reader clears it

    def __setitem__(self, argument: int, value: int) -> None:
        self.changed.add(argument)
        super().__setitem__(argument, value)

    def update(self, pairs: Iterable[tuple[int, int]]) -> None:  # type: ignore[override]  # one form of those that a dict takes
        """Set some values."""
        listed = list(pairs)
        self.changed.update(argument for argument, _ in listed)
        super().update(listed)

    def pop(self, argument: int, default: int | None = None) -> int | None:  # type: ignore[override]  # likewise
        """Forget a value."""
        self.changed.add(argument)
        return super().pop(argument, default)
