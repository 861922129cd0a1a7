"""Contracts on matching: how many tokens of a key agree with a segment, and which child keys are equal."""

from collections.abc import Callable
from typing import Any

import torch

from radixcheck.optimized.keys import common_pages
from radixcheck.optimized.tree import NodeTree as FastTree
from radixcheck.reference.node import Page, shared_tokens
from radixcheck.reference.tree import NodeTree
from radixcheck.spec.values import Namespace
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


def _tree() -> NodeTree:
    return NodeTree(1)


def _reference_keys(at_root: bool, here: Namespace, first: Page, there: Namespace, second: Page) -> bool:
    tree = _tree()
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

CONTRACTS = (
    Contract("shared_tokens", "reference/node.py: every walk", _longest_in_pages, shared_tokens, _overshoots, _MATCHED),
    Contract("common_pages", "optimized/keys.py: every walk", _longest_in_pages, _in_pages, _bisects_too_high, _MATCHED),
    Contract("NodeTree._child_key", f"reference/tree.py: {_TREE_KEYS}", _told_apart, _reference_keys, _first_component, _FILED),
    Contract("NodeTree.child_key", f"optimized/tree.py: {_TREE_KEYS}", _told_apart, _optimized_keys, _in_any_order, _FILED),
)
