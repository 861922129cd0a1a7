"""The part of a serving engine above a tree with a host tier: what `engine_shim.py` does, and who loads, acknowledges and waits.

An adapter offers its cache as a `HostTree`. These rules of the engine are kept here:

- A request is admitted if what it needs on the device fits, with what only the host has counted as needed. The host's part is loaded back
  before the request locks it, all of it or nothing; nothing is evicted for a load that does not fit.
- A row names the loads that still fill slots of it, and does not run before they are acknowledged.
- Nothing that only the host has is locked, and nothing is reset while a copy is in flight.

Runs where the cache runs, as `engine_shim.py` does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from radixcheck.verification.remote.serve import Key, NotArrived, Row, TieredMatch
from radixcheck.verification.subjects.engine_shim import (
    AnyKey,
    BadAmount,
    BadKey,
    BadRequest,
    BadSlots,
    EngineShim,
    EngineTree,
    Live,
    NoRoom,
    NotLocked,
    NotYourSlot,
    ObservableTree,
    RequestExists,
    Sizes,
    StaleHandle,
    StillHeld,
    UnknownRequest,
    WhiteBox,
    check_tokens,
    to_amount,
)

__all__ = ["BadAmount", "BadKey", "BadRequest", "BadSlots", "HostBlackBox", "HostShim", "HostTree", "NoRoom", "NotArrived", "NotLocked"]
__all__ += ["Absent", "Flight", "Found", "ObservableHostTree", "RequestExists", "Row", "Sizes", "StaleHandle", "StillHeld", "TieredMatch"]
__all__ += ["NotYourSlot", "UnknownRequest", "check_tokens"]


class Found(NamedTuple):
    """What a match finds on both tiers."""

    slots: list[int]  # on the device
    node: Any  # where they end
    host_length: int  # tokens behind it that only the host has
    host_node: Any  # where these end; `node` if there are none


class Absent(NamedTuple):
    """What only the host has on the path to a node."""

    tokens: int
    evictable_tokens: int  # on the device above it: evictable now, and locked while it is loaded


class Flight(NamedTuple):
    """One copy that the copier was given and the tree has not acknowledged."""

    up: bool  # from the host to the device
    targets: Sequence[int]  # slots
    ticket: Any


class HostTree(EngineTree, Protocol):
    """A cache with a host tier as its engine calls it.

    `match`, `peek` and `insert` speak of what the device has. The copier has every copy that a call issues before the call returns.
    """

    def match_tiers(self, key: Key) -> Found:
        """Match on both tiers; `match` returns the first half of it."""

    def resident(self, node: Any) -> bool:
        """Return whether the device has a node of the tree."""

    def path_slots(self, node: Any) -> list[int]:
        """Return the device's slots of the path to a node that the device has."""

    def absent(self, node: Any) -> Absent:
        """Return what a load would copy; changes nothing."""

    def load_back(self, node: Any) -> int:
        """Copy to the device what only the host has on the path to a node; return its tokens, 0 if the tree refuses."""

    def backup(self, node: Any) -> int:
        """Copy a node to the host; return the tokens copied."""

    def evict_host(self, tokens: int) -> int:
        """Return the tokens freed on the host."""

    def host_available(self) -> int:
        """Return the free tokens of the host."""

    def poll(self) -> None:
        """Acknowledge copies that are done."""

    def flights(self) -> Sequence[Flight]:
        """Return the copies that are not acknowledged, in the order of their issue."""


class ObservableHostTree(HostTree, ObservableTree, Protocol):
    """Such a tree whose inside can be read."""


class HostBlackBox(EngineShim):
    """A tree with a host tier as a subject."""

    values: ClassVar[Any] = sys.modules[__name__]

    tree: HostTree

    # Tree verbs

    def match(self, key: AnyKey) -> Any:
        """Return the longest cached prefix on the device in whole pages, and how far the host goes on from there."""
        found = self.tree.match_tiers(self._whole(key))
        return self.values.TieredMatch(len(found.slots), *found)

    def lock(self, node: Any) -> Any:
        """Protect the path of a match, which the device has."""
        self._check_node(node)
        if not self.tree.resident(node):
            raise self.values.StaleHandle("this node is not on the device; load it back")
        return super().lock(node)

    def reset(self) -> None:
        """Forget everything, on both tiers."""
        if flights := self.tree.flights():
            raise self.values.StillHeld(f"{len(flights)} copies are in flight")
        super().reset()

    # Host verbs

    def load_back(self, node: Any) -> int:
        """Load back what only the host has on the path to a node, if there is room for all of it; return its tokens, or 0."""
        self._check_node(node)
        absent = self.tree.absent(node)
        room = self.pool.available + self.tree.sizes()[0] - absent.evictable_tokens
        return self.tree.load_back(node) if 0 < absent.tokens <= room else 0

    def backup(self, node: Any) -> int:
        """Back up a node; return the tokens copied."""
        self._check_node(node)
        return self.tree.backup(node)

    def evict_host(self, tokens: int) -> int:
        """Return the tokens freed on the host."""
        return self.tree.evict_host(to_amount(tokens, self.values.BadAmount))

    def host_available(self) -> int:
        """Return the free tokens of the host."""
        return self.tree.host_available()

    def poll(self) -> list[Any]:
        """Let the tree acknowledge copies; return the tickets of those that it acknowledged."""
        before = [flight.ticket for flight in self.tree.flights()]
        self.tree.poll()
        after = {id(flight.ticket) for flight in self.tree.flights()}
        return [ticket for ticket in before if id(ticket) not in after]

    def run(self, request: int) -> None:
        """Let a request read its row."""
        if waits := self._waits(self._live(request)):
            raise self.values.NotArrived(f"{len(waits)} copies to the row have not arrived")

    # Parts of requests

    def _found(self, whole: Key) -> tuple[list[int], Any]:
        """Load back what only the host has: the guard of `start` has counted it."""
        found = self.tree.match_tiers(whole)
        if found.host_length and self.tree.load_back(found.host_node):
            return self.tree.path_slots(found.host_node), found.host_node
        return found.slots, found.node

    def _row(self, live: Live) -> Any:
        return self.values.Row(live.protected, live.row[: len(live.tokens)], self._waits(live))

    def _waits(self, live: Live) -> tuple[Any, ...]:
        """Return the tickets of the loads in flight that fill slots of a row."""
        row = set(live.row)
        return tuple(flight.ticket for flight in self.tree.flights() if flight.up and not row.isdisjoint(flight.targets))


class HostShim(HostBlackBox, WhiteBox):
    """The same for a tree whose inside can be read."""

    tree: ObservableHostTree
