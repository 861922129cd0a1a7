"""Positions, and differences between two values of a state function, as text."""

from typing import Any

from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.verification.operations import listed

OWNERS = ("free", "tree", "request", "nobody")  # by the value of `owner`
SHOWN_MAX = 3  # differences in one text


def prefix_text(positions: Positions, position: int) -> str:
    """The tokens and the namespace of a position."""
    if not EPS <= position < len(positions.prev):
        return "nothing"
    key = positions.key(position)
    where = f" in {key.namespace!r}" if key.namespace else ""
    return listed(key.tokens) + where


def difference_text(positions: Positions, name: str, seen: Any, spec: Any) -> str:
    """The first places at which two different values of the state function `name` differ."""
    if isinstance(seen, dict):
        return _of_maps(positions, name, seen, spec)
    if isinstance(seen, set):
        return _of_sets(positions, seen, spec)
    return _of_owners(seen, spec) if isinstance(seen, list) else f"{seen}, specification {spec}"


def _of_maps(positions: Positions, name: str, seen: dict[Any, Any], spec: dict[Any, Any]) -> str:
    keys = sorted(k for k in seen.keys() | spec.keys() if seen.get(k) != spec.get(k))[:SHOWN_MAX]
    of_pages = name in ("holder", "content")
    labels = (f"page {k}" if of_pages else _label(positions, k) for k in keys)
    return "; ".join(f"{label}: {seen.get(k)}, specification {spec.get(k)}" for label, k in zip(labels, keys, strict=True))


def _of_sets(positions: Positions, seen: set[int], spec: set[int]) -> str:
    sides = (("the subject", seen - spec), ("the specification", spec - seen))
    return ", ".join(f"only {who} has {', '.join(prefix_text(positions, p) for p in sorted(only))}" for who, only in sides if only)


def _of_owners(seen: list[int], spec: list[int]) -> str:
    pages = [i for i, (a, b) in enumerate(zip(seen, spec, strict=True)) if a != b]
    return "; ".join(f"page {i} belongs to {OWNERS[seen[i]]}, in the specification to {OWNERS[spec[i]]}" for i in pages[:SHOWN_MAX])


def _label(positions: Positions, key: Any) -> str:
    return f"request {key[0]} at {prefix_text(positions, key[1])}" if isinstance(key, tuple) else prefix_text(positions, key)
