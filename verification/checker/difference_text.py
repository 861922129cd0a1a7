"""Positions, and differences between two values of a state function, as text."""

from typing import Any

from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.verification.core.short_text import brief
from radixcheck.verification.operations import listed

OWNERS = ("free", "in the tree", "in a request", "leaked")  # by the value of `owner`
OF_POSITIONS = ("content", "end", "up", "at", "host_content", "floor", "aim", "reserved")  # state functions whose values are positions
SHOWN_MAX = 3  # differences in one text
FUNCTIONS = {  # state functions in words
    "owner": "the owners of the pages",
    "page": "the pages of what is cached",
    "holder": "whose the pages of requests are",
    "content": "what the pages hold",
    "row": "the rows of requests",
    "node": "where nodes end",
    "cached": "what is cached",
    "end": "the ends of the nodes",
    "lock": "the lock counts",
    "at": "what requests lock",
    "evictable": "the evictable tokens",
    "protected": "the protected tokens",
    "available": "the free tokens",
    "up": "the parents of nodes",
    "time": "the times of last use",
    "hits": "the hits",
    "priority": "the priorities",
    "creation": "the times of creation",
    "host_owner": "the owners of the host pages",
    "host_page": "the host pages of what is cached",
    "host_content": "what the host pages hold",
    "resident": "what is on the device",
    "hosted": "what is on the host",
    "pins": "the pins",
    "filled": "which pages are filled",
    "host_filled": "which host pages are filled",
    "host_available": "the free tokens of the host",
}


def prefix_text(positions: Positions, position: int) -> str:
    """The tokens and the namespace of a position, without the middle of a long one."""
    if not EPS <= position < len(positions.prev):
        return "nothing"
    key = positions.key(position)
    where = f" in {key.namespace!r}" if key.namespace else ""
    return brief(listed(key.tokens)) + where


def slots_text(positions: Positions, page: int, tier: str = "") -> str:
    """The slots of a page. `tier`: what stands before the word."""
    size, slot = positions.page_size, f"{tier} slot".lstrip()
    return f"{slot} {page}" if size == 1 else f"{slot}s {page * size} to {(page + 1) * size - 1}"


def difference_text(positions: Positions, name: str, seen: Any, spec: Any) -> str:
    """The first places at which two different values of the state function `name` differ."""
    if isinstance(seen, dict):
        return _of_maps(positions, name, seen, spec)
    if name in ("filled", "host_filled"):
        return f"pages {_expected(sorted(spec - seen), sorted(seen - spec))}"
    if isinstance(seen, set):
        return _of_sets(positions, seen, spec)
    return _of_owners(seen, spec) if isinstance(seen, list) else _expected(spec, seen)


def _of_maps(positions: Positions, name: str, seen: dict[Any, Any], spec: dict[Any, Any]) -> str:
    keys = sorted(k for k in seen.keys() | spec.keys() if seen.get(k) != spec.get(k))[:SHOWN_MAX]
    texts = (_expected(*(_value(positions, name, values.get(k)) for values in (spec, seen))) for k in keys)
    return "; ".join(f"{_argument(positions, name, k)}: {text}" for k, text in zip(keys, texts, strict=True))


def _of_sets(positions: Positions, seen: set[int], spec: set[int]) -> str:
    sides = (("missing", spec - seen), ("not expected", seen - spec))
    return "; ".join(f"{what}: {', '.join(prefix_text(positions, p) for p in sorted(only))}" for what, only in sides if only)


def _of_owners(seen: list[int], spec: list[int]) -> str:
    pages = [i for i, (a, b) in enumerate(zip(seen, spec, strict=True)) if a != b]
    return "; ".join(f"page {i}: {_expected(OWNERS[spec[i]], OWNERS[seen[i]])}" for i in pages[:SHOWN_MAX])


def _argument(positions: Positions, name: str, key: Any) -> str:
    if name in ("holder", "content"):
        return f"page {key}"
    if name in ("host_holder", "host_content"):
        return f"host page {key}"
    if name in ("at", "stage", "floor", "aim", "reserved"):
        return f"request {key}"
    return f"request {key[0]} at {prefix_text(positions, key[1])}" if name in ("row", "host_row") else prefix_text(positions, key)


def _value(positions: Positions, name: str, value: Any) -> object:
    return "nothing" if value is None else prefix_text(positions, value) if name in OF_POSITIONS else value


def _expected(spec: object, seen: object) -> str:
    return f"expected {spec}, found {seen}"
