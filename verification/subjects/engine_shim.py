"""What stands above the tree of a serving engine, and is the same for each: the callers' guards, loans, receipts and requests.

An adapter offers its cache as a `Tree`; `Caller` makes a subject of it. Where an engine has a rule about who calls what when, it is kept
here and not in the tree: nobody locks a node that has left the tree, unlocks twice, or frees what he does not own; room is made for the
shortfall only, after it was seen that there is enough. A tree is never given what its own engine would not give it.

Runs beside the cache, in its environment: it needs nothing but Python and `verification/remote/serve.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from radixcheck.verification.remote.serve import (
    CacheError,
    Key,
    Match,
    NoRoom,
    NotLocked,
    Observation,
    Pool,
    Row,
    Sizes,
    StaleHandle,
    StillHeld,
)


class BadKey(CacheError):
    """Tokens are integers from 0 on."""


class BadAmount(CacheError):
    """A number of tokens below zero, or fewer slots than tokens."""


class NotYourSlot(CacheError):
    """These are not whole pages of slots that the caller owns."""


class UnknownRequest(CacheError):
    """No such request is live."""


class RequestExists(CacheError):
    """A request of this name is live."""


class Found(NamedTuple):
    """What a look at the tree says of a key."""

    length: int  # tokens that a match would return
    evictable: int  # of these: what can be evicted now, and could not once the match is locked


@dataclass
class Live:
    """A request. Its row holds a slot for each token, and those of the rest of its last page."""

    name: int
    key: Key
    priority: int
    tokens: list[int]
    row: list[int]
    node: Any  # locked
    lock: Any
    protected: int  # tokens of the row that the tree owns
    inserted: int = 0  # tokens that it has inserted before


class Tree(Protocol):
    """A cache as its engine sees it. Keys come in whole pages, except where nothing is said against a tail."""

    supports: Any
    version: str

    def match(self, key: Key) -> tuple[list[int], Any]:
        """Slots and node of the longest cached prefix."""

    def peek(self, key: Key) -> Found:
        """The same without a trace."""

    def insert(self, key: Key, slots: list[int], priority: int) -> int:
        """Tokens that were present already; theirs of the slots are still the caller's."""

    def lock(self, node: Any) -> Any:
        """Protects a path; returns what `unlock` wants."""

    def unlock(self, lock: Any) -> None:
        """Releases it."""

    def attached(self, node: Any) -> bool:
        """Whether a node is still in the tree."""

    def evict(self, tokens: int) -> int:
        """Tokens freed."""

    def sizes(self) -> tuple[int, int]:
        """Evictable and protected tokens."""

    def reset(self) -> None:
        """Forget everything; slots go back to the pool."""

    def checkpoint(self, live: Live) -> None:
        """Cache the whole pages of a request; its row, node, lock, `protected` and `inserted` are as the engine leaves them."""


class Shown(Tree, Protocol):
    """One that shows its inside."""

    def observe(self, requests: Mapping[int, Any]) -> Observation:
        """The inside; `requests` goes into it as it is."""

    def locate(self, node: Any) -> Any:
        """The name of a node in it; None: the root."""


class SeenRequest(NamedTuple):
    """As `radixcheck.verification.protocol.SeenRequest`."""

    node: Any
    cached: int
    slots: Any


@dataclass(eq=False)
class Receipt:
    """One lock that can be released once."""

    lock: Any


