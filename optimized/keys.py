"""Checked arguments. Tokens become bytes, eight for each, so that segments are compared exactly, by memcmp.

A page of tokens is a slice of such bytes, and a key of a dictionary: equal bytes are equal tokens, and no hash is trusted.
"""

import struct
from array import array
from collections.abc import Iterator, Sequence
from typing import overload

import torch
from torch import Tensor

from radixcheck.spec.values import BadKey, BadSlots, check_sequence, check_tokens, shown

TOKEN_BYTES = 8
INT64 = torch.int64
Packed = bytes | bytearray  # its owner may append to a bytearray: what is kept after a call is a copy


class TokenBuffer(Sequence[int]):
    """Tokens as the bytes that are compared. An engine that keeps the tokens of a request in a `TokenBuffer` saves a copy at each call.

    It may append to it after each call: the cache copies what it keeps.

    >>> tokens = TokenBuffer((7, 8))
    >>> tokens.append(9)
    >>> len(tokens), tokens[0], tokens[1:]
    (3, 7, (8, 9))
    """

    __slots__ = ("data",)

    data: bytearray  # in native byte order, as in array("Q")

    def __init__(self, tokens: Sequence[int] = ()) -> None:
        self.data = bytearray(pack(tokens))

    def append(self, token: int) -> None:
        """Append one token. Raises BadKey, as `pack` does."""
        self.data += pack((token,))

    def extend(self, tokens: Sequence[int]) -> None:
        """Append all of `tokens`, or none: raises BadKey, as `pack` does."""
        self.data += bytes(pack(tokens))  # `tokens` may be this buffer

    def __len__(self) -> int:
        return len(self.data) // TOKEN_BYTES

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[int, ...]: ...
    def __getitem__(self, index: int | slice) -> int | tuple[int, ...]:
        found = memoryview(self.data).cast("Q")[index]
        return found if isinstance(found, int) else tuple(found)

    def __iter__(self) -> Iterator[int]:
        return iter(memoryview(self.data).cast("Q"))


def pack(tokens: Sequence[int]) -> Packed:
    """Return the bytes of these tokens. Raises BadKey unless each is an integer from 0 to 2**64 - 1.

    The bytes of a `TokenBuffer` are not copied; those of an array("Q") are copied, but not checked one by one.

    >>> len(pack((7, 8))), unpack(pack((7, 8)))
    (16, (7, 8))
    """
    kind = type(tokens)
    if kind is not tuple and kind is not list:
        if type(tokens) is TokenBuffer:
            return tokens.data
        if type(tokens) is array and tokens.typecode == "Q":
            return tokens.tobytes()
        if isinstance(tokens, bytes | bytearray):  # `array` would read one token from eight bytes
            raise BadKey("bytes are not tokens: if each token is eight bytes, pass memoryview(...).cast('Q')")
        check_sequence(tokens, BadKey)
    try:
        return array("Q", tokens).tobytes()
    except Exception as error:  # a caller's object may raise anything
        check_tokens(tokens)
        raise BadKey(f"these are not tokens: {shown(tokens)}") from error


def unpack(data: Packed) -> tuple[int, ...]:
    """Return the tokens of these bytes."""
    return struct.unpack(f"{len(data) // TOKEN_BYTES}Q", data)


def part(data: Packed, start: int, stop: int) -> bytes:
    """Return data[start:stop] as bytes of its own, with `start` and `stop` in tokens."""
    if type(data) is bytes:
        return data[start * TOKEN_BYTES : stop * TOKEN_BYTES]
    return memoryview(data)[start * TOKEN_BYTES : stop * TOKEN_BYTES].tobytes()


def common_pages(segment: bytes, data: Packed, at: int, page_bytes: int) -> int:
    """Return in how many whole pages `segment` agrees with `data` from byte `at` on. The first page must agree.

    Agreement is closed under prefixes, so a bisection finds its end; each step compares, and copies, only what is still open.

    >>> common_pages(pack((1, 2, 3, 4)), pack((9, 1, 2, 3, 5)), TOKEN_BYTES, TOKEN_BYTES)
    3
    """
    low, high = 1, min(len(segment), len(data) - at) // page_bytes
    assert high >= low, "not even one page is left to compare"
    while low < high:
        middle = (low + high + 1) // 2
        if data.startswith(segment[low * page_bytes : middle * page_bytes], at + low * page_bytes):
            low = middle
        else:
            high = middle - 1
    return low


def check_slots(slots: object, device: torch.device) -> None:
    """Raise BadSlots unless this is a tensor of int64, of one dimension, on this device. Reads no slot."""
    if not isinstance(slots, Tensor):
        raise BadSlots(f"expected slots in a tensor, found {shown(slots)}")
    if slots.dtype is not INT64 or slots.dim() != 1 or slots.device != device or slots.layout is not torch.strided:
        kind = f"{slots.dtype} of shape {tuple(slots.shape)} on {slots.device}, {slots.layout}"
        raise BadSlots(f"expected slots in a tensor of int64, of one dimension, on {device}; found {kind}")
