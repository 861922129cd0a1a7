"""Contracts on counting in whole pages."""

from collections.abc import Callable, Sequence

from radixcheck.reference.pool import page_starts, slots_of_pages
from radixcheck.spec.values import Key, NotYourSlot, pages_for
from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.small import chosen

PAGE_MAX = 8


def _just_enough(pages: Callable[[int, int], int], tokens: int, page: int) -> bool:
    """The number of pages is the least that holds the tokens."""
    page = chosen(page, range(1, PAGE_MAX + 1))
    count = pages(tokens, page)
    return (count - 1) * page < tokens <= count * page


def _rounded_down(tokens: int, page: int) -> int:
    """The last page is not counted unless it is full."""
    return tokens // page


def _page_cut(cut: Callable[[tuple[int, ...], int], int], length: int, page: int) -> bool:
    """The result is the length of the longest part in whole pages."""
    length, page = chosen(length, range(13)), chosen(page, range(1, PAGE_MAX + 1))
    whole = cut((0,) * length, page)
    return whole % page == 0 and 0 <= length - whole < page


def _cut(tokens: tuple[int, ...], page: int) -> int:
    return Key(tokens).whole_pages(page)


def _keeps_tail(tokens: tuple[int, ...], page: int) -> int:
    """The unfinished page is kept."""
    return len(tokens)


def _every_slot(slots: Callable[[Sequence[int], int], list[int]], a: int, b: int, count: int, page: int) -> bool:
    """Slot i of the result is slot i % page of page i // page."""
    count, page = chosen(count, range(3)), chosen(page, range(1, 5))
    starts = (a, b)[:count]
    found = slots(starts, page)
    return len(found) == count * page and all(found[i] == starts[i // page] + i % page for i in range(count * page))


def _firsts_only(starts: Sequence[int], page: int) -> list[int]:
    """The first slot of each page is repeated."""
    return [start for start in starts for _ in range(page)]


Starts = Callable[[Sequence[int], int, set[int]], list[int]]


def _whole_pages_only(starts: Starts, a: int, b: int, c: int, d: int, count: int) -> bool:
    """Exactly the whole pages that the caller owns, each once and in order, are accepted; their first slots are returned."""
    count = chosen(count, range(5))
    slots = [chosen(slot, range(4)) for slot in (a, b, c, d)[:count]]  # plain: the refusal prints them
    firsts, owned = slots[::2], {0}  # another caller owns slots 2 and 3
    right = count % 2 == 0 and all(slots[i] == firsts[i // 2] + i % 2 for i in range(count))
    right = right and all(first in owned and firsts.count(first) == 1 for first in firsts)
    try:
        return starts(slots, 2, owned) == firsts and right
    except NotYourSlot:
        return not right


def _accepts_twice(slots: Sequence[int], page: int, owned: set[int]) -> list[int]:
    """A page that occurs twice is accepted."""
    return list(dict.fromkeys(page_starts(slots[:page], page, owned) + page_starts(slots[page:], page, owned)))


_PAGE = {"page": (1, PAGE_MAX)}
_SLOTS = {"count": (0, 2), "page": (1, 4)}
_STARTS = {**dict.fromkeys("abcd", (0, 3)), "count": (0, 4)}

CONTRACTS = (
    Contract("pages_for", "spec/values.py: alloc, start, decode", _just_enough, pages_for, _rounded_down, {"tokens": (0, None), **_PAGE}),
    Contract("Key.whole_pages", "spec/values.py: insert, of both caches", _page_cut, _cut, _keeps_tail, {"length": (0, 12), **_PAGE}),
    Contract("slots_of_pages", "reference/pool.py: alloc, finish, abort", _every_slot, slots_of_pages, _firsts_only, _SLOTS),
    Contract("page_starts", "reference/pool.py: insert, free", _whole_pages_only, page_starts, _accepts_twice, _STARTS),
)
