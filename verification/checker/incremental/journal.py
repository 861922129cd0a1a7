"""State functions of the specification that record where they change, so that only these places are compared again."""

from collections.abc import Iterable
from typing import NamedTuple

from radixcheck.spec.run.state import State

OF_NODES = ("lock", "time", "creation", "hits", "priority")


class Journal(dict[int, int]):
    """A dictionary that records which keys change. Change it by assignment, `update` with pairs and `pop` only, as transitions do."""

    def __init__(self, *changed: set[int]) -> None:
        super().__init__()
        self._changed = changed  # arguments of the function; the reader of a set clears it

    def note(self, arguments: Iterable[int]) -> None:
        """Record arguments whose values may have changed."""
        for each in self._changed:
            each.update(arguments)

    def __setitem__(self, argument: int, value: int) -> None:
        self.note((argument,))
        super().__setitem__(argument, value)

    def update(self, pairs: Iterable[tuple[int, int]]) -> None:  # type: ignore[override]  # one form of those that a dict takes
        """Set values."""
        listed = list(pairs)
        self.note([argument for argument, _ in listed])
        super().update(listed)

    def pop(self, argument: int, default: int | None = None) -> int | None:  # type: ignore[override]  # likewise
        """Remove a value."""
        self.note((argument,))
        return super().pop(argument, default)


class Parents(Journal):
    """The parent of each node. A node that gains or loses a child is recorded too: whether it is a leaf may have changed."""

    def __setitem__(self, argument: int, value: int) -> None:
        self.note((value, self.get(argument, value)))
        super().__setitem__(argument, value)

    def pop(self, argument: int, default: int | None = None) -> int | None:  # type: ignore[override]  # as above
        """Remove a parent."""
        if argument in self:
            self.note((self[argument],))
        return super().pop(argument, default)


class Changes(NamedTuple):
    """Where values may have changed since this was cleared."""

    nodes: set[int]  # positions of nodes whose attributes changed
    prefixes: set[int]  # positions whose page changed
    pages: set[int]  # pages whose content changed
    ranks: set[int]  # the same as `nodes`, cleared by `Ranking`

    def clear(self) -> None:
        """Clear all but `ranks`."""
        for each in (self.nodes, self.prefixes, self.pages):
            each.clear()


def journalled(state: State) -> Changes:
    """Make an empty state record its changes. Return the record."""
    changes = Changes(set(), set(), set(), set())
    for name in OF_NODES:
        setattr(state, name, Journal(changes.nodes, changes.ranks))
    state.up = Parents(changes.nodes, changes.ranks)
    state.page, state.content = Journal(changes.prefixes), Journal(changes.pages)
    return changes
