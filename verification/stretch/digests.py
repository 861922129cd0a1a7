"""Pairs of different pages that agree in a cheap digest.

A cache that compares digests in place of tokens takes one page of a pair for the other. For a digest of 16 bits whatever its kind, so many
random pages are used that two of them agree.
"""

from collections.abc import Iterator
from functools import cache
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
STREAMED = (  # two tokens and two others with the same digest of 32 bits, whatever comes after both; test_digests.py computes them
    ((19648, 58347), (38049, 5893)),  # crc32 of integers of 4 bytes, the lowest first
    ((17883, 20992), (9219, 48372)),  # the highest first
    ((21705, 60482), (53678, 32949)),  # crc32 of integers of 8 bytes, the lowest first
    ((23438, 25781), (15371, 37849)),  # the highest first
    ((19835, 18413), (33402, 31319)),  # crc32 of decimal numbers with commas
    ((48156, 14740), (22813, 37127)),  # FNV-1a of tokens
)
CANDIDATES = 250_000  # random pages, of which two agree in any 32 bits


@cache
def same_hash(page_size: int) -> Pair | None:
    """Return two pages that agree in 32 bits of Python's hash; None if none are found."""
    random, seen = Random("hash"), dict[int, Page]()
    for _ in range(CANDIDATES):
        page = (random.randrange(2**16), random.randrange(2**16), *range(page_size - 2))
        other = seen.setdefault(hash(page) & 0xFFFFFFFF, page)
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
        yield from filter(None, [same_hash(page_size)])
    if page_size > 2:
        yield (1, *(7,) * (page_size - 2), 1), (1, *(8,) * (page_size - 2), 1)  # first and last
        half = page_size // 2
        yield (*(3,) * half, *(4,) * (page_size - half)), (*(3,) * half, *(9,) * (page_size - half))  # the first half


def _of_two_tokens(page_size: int) -> Iterator[Pair]:
    head = (11,) * (page_size - 2)
    for one, other in (
        *(((1, 4), (2, 3)), ((1, 2), (4, 7)), ((2, 6), (3, 4)), ((1, 2), (2, 1)), ((21, 22), (22, 21))),  # sum, xor, product, any order
        *(((1, 23), (12, 3)), ((1, 11), (11, 1))),  # digits without a separator
        *(((5, 1), (5, 2)), ((1, 5), (2, 5)), ((0, 5), (5, 0)), ((0, 0), (1, 1)), ((3, 3), (9, 9))),  # first, last, and what cancels out
    ):
        yield (*head, *one), (*head, *other)
    for one, other in STREAMED:
        yield (*one, *head), (*other, *head)
    for m in MULTIPLIERS:
        yield (*head, 7, 3 + m), (*head, 8, 3)
        yield (3 + m, 7, *head), (3, 8, *head)


def random_pages(page_size: int, number: int, random: Random) -> list[Page]:
    """Return so many different random pages."""
    return list(dict.fromkeys(tuple(random.randrange(2**31) for _ in range(page_size)) for _ in range(number)))
