"""What callers and caches exchange: keys, results, sizes and typed errors.

The model, the reference and the optimized cache use these same types; only the container of slots differs
(a list of integers here, a tensor on the device in the optimized cache).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

Slots = TypeVar("Slots", bound=object)
Namespace = tuple[object, ...]


class CacheError(Exception):
    """A call outside its guard. The cache has changed nothing."""


class BadKey(CacheError):
    """The key holds something that is not a token, or is empty where a token is needed."""


class BadAmount(CacheError):
    """A negative number of tokens was asked for, or a number of slots that does not fit."""


class NoRoom(CacheError):
    """Free and evictable slots together are fewer than the call needs."""


class NotYourSlot(CacheError):
    """The caller gave a slot that it does not own."""


class StaleHandle(CacheError):
    """The node of this handle has left the tree since it was matched."""


class NotLocked(CacheError):
    """The receipt was released before, or was never given out."""


class UnknownRequest(CacheError):
    """No live request has this id."""


class RequestExists(CacheError):
    """A live request has this id already."""


class StillHeld(CacheError):
    """The cache cannot be reset while a lock, a request or a caller holds a part of it."""


class Key(NamedTuple):
    """The tokens that a request is about (ids of the vocabulary, >= 0), under a namespace (adapter, salt; SGLang's `extra_key`).

    Namespaces are compared as tuples, component by component. Joining the components, or cutting a hash of them, would let two adapters
    share KV (FB-66, FB-68).
    """

    tokens: tuple[int, ...]
    namespace: Namespace = ()

    def whole_pages(self, page_size: int) -> int:
        """Length in tokens of the part that a cache can hold: the unaligned tail stays with the request.

        >>> Key((7, 8, 9)).whole_pages(2)
        2
        """
        return len(self.tokens) // page_size * page_size


@dataclass(frozen=True, slots=True)
class Match(Generic[Slots]):
    """The longest cached prefix of a key, in whole pages."""

    length: int  # tokens
    slots: Slots  # one slot for each of these tokens, in order
    node: object  # handle of the node that ends there; `lock` takes it


@dataclass(frozen=True, slots=True)
class Row(Generic[Slots]):
    """What a request reads: one slot per token, the first `cached` of them owned by the tree and locked."""

    cached: int  # tokens
    slots: Slots  # one slot for each token of the request, in order


class Sizes(NamedTuple):
    """Tokens, never nodes or pages. available + evictable + protected + owned by requests = capacity."""

    available: int
    evictable: int
    protected: int


def check_tokens(tokens: Sequence[int]) -> None:
    """Raise `BadKey` unless every token is an integer >= 0."""
    for token in tokens:
        if not isinstance(token, int) or token < 0:
            raise BadKey(f"token {token!r} is not an integer >= 0")


def pages_for(tokens: int, page_size: int) -> int:
    """Whole pages that hold this many tokens.

    >>> pages_for(5, 4), pages_for(4, 4), pages_for(0, 4)
    (2, 1, 0)
    """
    return -(-tokens // page_size)
