"""The pairs of pages that agree in a digest do agree, and differ."""

import struct
import zlib
from collections.abc import Callable
from functools import reduce
from operator import xor

import pytest

from radixcheck.verification.stretch.digests import STREAMED, Page, pairs, same_hash


def packed(code: str) -> Callable[[Page], int]:
    return lambda page: zlib.crc32(struct.pack(f"{code[0]}{len(page)}{code[1]}", *page))


def fnv(page: Page) -> int:
    return reduce(lambda value, token: ((value ^ token) * 0x01000193) & 0xFFFFFFFF, page, 0x811C9DC5)


DIGESTS: list[Callable[[Page], int]] = [
    *map(packed, ("<i", ">i", "<q", ">q")),
    lambda page: zlib.crc32(",".join(map(str, page)).encode()),
    fnv,
]


@pytest.mark.parametrize("rest", [(), (5, 6, 7)])
def test_the_listed_pairs_have_the_same_digest_of_a_stream_whatever_follows(rest: Page) -> None:
    for digest, (one, other) in zip(DIGESTS, STREAMED, strict=True):
        assert one != other
        assert digest((*one, *rest)) == digest((*other, *rest))


@pytest.mark.parametrize("size", [2, 16])
def test_two_pages_with_the_same_hash_are_found(size: int) -> None:
    found = same_hash(size)

    assert found is not None
    assert found[0] != found[1]
    assert {hash(page) & 0xFFFFFFFF for page in found} == {hash(found[0]) & 0xFFFFFFFF}


@pytest.mark.parametrize("size", [1, 2, 16])
def test_every_pair_has_two_different_pages_of_tokens(size: int) -> None:
    listed = list(pairs(size))

    assert all(one != other and len(one) == len(other) == size for one, other in listed)
    assert all(0 <= token < 2**63 for pair in listed for page in pair for token in page)


@pytest.mark.parametrize(
    "digest",
    [
        sum,
        lambda page: reduce(xor, page),
        sorted,
        lambda page: page[0],
        lambda page: page[-1],
        lambda page: reduce(lambda value, token: value * 31 + token, page, 0),
        lambda page: sum(token * 31**i for i, token in enumerate(page)),
        lambda page: [token & 0xFFFF for token in page],
        lambda page: [hash(token) for token in page],
        lambda page: "".join(map(str, page)),
    ],
)
def test_a_pair_agrees_in_each_of_these(digest: Callable[[Page], object]) -> None:
    assert any(digest(one) == digest(other) for one, other in pairs(2))
