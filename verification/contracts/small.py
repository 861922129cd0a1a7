"""Small inputs out of integers. What a path has chosen is a plain number, or a plain container whose elements stay symbolic.

CrossHair's own lists and tuples are not used: it refutes true equalities of their slices. In a plain tuple of symbolic integers
every comparison is one of elements.
"""

from collections.abc import Iterable
from typing import Any


def chosen(n: int, values: Iterable[int]) -> int:
    """The one of `values` that `n` is. Each is a path of its own, on which the result is a plain number."""
    for value in values:
        if n == value:
            return value
    raise AssertionError("the bounds of the contract are wider than what is chosen from")


def same(left: Iterable[object], right: Iterable[object]) -> bool:
    """Whether two sequences have the same elements."""
    return list(left) == list(right)


class Packed(tuple[int, ...]):
    """Stands for packed tokens, a byte for a token: of `bytes` it has the length, slices and `startswith`, but any integers."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return Packed(found) if isinstance(at, slice) else found

    def startswith(self, part: "Packed", at: int) -> bool:
        """Whether `part` stands at `at`, as for bytes."""
        return tuple(self[at : at + len(part)]) == tuple(part)


class Extent:
    """Stands for a segment or its slots where nothing but their number matters, which may be any."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def numel(self) -> int:
        """As a tensor says it."""
        return self.size


class Cloned(tuple[int, ...]):
    """Stands for a tensor of slots, parts of which can be copied."""

    def numel(self) -> int:
        """As a tensor says it."""
        return len(self)

    def narrow_copy(self, dimension: int, start: int, length: int) -> "Cloned":
        """So many from there on."""
        return Cloned(self[start : start + length])
