"""The envelope of a run: how far the world went, as the largest value of each quantity that a cache may keep in a counter or a table."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Envelope:
    """The largest value of each quantity within one run; of several merged runs the largest of all."""

    operations: int = 0
    ticks: int = 0  # accesses
    refused: int = 0  # calls
    resets: int = 0
    token: int = 0
    key_tokens: int = 0
    key_pages: int = 0
    depth: int = 0  # nodes on one path
    root_children: int = 0
    inner_children: int = 0  # of one node other than the root
    namespaces: int = 0
    holders: int = 0  # locks and requests that hold one node
    requests: int = 0  # live at once
    locks: int = 0  # held at once
    loans: int = 0  # of callers, at once
    call_loans: int = 0  # of callers, in one call
    hits: int = 0
    priority: int = 0
    slot: int = 0
    pool: int = 0  # tokens
    victims: int = 0  # in one call

    def merge(self, other: "Envelope") -> "Envelope":
        """Return the larger value of each quantity."""
        return Envelope(*(max(ours, theirs) for (_, ours), (_, theirs) in zip(self.items(), other.items(), strict=True)))

    def items(self) -> Iterator[tuple[str, int]]:
        """Yield the name of each field with its value."""
        return ((each.name, getattr(self, each.name)) for each in fields(self))

    def to_json(self) -> dict[str, Any]:
        """Return the values as a JSON object."""
        return dict(self.items())

    def in_words(self) -> list[tuple[str, int]]:
        """Return each quantity in words, with its value."""
        return [(WORDS[name], value) for name, value in self.items()]


WORDS = {
    "operations": "operations in one run",
    "ticks": "accesses in one run",
    "refused": "refused calls in one run",
    "resets": "resets in one run",
    "token": "largest token",
    "key_tokens": "tokens of one key",
    "key_pages": "pages of one key",
    "depth": "nodes on one path",
    "root_children": "children of the root",
    "inner_children": "children of an inner node",
    "namespaces": "namespaces",
    "holders": "holders of one node",
    "requests": "live requests",
    "locks": "locks held",
    "loans": "loans held by callers",
    "call_loans": "loans in one call",
    "hits": "hits of one node",
    "priority": "largest priority",
    "slot": "largest slot",
    "pool": "tokens of the pool",
    "victims": "victims in one call",
}


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one dimension of the stretch phase was taken."""

    reached: int
    target: int
    unit: str  # of both, in the plural
    reason: str = ""  # why the dimension was not applied, or not to the end; empty: it was
    refuted: bool = False  # a property broke there

    @property
    def sentence(self) -> str:
        """The reach in words."""
        if self.refuted:
            return f"refuted at {self.reached:,} {self.unit}"
        if not self.reason:
            return f"{self.target:,} {self.unit}"
        if not self.reached:
            return self.reason
        if self.reached >= self.target:
            return f"{self.target:,} {self.unit}, cut off before what follows ({self.reason})"
        return f"not reached: {self.reached:,} of {self.target:,} {self.unit} ({self.reason})"

    def to_json(self) -> dict[str, Any]:
        """Return the reach as a JSON object."""
        return {**{name: getattr(self, name) for name in ("reached", "target", "unit", "reason", "refuted")}, "sentence": self.sentence}
