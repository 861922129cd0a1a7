"""A cache of which some is hidden."""

from collections.abc import Iterable
from typing import Any

BLACK_BOX = ("observe_path", "observe_entry", "observe", "locate")  # all that shows the inside


class Hiding:
    """A cache without some of its attributes, and with others in place of its own."""

    def __init__(self, inner: Any, hidden: Iterable[str], **others: Any) -> None:
        self._inner, self._hidden = inner, hidden
        vars(self).update(others)

    def __getattr__(self, name: str) -> Any:
        if name in self._hidden:
            raise AttributeError(name)
        return getattr(self._inner, name)
