"""Pairs of different pages that agree in a cheap digest.

A cache that compares digests in place of tokens takes one page of a pair for the other. For a digest of 16 bits whatever its kind, so many
random pages are used that two of them agree.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from random import Random

Page = tuple[int, ...]
Pair = tuple[Page, Page]

MODULI = (
    2**8,
    2**16,
    2**24,
    2**31,
    2**32,
    251,
    257,
    509,
    997,
    1009,
    65521,
    65537,
    1_000_003,
    10**9 + 7,
    2**31 - 1,
    2**53,
    2**61 - 1,
    2**62,
)
MULTIPLIERS = (10, 16, 31, 33, 37, 53, 100, 101, 128, 131, 137, 256, 257, 263, 1000, 1009, 1024, 8191, 65536, 65599, 1_000_003, 16_777_619)
CANDIDATES = 250_000  # random pages, of which two agree in any 32 bits


def _packed(code: str, page: Page) -> bytes:
    return struct.pack(f"{code[0]}{len(page)}{code[1]}", *page)


def _fnv(page: Page) -> int:
    value = 0x811C9DC5
    for token in page:
        value = ((value ^ token) * 0x01000193) & 0xFFFFFFFF
    return value


def _joined(page: Page) -> bytes:
    return ",".join(map(str, page)).encode()


def _crc(encode: Callable[[Page], bytes], page: Page) -> int:
    return zlib.crc32(encode(page))


def _hash(page: Page) -> int:
    return hash(page) & 0xFFFFFFFF


DIGESTS: dict[str, Callable[[Page], int]] = {
    **{f"crc32 {code}": partial(_crc, partial(_packed, code)) for code in ("<i", ">i", "<q", ">q")},
    "crc32 of text": partial(_crc, _joined),
    "fnv": _fnv,
    "hash": _hash,
}


@cache
def colliding(name: str, page_size: int) -> Pair | None:
    """Return two pages with the same digest of 32 bits; None if none are found, as for pages of one token."""
    random, seen, digest = Random(name), dict[int, Page](), DIGESTS[name]
    head = tuple(range(page_size - 2))
    for _ in range(CANDIDATES if page_size > 1 else 0):
        page = (*head, random.randrange(2**16), random.randrange(2**16))
        other = seen.setdefault(digest(page), page)
        if other != page:
            return other, page
    return None


def pairs(page_size: int) -> Iterator[Pair]:
    """Yield pairs for pages of this size."""
    for modulus in MODULI:
        yield (5,) * page_size, (5,) * (page_size - 1) + (5 + modulus,)
        yield (6,) * page_size, (6 + modulus,) * page_size
    if page_size > 1:
        yield from _of_two_tokens(page_size)
    if page_size > 2:
        yield (1, *(7,) * (page_size - 2), 1), (1, *(8,) * (page_size - 2), 1)  # first and last
        half = page_size // 2
        yield (*(3,) * half, *(4,) * (page_size - half)), (*(3,) * half, *(9,) * (page_size - half))  # the first half
    yield from filter(None, (colliding(name, page_size) for name in DIGESTS))


def _of_two_tokens(page_size: int) -> Iterator[Pair]:
    head = (11,) * (page_size - 2)
    for one, other in (
        *(((1, 4), (2, 3)), ((1, 2), (4, 7)), ((2, 6), (3, 4)), ((1, 2), (2, 1)), ((21, 22), (22, 21))),  # sum, xor, product, any order
        *(((1, 23), (12, 3)), ((1, 11), (11, 1))),  # digits without a separator
        *(((5, 1), (5, 2)), ((1, 5), (2, 5)), ((0, 5), (5, 0)), ((0, 0), (1, 1)), ((3, 3), (9, 9))),  # first, last, and what cancels out
    ):
        yield (*head, *one), (*head, *other)
    for m in MULTIPLIERS:
        yield (*head, 7, 3 + m), (*head, 8, 3)
        yield (3 + m, 7, *head), (3, 8, *head)


def random_pages(page_size: int, number: int, random: Random) -> list[Page]:
    """Return so many different random pages."""
    return list(dict.fromkeys(tuple(random.randrange(2**31) for _ in range(page_size)) for _ in range(number)))
