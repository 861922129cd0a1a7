"""The part of a serving engine above its tree, which is the same for each: guards, loans, receipts and requests.

An adapter offers its cache as an `EngineTree`; `EngineShim` makes a subject of it. The engine's rules about who calls what and when are
kept here and not in the tree: no caller locks a node that has left the tree, unlocks twice, or frees slots of others; only the
shortfall is evicted, after a check that there is enough room. So a tree is never called in a way that its own engine would not.

Runs where the cache runs, in its environment: it needs nothing but Python and `verification/remote/serve.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import index
from typing import Any, ClassVar, NamedTuple, Protocol

from radixcheck.verification.remote.serve import CacheError, Key, Match, NoRoom, NotLocked, Row, Sizes, StaleHandle, StillHeld

__all__ = ["BadAmount", "BadKey", "NoRoom", "NotLocked", "NotYourSlot", "RequestExists", "StaleHandle", "StillHeld", "UnknownRequest"]
__all__ += ["EngineShim", "EngineTree", "FinishingShim", "Live", "Match", "ObservableTree", "Peek", "Row", "Sizes"]
__all__ += ["BadRequest", "BadSlots", "WhiteBox", "check_tokens", "to_amount"]


class BadKey(CacheError):
    """This is not a key of tokens from 0 to 2**63 - 1, or the cache has no namespaces."""


class BadAmount(CacheError):
    """A number of tokens that is not an integer from 0, or fewer slots than tokens."""


class BadSlots(CacheError):
    """These are not integers in a list."""


class BadRequest(CacheError):
    """The id of a request is not an integer."""


class NotYourSlot(CacheError):
    """These are not whole pages of slots that the caller owns."""


class UnknownRequest(CacheError):
    """No live request has this id."""


class RequestExists(CacheError):
    """A live request has this id already."""


def to_amount(value: Any, error: type[Exception] = BadAmount) -> int:
    """Return a number of tokens, or a priority, as an int. Raise `error` unless it is an integer from 0."""
    try:
        number = index(value)
    except Exception as wrong:  # `__index__` of a caller's object may raise anything
        raise error(f"{value!r} is not an integer") from wrong
    if number < 0:
        raise error(f"{number} is below 0")
    return number


def check_tokens(tokens: Iterable[Any]) -> None:
    """Raise BadKey unless these are tokens in a tuple or list, each an integer from 0 to 2**63 - 1."""
    if not isinstance(tokens, (tuple, list)):
        raise BadKey(f"{type(tokens).__name__} is not a tuple of tokens")
    for token in tokens:
        if not isinstance(token, int) or isinstance(token, bool) or not 0 <= token < 2**63:
            raise BadKey(f"token {token!r} is not an integer from 0 to 2**63 - 1")


class AnyKey(Protocol):
    """A key as in `serve.py`, or as in the specification."""

    @property
    def tokens(self) -> tuple[Any, ...]:
        """All tokens."""

    @property
    def namespace(self) -> tuple[Any, ...]:
        """What keeps trees apart."""

    def whole_pages(self, page_size: int) -> int:
        """Return the length in tokens of the part that a cache can hold."""


class Peek(NamedTuple):
    """What a match of a key would find."""

    length: int  # tokens
    evictable_tokens: int  # of these: evictable now, and protected once the match is locked


@dataclass
class Live:
    """A request. Its row holds a slot for each token, and those of the rest of its last page."""

    name: int
    key: AnyKey
    priority: int
    tokens: list[int]
    row: list[int]
    node: Any  # locked
    lock: Any
    protected: int  # tokens of the row that the tree owns
    inserted: int = 0  # tokens that it has inserted before


class EngineTree(Protocol):
    """A cache as its engine calls it. Keys come in whole pages."""

    supports: Any
    version: str

    def match(self, key: Key) -> tuple[list[int], Any]:
        """Return the slots of the longest cached prefix, and the node where it ends."""

    def peek(self, key: Key) -> Peek:
        """Return what `match` would find; changes nothing."""

    def insert(self, key: Key, slots: list[int], priority: int) -> int:
        """Return how many tokens were cached already; their slots are still the caller's."""

    def lock(self, node: Any) -> Any:
        """Protect a path; return what `unlock` takes."""

    def unlock(self, lock: Any) -> None:
        """Release one lock."""

    def attached(self, node: Any) -> bool:
        """Return whether a node is in the tree."""

    def evict(self, tokens: int) -> int:
        """Return the tokens freed."""

    def sizes(self) -> tuple[int, int]:
        """Return the evictable and the protected tokens."""

    def reset(self) -> None:
        """Forget everything; the slots go back to the pool."""

    def checkpoint(self, live: Live) -> None:
        """Cache the whole pages of a request; sets its row, node, lock, `protected` and `inserted` as the engine does."""


