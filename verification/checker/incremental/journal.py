"""Functions of the specification's state that note where they change, so that only there they need be compared again."""

from collections.abc import Iterable
from typing import NamedTuple

from radixcheck.spec.run.state import State

OF_NODES = ("lock", "time", "creation", "hits", "priority")


class Journal(dict[int, int]):
    """A dictionary that is changed by assignment, `update` with pairs and `pop` alone, as compiled transitions do."""

    def __init__(self, *changed: set[int]) -> None:
        super().__init__()
        self._changed = changed  # arguments; whoever reads one clears it

    def note(self, arguments: Iterable[int]) -> None:
        """These may have changed."""
        for each in self._changed:
            each.update(arguments)

    def __setitem__(self, argument: int, value: int) -> None:
        self.note((argument,))
        super().__setitem__(argument, value)

    def update(self, pairs: Iterable[tuple[int, int]]) -> None:  # type: ignore[override]  # one form of those that a dict takes
        """Set some values."""
        listed = list(pairs)
        self.note([argument for argument, _ in listed])
        super().update(listed)

    def pop(self, argument: int, default: int | None = None) -> int | None:  # type: ignore[override]  # likewise
        """Forget a value."""
        self.note((argument,))
        return super().pop(argument, default)


class Parents(Journal):
    """The parent of each node. One that gains or loses a child may be a leaf no longer, or again: it has changed too."""

    def __setitem__(self, argument: int, value: int) -> None:
        self.note((value, self.get(argument, value)))
        super().__setitem__(argument, value)

    def pop(self, argument: int, default: int | None = None) -> int | None:  # type: ignore[override]  # as above
        """Forget a parent."""
        if argument in self:
            self.note((self[argument],))
        return super().pop(argument, default)


class Changes(NamedTuple):
    """Where something may have changed since this was cleared."""

    nodes: set[int]  # positions of nodes: their attributes
    prefixes: set[int]  # positions: the page of each
    pages: set[int]  # what stands in each
    ranks: set[int]  # positions of nodes, as `nodes`; cleared by who ranks them

    def clear(self) -> None:
        """Begin anew, but for ranks."""
        for each in (self.nodes, self.prefixes, self.pages):
            each.clear()


def journalled(state: State) -> Changes:
    """Have a state, which is still empty, note its changes."""
    changes = Changes(set(), set(), set(), set())
    for name in OF_NODES:
        setattr(state, name, Journal(changes.nodes, changes.ranks))
    state.up = Parents(changes.nodes, changes.ranks)
    state.page, state.content = Journal(changes.prefixes), Journal(changes.pages)
    return changes
