"""Small inputs built from integers: plain numbers, and plain containers whose elements are symbolic.

The symbolic lists and tuples of CrossHair are not used, because it refutes true equalities of their slices. In a plain tuple of
symbolic integers every comparison is a comparison of elements.
"""

from collections.abc import Iterable
from typing import Any


def chosen(n: int, values: Iterable[int]) -> int:
    """Return the value that equals `n`, as a plain number. CrossHair explores a path for each value."""
    for value in values:
        if n == value:
            return value
    raise AssertionError("the bounds of the contract are wider than the values")


def same(left: Iterable[object], right: Iterable[object]) -> bool:
    """Return whether two sequences have the same elements."""
    return list(left) == list(right)


class Packed(tuple[int, ...]):
    """Stands for packed tokens, one element per token: it has the length, slices and `startswith` of `bytes`, but unbounded integers."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return Packed(found) if isinstance(at, slice) else found

    def startswith(self, part: "Packed", at: int) -> bool:
        """Return whether `part` is at `at`, as for bytes."""
        return tuple(self[at : at + len(part)]) == tuple(part)


class Extent:
    """Stands for a segment or its slots where only their number matters. The number may be symbolic."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def numel(self) -> int:
        """Return the number of elements, as a tensor does."""
        return self.size


class Cloned(tuple[int, ...]):
    """Stands for a tensor of slots with `narrow_copy`."""

    def numel(self) -> int:
        """Return the number of elements, as a tensor does."""
        return len(self)

    def narrow_copy(self, dimension: int, start: int, length: int) -> "Cloned":
        """Return `length` elements from `start` on."""
        return Cloned(self[start : start + length])
