"""What callers give, checked. Tokens become bytes, eight to a token, so that segments are compared by memcmp, exactly.

A page of tokens is a slice of such bytes and a key of a dictionary: equal bytes are equal tokens, no hash is trusted.
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import overload

from radixcheck.spec.values import BadAmount, BadKey, check_tokens

TOKEN_BYTES = 8
Packed = bytes | bytearray  # the second grows under its owner's hands: what is kept of it after a call is a copy


class TokenBuffer(Sequence[int]):
    """Tokens in the form in which they are compared. An engine that keeps those of a request in one of these, from its prompt to the last
    token of its answer, is spared a copy at each call, and may let it grow after each: the cache copies what it keeps.

    >>> tokens = TokenBuffer((7, 8))
    >>> tokens.append(9)
    >>> len(tokens), tokens[0], tokens[1:]
    (3, 7, (8, 9))
    """

    __slots__ = ("data",)

    data: bytearray  # native, as array("Q") has them

    def __init__(self, tokens: Sequence[int] = ()) -> None:
        self.data = bytearray(pack(tokens))

    def append(self, token: int) -> None:
        """One more. Raises `BadKey`, as `pack` does."""
        self.data += pack((token,))

    def extend(self, tokens: Sequence[int]) -> None:
        """Several more, or none of them: raises `BadKey`, as `pack` does."""
        self.data += bytes(pack(tokens))  # which may be its own

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
    """The bytes of these tokens: of `TokenBuffer` its own, not a copy. Raises `BadKey` for what is not a token, or does not fit 64 bits.

    An engine that holds its tokens as array("Q") is spared the look at each of them, but not the copy.

    >>> len(pack((7, 8))), unpack(pack((7, 8)))
    (16, (7, 8))
    """
    if type(tokens) is TokenBuffer:
        return tokens.data
    if type(tokens) is array and tokens.typecode == "Q":
        return tokens.tobytes()
    if isinstance(tokens, bytes | bytearray):  # `array` would take eight of them for one token
        raise BadKey("bytes do not say what a token is: wrap them in memoryview(...).cast('Q') if it is eight of them")
    try:
        return array("Q", tokens).tobytes()
    except (OverflowError, TypeError) as error:
        check_tokens(tokens)
        raise BadKey("a token does not fit 64 bits") from error


def unpack(data: Packed) -> tuple[int, ...]:
    """The tokens of these bytes."""
    return tuple(memoryview(data).cast("Q"))


def part(data: Packed, start: int, stop: int) -> bytes:
    """A copy of data[start:stop], both counted in tokens."""
    return memoryview(data)[start * TOKEN_BYTES : stop * TOKEN_BYTES].tobytes()


def common_pages(segment: bytes, data: Packed, at: int, page_bytes: int) -> int:
    """Whole pages in which `segment` agrees with `data` from `at` on, at least one being known to agree.

    Agreement is closed under prefixes, so a bisection finds its end; each step compares, and copies, only what those
    before have left open.

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


def check_priority(priority: int) -> None:
    """Raise `BadAmount` for a priority below 0, the least there is."""
    if priority < 0:
        raise BadAmount(f"priority {priority} is below 0")
