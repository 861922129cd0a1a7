"""A tiny engine's cache, another example of `radixcheck init`: it keeps a row of slots for each request, and has no tree verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from radixcheck.verification.subjects.starter.tiny_tree import TinyNode, TinyTree


class Slots(Protocol):
    """What hands out slots and takes them back."""

    @property
    def available(self) -> int:
        """Return how many are free."""

    def alloc(self, tokens: int) -> list[int]:
        """Return free slots."""

    def free(self, slots: Sequence[int]) -> None:
        """Take slots back."""


class Full(Exception):
    """There is no room. Nothing has changed."""


class TinyRequest:
    """One request, and what it reads."""

    def __init__(self, tokens: Sequence[int], row: list[int], cached: int, node: TinyNode) -> None:
        self.tokens, self.row = list(tokens), row
        self.cached, self.node = cached, node  # so many slots of the row are those of the tree, pinned up to this node


class TinyEngine:
    """The cache. A request submits its prompt, appends tokens, saves what it has, and completes or is cancelled."""

    def __init__(self, slots: Slots) -> None:
        self.slots, self.tree = slots, TinyTree()
        self.requests: dict[int, TinyRequest] = {}

    def submit(self, name: int, tokens: Sequence[int]) -> TinyRequest:
        """Admit a request, with slots for its prompt: cached ones, and new ones behind them."""
        known, droppable = self.tree.known(tokens)
        if len(tokens) - known > self.slots.available + self.tree.free_to_drop - droppable:
            raise Full
        slots, node = self.tree.find(tokens)
        self.tree.pin(node)
        self.requests[name] = TinyRequest(tokens, slots + self._take(len(tokens) - len(slots)), len(slots), node)
        return self.requests[name]

    def append(self, name: int, token: int) -> int:
        """Add one token to a request; return its slot."""
        request = self.requests[name]
        request.row += self._take(1)
        request.tokens.append(token)
        return request.row[-1]

    def save(self, name: int) -> TinyRequest:
        """Cache what a request has so far. Slots of what others have cached meanwhile are freed, and theirs are read."""
        request = self.requests[name]
        known = self.tree.add(request.tokens, request.row)
        self._free(request.row[request.cached : known])
        slots, node = self.tree.find(request.tokens)
        self.tree.pin(node)
        self.tree.unpin(request.node)
        request.row, request.cached, request.node = slots, len(slots), node
        return request

    def complete(self, name: int) -> None:
        """Cache what a request has, and forget the request."""
        self.save(name)
        self.cancel(name)

    def cancel(self, name: int) -> None:
        """Forget a request; what it has not saved is freed."""
        request = self.requests.pop(name)
        self._free(request.row[request.cached :])
        self.tree.unpin(request.node)

    def clear(self) -> None:
        """Forget all that is cached: there is no request."""
        self._free(self.tree.drop(self.tree.free_to_drop))

    def _take(self, tokens: int) -> list[int]:
        missing = tokens - self.slots.available
        if missing > self.tree.free_to_drop:
            raise Full
        if missing > 0:
            self._free(self.tree.drop(missing))
        return self.slots.alloc(tokens) if tokens else []

    def _free(self, slots: Sequence[int]) -> None:
        if slots:
            self.slots.free(slots)