class ObservableTree(EngineTree, Protocol):
    """A tree whose inside can be read."""

    def observe(self, requests: Mapping[int, Any]) -> Any:
        """Return an `Observation` with these requests."""

    def locate(self, node: Any) -> Any:
        """Return the name of a node in it; None for the root."""


class FinishingTree(ObservableTree, Protocol):
    """A tree that finishes requests itself."""

    def finish(self, live: Live) -> None:
        """Cache the whole pages of a request, free the rest of its row, and release its lock."""


class SeenRequest(NamedTuple):
    """The same as `radixcheck.verification.protocol.SeenRequest`."""

    node: Any
    cached: int
    slots: Any


@dataclass(eq=False)
class Receipt:
    """One lock that can be released once."""

    lock: Any


@dataclass
class EngineShim:
    """A tree as a subject."""

    values: ClassVar[Any] = sys.modules[__name__]  # the types of results and errors, and `check_tokens`

    tree: EngineTree
    pool: Any  # the checker's
    _loans: set[int] = field(default_factory=set)  # slots that a caller of the tree verbs owns
    _receipts: set[Receipt] = field(default_factory=set)
    _requests: dict[int, Live] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.supports, self.version = self.tree.supports, self.tree.version
        self._page: int = self.pool.page_size

    # Tree verbs

    def match(self, key: AnyKey) -> Any:
        """Return the longest cached prefix in whole pages."""
        slots, node = self.tree.match(self._whole(key))
        return self.values.Match(len(slots), slots, node)

    def peek(self, key: AnyKey) -> int:
        """Return the length of the match in tokens; changes nothing."""
        return self.tree.peek(self._whole(key)).length

    def insert(self, key: AnyKey, slots: list[int], priority: int = 0) -> int:
        """Cache the whole pages of a key; return how many tokens were cached already."""
        whole, priority = self._whole(key), to_amount(priority, self.values.BadAmount)
        self._check_list(slots)
        if len(slots) < len(whole.tokens):
            raise self.values.BadAmount(f"{len(slots)} slots for {len(whole.tokens)} tokens")
        self._check_loan(slots[self.tree.peek(whole).length : len(whole.tokens)])
        present = self.tree.insert(whole, slots[: len(whole.tokens)], priority)
        self._loans.difference_update(slots[present : len(whole.tokens)])
        return present

    def lock(self, node: Any) -> Receipt:
        """Protect the path of a match."""
        self._check_node(node)
        receipt = Receipt(self.tree.lock(node))
        self._receipts.add(receipt)
        return receipt

    def unlock(self, receipt: Any) -> None:
        """Release one lock."""
        if not isinstance(receipt, Receipt) or receipt not in self._receipts:
            raise self.values.NotLocked("this receipt holds no lock")
        self._receipts.remove(receipt)
        self.tree.unlock(receipt.lock)

    def evict(self, tokens: int) -> int:
        """Return the tokens freed."""
        return self.tree.evict(to_amount(tokens, self.values.BadAmount))

    def alloc(self, tokens: int) -> list[int]:
        """Return whole pages for `tokens`, on loan to the caller."""
        slots = self._take(self._pages(to_amount(tokens, self.values.BadAmount)))
        self._loans.update(slots)
        return slots

    def free(self, slots: list[int]) -> None:
        """Take whole pages of a loan back."""
        self._check_list(slots)
        self._check_loan(slots)
        self._loans.difference_update(slots)
        self._give(slots)

    def reset(self) -> None:
        """Forget everything."""
        if self._receipts or self._requests or self._loans:
            raise self.values.StillHeld("a lock, a request or a loan is live")
        self.tree.reset()

    def sizes(self) -> Any:
        """Return the sizes as the cache counts them."""
        return self.values.Sizes(self.pool.available, *self.tree.sizes())

    # Request verbs

    def start(self, request: int, key: AnyKey, priority: int = 0) -> Any:
        """Check that there is room, then match, lock, evict the shortfall and allocate."""
        self._check_request(request)
        whole, priority = self._whole(key), to_amount(priority, self.values.BadAmount)
        if request in self._requests:
            raise self.values.RequestExists(f"request {request} is live")
        found = self.tree.peek(whole)
        need = self._pages(len(key.tokens) - found.length)
        self._check_room(need, found.evictable_tokens)
        slots, node = self._found(whole)
        lock = self.tree.lock(node)
        row = slots + self._take(self._pages(len(key.tokens) - len(slots)))
        live = self._requests[request] = Live(request, key, priority, list(key.tokens), row, node, lock, len(slots))
        return self._row(live)

    def chunk(self, request: int) -> Any:
        """Cache the whole pages so far."""
        live = self._live(request)
        self.tree.checkpoint(live)
        return self._row(live)

    def decode(self, request: int, token: int) -> int:
        """Add one token; return its slot."""
        live = self._live(request)
        self.values.check_tokens((token,))
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
        self._give(live.row[live.protected :])
        self.tree.unlock(live.lock)

    # Parts, to which a cache with a host tier adds

    def _found(self, whole: Key) -> tuple[list[int], Any]:
        """Return the slots that a new request takes over from the cache, and the node that it locks."""
        return self.tree.match(whole)

    def _row(self, live: Live) -> Any:
        return self.values.Row(live.protected, live.row[: len(live.tokens)])

    # Guards

    def _check_node(self, node: Any) -> None:
        try:
            attached = self.tree.attached(node)
        except (AttributeError, TypeError):  # it is no node
            attached = False
        if not attached:
            raise self.values.StaleHandle("this node has left the tree")

    def _check_request(self, request: Any) -> None:
        if not isinstance(request, int):
            raise self.values.BadRequest(f"{request!r} is not the id of a request")

    def _check_list(self, slots: Any) -> None:
        if not isinstance(slots, (list, tuple)) or not all(isinstance(slot, int) for slot in slots):
            raise self.values.BadSlots("these are not integers in a list")

    def _whole(self, key: AnyKey) -> Key:
        try:
            self.values.check_tokens(key.tokens)
            hash(key.namespace)
        except (AttributeError, TypeError) as wrong:
            raise self.values.BadKey("this is not a key") from wrong
        if key.namespace and not self.supports.namespaces:
            raise self.values.BadKey("this cache has no namespaces")
        return Key(key.tokens[: key.whole_pages(self._page)], key.namespace)

    def _check_loan(self, slots: list[int]) -> None:
        aligned = all(slot == slots[i - i % self._page] + i % self._page for i, slot in enumerate(slots))
        whole = len(slots) % self._page == 0 and all(slot % self._page == 0 for slot in slots[:: self._page])
        if not (aligned and whole and len(set(slots)) == len(slots) and self._loans.issuperset(slots)):
            raise self.values.NotYourSlot("not whole pages that are on loan")

    def _pages(self, tokens: int) -> int:
        return -(-tokens // self._page) * self._page

    def _check_room(self, need: int, kept: int) -> None:
        if need > self.pool.available + self.tree.sizes()[0] - kept:
            raise self.values.NoRoom(f"{need} tokens do not fit")

    def _take(self, need: int) -> list[int]:
        self._check_room(need, 0)
        if need > self.pool.available:
            self.tree.evict(need - self.pool.available)
        slots: list[int] = self.pool.alloc(need) if need else []
        return slots

    def _give(self, slots: list[int]) -> None:
        if slots:
            self.pool.free(slots)

    def _live(self, request: int) -> Live:
        if not isinstance(request, int) or request not in self._requests:
            raise self.values.UnknownRequest(f"request {request} is not live")
        return self._requests[request]


class WhiteBox(EngineShim):
    """The same for a tree whose inside can be read."""

    tree: ObservableTree

    def observe(self) -> Any:
        """Return the nodes and the rows."""
        rows = self._requests.items()
        return self.tree.observe({h: SeenRequest(self.locate(x.node), x.protected, x.row[: len(x.tokens)]) for h, x in rows})

    def locate(self, node: Any) -> Any:
        """Return the name of a handle's node; None for the root."""
        return self.tree.locate(node)


class FinishingShim(WhiteBox):
    """The same for a tree that finishes requests itself."""

    tree: FinishingTree

    def finish(self, request: int) -> None:
        """Cache the whole pages, free the rest, unlock: by the tree's own method."""
        self.tree.finish(self._requests.pop(self._live(request).name))