@dataclass
class Caller:
    """A tree as a subject. `pool` is the checker's."""

    tree: Tree
    pool: Pool
    _loans: set[int] = field(default_factory=set)
    _receipts: set[Receipt] = field(default_factory=set)
    _requests: dict[int, Live] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.supports, self.version, self._page = self.tree.supports, self.tree.version, self.pool.page_size

    # Tree verbs

    def match(self, key: Key) -> Match:
        """Longest cached prefix."""
        slots, node = self.tree.match(self._whole(key))
        return Match(len(slots), slots, node)

    def peek(self, key: Key) -> int:
        """Its length."""
        return self.tree.peek(self._whole(key)).length

    def insert(self, key: Key, slots: list[int], priority: int = 0) -> int:
        """Cache the whole pages of a key."""
        whole = self._whole(key)
        if len(slots) < len(whole.tokens):
            raise BadAmount(f"{len(slots)} slots for {len(whole.tokens)} tokens")
        self._check_loan(slots[self.tree.peek(whole).length : len(whole.tokens)])
        present = self.tree.insert(whole, slots[: len(whole.tokens)], priority)
        self._loans.difference_update(slots[present : len(whole.tokens)])
        return present

    def lock(self, node: Any) -> Receipt:
        """Protect the path of a match."""
        if not self.tree.attached(node):
            raise StaleHandle("this node has left the tree")
        receipt = Receipt(self.tree.lock(node))
        self._receipts.add(receipt)
        return receipt

    def unlock(self, receipt: Any) -> None:
        """Release it."""
        if receipt not in self._receipts:
            raise NotLocked("this receipt holds no lock")
        self._receipts.remove(receipt)
        self.tree.unlock(receipt.lock)

    def evict(self, tokens: int) -> int:
        """Tokens freed."""
        if tokens < 0:
            raise BadAmount(f"{tokens} tokens to evict")
        return self.tree.evict(tokens)

    def alloc(self, tokens: int) -> list[int]:
        """Slots on loan."""
        if tokens < 0:
            raise BadAmount(f"{tokens} tokens to allocate")
        slots = self._take(self._pages(tokens))
        self._loans.update(slots)
        return slots

    def free(self, slots: list[int]) -> None:
        """Slots back from a loan."""
        self._check_loan(slots)
        self._loans.difference_update(slots)
        self.pool.free(slots)

    def reset(self) -> None:
        """Forget everything."""
        if self._receipts or self._requests or self._loans:
            raise StillHeld("a lock, a request or a loan is live")
        self.tree.reset()

    def sizes(self) -> Sizes:
        """As the cache says."""
        return Sizes(self.pool.available, *self.tree.sizes())

    # Request verbs

    def start(self, request: int, key: Key, priority: int = 0) -> Row:
        """Look whether there is room; match, lock, evict the shortfall, allocate."""
        if request in self._requests:
            raise RequestExists(f"request {request} is live")
        whole = self._whole(key)
        found = self.tree.peek(whole)
        need = self._pages(len(key.tokens) - found.length)
        self._check_room(need, found.evictable)
        slots, node = self.tree.match(whole)
        lock = self.tree.lock(node)
        row = slots + self._take(need)
        self._requests[request] = Live(request, key, priority, list(key.tokens), row, node, lock, len(slots))
        return Row(len(slots), row[: len(key.tokens)])

    def chunk(self, request: int) -> Row:
        """Cache the whole pages so far."""
        live = self._live(request)
        self.tree.checkpoint(live)
        return Row(live.protected, live.row[: len(live.tokens)])

    def decode(self, request: int, token: int) -> int:
        """One more token."""
        live = self._live(request)
        self._check_tokens((token,))
        if len(live.row) == len(live.tokens):
            live.row += self._take(self._page)
        live.tokens.append(token)
        return live.row[len(live.tokens) - 1]

    def finish(self, request: int) -> None:
        """Cache the whole pages, free the rest, unlock."""
        live = self._live(request)
        self.tree.checkpoint(live)
        self.abort(request)

    def abort(self, request: int) -> None:
        """Free what the tree does not own, unlock."""
        live = self._requests.pop(self._live(request).name)
        if live.row[live.protected :]:
            self.pool.free(live.row[live.protected :])
        self.tree.unlock(live.lock)

    # Guards

    def _whole(self, key: Key) -> Key:
        self._check_tokens(key.tokens)
        return Key(key.tokens[: key.whole_pages(self._page)], key.namespace)

    def _check_tokens(self, tokens: Any) -> None:
        if any(not isinstance(token, int) or isinstance(token, bool) or not 0 <= token < 2**63 for token in tokens):
            raise BadKey("a token is no integer from 0 up to 2**63 - 1")

    def _check_loan(self, slots: list[int]) -> None:
        aligned = all(slot == slots[i - i % self._page] + i % self._page for i, slot in enumerate(slots))
        whole = len(slots) % self._page == 0 and all(slot % self._page == 0 for slot in slots[:: self._page])
        if not (aligned and whole and len(set(slots)) == len(slots) and self._loans.issuperset(slots)):
            raise NotYourSlot("not whole pages that are on loan")

    def _pages(self, tokens: int) -> int:
        return -(-tokens // self._page) * self._page

    def _check_room(self, need: int, kept: int) -> None:
        if need > self.pool.available + self.tree.sizes()[0] - kept:
            raise NoRoom(f"{need} tokens do not fit")

    def _take(self, need: int) -> list[int]:
        self._check_room(need, 0)
        if need > self.pool.available:
            self.tree.evict(need - self.pool.available)
        return self.pool.alloc(need) if need else []

    def _live(self, request: int) -> Live:
        if request not in self._requests:
            raise UnknownRequest(f"request {request} is not live")
        return self._requests[request]


class WhiteBox(Caller):
    """The same for a tree that shows its inside."""

    tree: Shown

    def observe(self) -> Observation:
        """Nodes and rows."""
        return self.tree.observe(
            {
                name: SeenRequest(self.locate(live.node), live.protected, live.row[: len(live.tokens)])
                for name, live in self._requests.items()
            }
        )

    def locate(self, node: Any) -> Any:
        """The name of a handle's node; None for the root."""
        return self.tree.locate(node)
