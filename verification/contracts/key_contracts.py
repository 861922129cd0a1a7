"""Contracts on keys and pages: how many tokens agree with a segment, which child keys are equal, and counting in whole pages."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from radixcheck.optimized.keys import common_pages
from radixcheck.optimized.tree import NodeTree as FastTree
from radixcheck.reference.node import Page, shared_tokens
from radixcheck.reference.pool import page_starts, slots_of_pages
from radixcheck.reference.tree import NodeTree
from radixcheck.spec.values import Key, Namespace, NotYourSlot, pages_for
from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.small import Packed, chosen

# segment, tokens of the key, start in them, page size -> tokens in common from there on, in whole pages. The first page is in common.
Match = Callable[[Page, Page, int, int], int]


def _longest_in_pages(
    match: Match, a: int, b: int, c: int, d: int, v: int, w: int, x: int, y: int, size: int, after: int, start: int, page: int
) -> bool:
    """The result is the longest common part in whole pages, within both the segment and the key, also if the key ends inside a page."""
    page, start = chosen(page, range(1, 4)), chosen(start, range(2))
    size, after = chosen(size, range(1, 5)), chosen(after, range(5))
    segment = (a, b, c, d)[: size // page * page] or (a, b, c)[:page]
    tokens = (0,) * start + segment[:page] + (v, w, x, y)[:after]
    shared = match(segment, tokens, start, page)
    most = min(len(segment), len(tokens) - start)
    if not page <= shared <= most or shared % page != 0:
        return False
    agree = all(segment[i] == tokens[start + i] for i in range(shared))
    further = shared + page <= most and all(segment[i] == tokens[start + i] for i in range(shared, shared + page))
    return agree and not further


def _overshoots(segment: Page, tokens: Page, start: int, page: int) -> int:
    """An unfinished last page of the key is counted as a whole page."""
    shared = 0
    while shared < min(len(segment), len(tokens) - start):
        if any(p != q for p, q in zip(segment[shared : shared + page], tokens[start + shared : start + shared + page], strict=False)):
            break
        shared += page
    return shared


def _in_pages(segment: Page, tokens: Page, start: int, page: int) -> int:
    match: Any = common_pages  # declared for bytes
    return int(match(Packed(segment), Packed(tokens), start, page) * page)


def _bisects_too_high(segment: Page, tokens: Page, start: int, page: int) -> int:
    """The bisection keeps the middle page even if it differs."""
    low, high = 1, min(len(segment), len(tokens) - start) // page
    return (low + high + 1) // 2 * page


_MATCHED = {"page": (1, 3), "size": (1, 4), "after": (0, 4), "start": (0, 1)}

# Whether the parent is the root, then namespace and first page of two children -> whether their child keys are equal.
Collides = Callable[[bool, Namespace, Page, Namespace, Page], bool]


def _told_apart(
    collides: Collides, at_root: int, a: int, b: int, x: int, y: int, m: int, n: int, k: int, s: int, parts: int, page: int
) -> bool:
    """Two children have the same key if and only if their first pages are equal and, below the root, their namespaces too."""
    page, parts = chosen(page, range(1, 3)), chosen(parts, range(3))
    first, second = (a, b)[:page], (x, y)[:page]
    here, there = (m, n)[:parts], (k, s)[:2]
    alike = all(first[i] == second[i] for i in range(page))
    if chosen(at_root, range(2)):
        alike = alike and parts == 2 and all(here[i] == there[i] for i in range(parts))
    return collides(bool(at_root), here, first, there, second) == alike


def _reference_keys(at_root: bool, here: Namespace, first: Page, there: Namespace, second: Page) -> bool:
    tree = NodeTree(1)
    parent: Any = tree.root if at_root else None
    return tree._child_key(parent, here, first) == tree._child_key(parent, there, second)


def _optimized_keys(at_root: bool, here: Namespace, first: Page, there: Namespace, second: Page) -> bool:
    tree = FastTree(1, "lru", torch.device("cpu"))
    parent: Any = tree.root if at_root else None
    key: Any = tree.child_key  # declared for bytes
    return bool(key(parent, here, first) == key(parent, there, second))


def _first_component(at_root: bool, here: Namespace, first: Page, there: Namespace, second: Page) -> bool:
    """Only the first component of a namespace is compared."""
    return _reference_keys(at_root, here[:1], first, there[:1], second)


def _in_any_order(at_root: bool, here: Namespace, first: Page, there: Namespace, second: Page) -> bool:
    """Namespaces with the same components in another order are equal."""
    return _optimized_keys(at_root, here, first, there, second) or _optimized_keys(at_root, here[::-1], first, there, second)


_FILED = {"at_root": (0, 1), "parts": (0, 2), "page": (1, 2)}
_TREE_KEYS = "insert, match, split"


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
    Contract("shared_tokens", "reference/node.py: every walk", _longest_in_pages, shared_tokens, _overshoots, _MATCHED),
    Contract("common_pages", "optimized/keys.py: every walk", _longest_in_pages, _in_pages, _bisects_too_high, _MATCHED),
    Contract("NodeTree._child_key", f"reference/tree.py: {_TREE_KEYS}", _told_apart, _reference_keys, _first_component, _FILED),
    Contract("NodeTree.child_key", f"optimized/tree.py: {_TREE_KEYS}", _told_apart, _optimized_keys, _in_any_order, _FILED),
    Contract("pages_for", "spec/values.py: alloc, start, decode", _just_enough, pages_for, _rounded_down, {"tokens": (0, None), **_PAGE}),
    Contract("Key.whole_pages", "spec/values.py: insert, of both caches", _page_cut, _cut, _keeps_tail, {"length": (0, 12), **_PAGE}),
    Contract("slots_of_pages", "reference/pool.py: alloc, finish, abort", _every_slot, slots_of_pages, _firsts_only, _SLOTS),
    Contract("page_starts", "reference/pool.py: insert, free", _whole_pages_only, page_starts, _accepts_twice, _STARTS),
)
