"""Functions of the specification's state that note where they change, so that only there they need be compared again."""

from collections.abc import Iterable
from typing import NamedTuple

from radixcheck.verification.model.state import State

OF_NODES = ("up", "lock", "time", "creation", "hits", "priority")


class Journal(dict[int, int]):
    """A dictionary that is changed by assignment, `update` with pairs and `pop` alone, as compiled transitions do."""

    def __init__(self, changed: set[int]) -> None:
        super().__init__()
        self._changed = changed  # arguments; whoever reads it clears it

    def __setitem__(self, argument: int, value: int) -> None:
        self._changed.add(argument)
        super().__setitem__(argument, value)

    def update(self, pairs: Iterable[tuple[int, int]]) -> None:  # type: ignore[override]  # one form of those that a dict takes
        """Set some values."""
        listed = list(pairs)
        self._changed.update([argument for argument, _ in listed])
        super().update(listed)

    def pop(self, argument: int, default: int | None = None) -> int | None:  # type: ignore[override]  # likewise
        """Forget a value."""
        self._changed.add(argument)
        return super().pop(argument, default)


class Changes(NamedTuple):
    """Where something may have changed since this was cleared."""

    nodes: set[int]  # positions of nodes: their attributes
    prefixes: set[int]  # positions: the page of each
    pages: set[int]  # what stands in each

    def clear(self) -> None:
        """Begin anew."""
        for each in self:
            each.clear()


def journalled(state: State) -> Changes:
    """Have a state, which is still empty, note its changes."""
    changes = Changes(set(), set(), set())
    for name in OF_NODES:
        setattr(state, name, Journal(changes.nodes))
    state.page, state.content = Journal(changes.prefixes), Journal(changes.pages)
    return changes
