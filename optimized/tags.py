"""Content tags: in a checking mode each slot on the device has a number for the prefix that its token ends.

A tag is written when the token's KV would be computed, and compared on the device when the slot is handed out again: a slot that
is stale, reused or swapped with another is detected exactly where its KV would be wrong.
"""

from array import array
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from radixcheck.spec.values import Namespace

# Odd multipliers with no pattern in their bits, as signed 64-bit numbers; products wrap around.
_MULTIPLIERS = (-0x61C8864680B583EB, -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15)
_LOW_HALF = 0xFFFF_FFFF


class TagMismatch(AssertionError):
    """A slot that the cache hands out does not hold the token that it was handed out for."""

    property_id = "MATCH_SOUND"  # the property of the specification that it violates


class HasTokens(Protocol):
    """An object with tokens under a namespace: a key, or a live request."""

    @property
    def tokens(self) -> Sequence[int]:
        """All tokens so far."""

    @property
    def namespace(self) -> Namespace:
        """What keeps trees apart."""


class HasSlots(Protocol):
    """An object that hands out slots: a match, or a row."""

    @property
    def slots(self) -> Tensor:
        """One for each of the first tokens of its key: int64, one dimension."""


class TagKeeper(Protocol):
    """What the cache calls in both modes."""

    def write(self, slots: Tensor, key: HasTokens, start: int) -> int:
        """Record that tokens [start, len) of `key` were computed into slots[start:len]; return what `append` takes as `before`."""

    def append(self, slot: Tensor, key: HasTokens, before: int) -> int:
        """Record that the last token of `key` was computed into `slot`, a tensor of no dimension; return the next `before`."""

    def check(self, given: HasSlots, key: HasTokens) -> None:
        """Raise TagMismatch unless each slot given holds the token of `key` at its place, preceded by the tokens before it."""


class NoTags:
    """No checking mode: no tags, no cost, nothing is read from the device."""

    def write(self, slots: Tensor, key: HasTokens, start: int) -> int:
        """Write nothing."""
        return 0

    def append(self, slot: Tensor, key: HasTokens, before: int) -> int:
        """Write nothing."""
        return 0

    def check(self, given: HasSlots, key: HasTokens) -> None:
        """Check nothing, and read no slots."""


class Tags:
    """One tag for each slot of a pool (int64); 0 where nothing was computed yet. `capacity` is in tokens."""

    def __init__(self, capacity: int, device: torch.device | str = "cpu") -> None:
        self.content = torch.zeros(capacity, dtype=torch.int64, device=device)
        # Numbered in order of appearance: a hash could be the same for two namespaces.
        self._roots: dict[Namespace, Tensor] = {}  # the tag of a namespace's empty prefix
        self._last: tuple[bytes, Namespace, Tensor] = (b"", (), self.content[:0])  # tokens, namespace and tags of the last `_of`
        self._mixed_positions = self.content[:0]

    def write(self, slots: Tensor, key: HasTokens, start: int) -> int:
        """Tag slots[start:len] with the prefixes of `key` that end there; return the tag of the whole."""
        end = len(key.tokens)
        assert 0 <= start <= end <= len(slots)
        tags = self._of(key)
        self.content[slots[start:end]] = tags[start:]
        return int(tags[-1]) if end else int(self._root(key.namespace))

    def append(self, slot: Tensor, key: HasTokens, before: int) -> int:
        """Tag one more slot; return its tag. It is computed on the host, which is cheaper than kernels for one number."""
        end = len(key.tokens)
        tag = (before + _mix_number(key.tokens[-1] + _mix_number(end)) + 2**63) % 2**64 - 2**63
        self.content.index_fill_(0, slot, tag)
        return tag

    def check(self, given: HasSlots, key: HasTokens) -> None:
        """Compare on the device; reads back only the verdict, and on a mismatch the first wrong position. Raises TagMismatch."""
        slots = given.slots
        assert len(slots) <= len(key.tokens)
        wrong = self.content[slots] != self._of(key)[: len(slots)]
        if bool(wrong.any()):
            position = int(wrong.nonzero()[0])
            raise TagMismatch(f"slot {int(slots[position])} does not hold token {position} of this key")

    def _root(self, namespace: Namespace) -> Tensor:
        root = self._roots.get(namespace)
        if root is None:
            number = torch.tensor(len(self._roots), dtype=torch.int64, device=self.content.device)
            root = self._roots[namespace] = _mix(number)
        return root

    def _of(self, key: HasTokens) -> Tensor:
        """Return the tag of each prefix: running sums of the mixed tokens, each mixed with its position.

        A request is checked, written and checked again as it starts, so the last result is kept.
        """
        tokens, device = array("Q", key.tokens), self.content.device
        data = tokens.tobytes()
        if self._last[:2] != (data, key.namespace):
            values = torch.frombuffer(tokens, dtype=torch.int64).to(device) if tokens else self.content[:0]
            sums = torch.cumsum(_mix(values + self._positions(len(tokens))), 0)
            self._last = (data, key.namespace, self._root(key.namespace) + sums)
        return self._last[2]

    def _positions(self, length: int) -> Tensor:
        """Return the mixed positions of the first tokens, counted from 1; computed once."""
        if length > len(self._mixed_positions):
            positions = torch.arange(1, 2 * length + 1, dtype=torch.int64, device=self.content.device)
            self._mixed_positions = _mix(positions)
        return self._mixed_positions[:length]


def _mix(values: Tensor) -> Tensor:
    """Apply a permutation of the 64-bit numbers whose outputs have no pattern: near inputs have unrelated outputs."""
    for factor in _MULTIPLIERS:
        values = (values ^ (values >> 32 & _LOW_HALF)) * factor
    return values


def _mix_number(value: int) -> int:
    """Return `_mix` of one number, unsigned."""
    for factor in _MULTIPLIERS:
        value = ((value ^ (value >> 32 & _LOW_HALF)) * factor) % 2**64
    return value
