"""What callers give, checked. Tokens become bytes, eight to a token, so that segments are compared by memcmp, exactly.

A page of tokens is a slice of such bytes and a key of a dictionary: equal bytes are equal tokens, no hash is trusted.
"""

from array import array
from collections.abc import Sequence

from radixcheck.spec.values import BadAmount, BadKey, check_tokens

TOKEN_BYTES = 8


def pack(tokens: Sequence[int]) -> bytes:
    """The bytes of these tokens. Raises `BadKey` for what is not a token, or does not fit 64 bits.

    An engine that holds its tokens as array("Q") is spared the look at each of them: whatever is in there is a token.

    >>> len(pack((7, 8))), unpack(pack((7, 8)))
    (16, (7, 8))
    """
    if type(tokens) is array and tokens.typecode == "Q":
        return tokens.tobytes()
    if isinstance(tokens, bytes | bytearray):  # `array` would take eight of them for one token
        raise BadKey("bytes do not say what a token is: wrap them in memoryview(...).cast('Q') if it is eight of them")
    try:
        return array("Q", tokens).tobytes()
    except (OverflowError, TypeError) as error:
        check_tokens(tokens)
        raise BadKey("a token does not fit 64 bits") from error


def unpack(data: bytes) -> tuple[int, ...]:
    """The tokens of these bytes."""
    return tuple(memoryview(data).cast("Q"))


def common_pages(segment: bytes, data: bytes, at: int, page_bytes: int) -> int:
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
