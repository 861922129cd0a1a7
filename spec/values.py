"""What callers and caches exchange: keys, results, sizes, typed errors, and the copier of a host tier.

The model, the reference and the optimized cache use these same types; only the container of slots differs
(a list of integers here, a tensor on the device in the optimized cache).

All three take the same arguments, and refuse all others with a typed error before they change anything:

    integer     what `operator.index` accepts, as that integer: an int, a bool (True is 1), an integer of numpy. No float, not even 16.0
    token       an integer from 0 to TOKEN_MAX
    tokens      a sequence of tokens, with a length: no generator, set, mapping, string or bytes
    namespace   a tuple that can be hashed; components that are equal in Python (1, True) are the same
    key         a `Key` of such tokens and such a namespace, or another object with these two fields
    amount      an integer >= 0, of any size, and so a priority
    request     an integer >= 0
    slots       in lists: integers; in the optimized cache: a tensor of int64, of one dimension, on the device of the pool
    node        the `node` of a match of the same cache
    receipt     what `lock` of the same cache returned
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Generic, NamedTuple, Protocol, TypeVar

Slots = TypeVar("Slots", bound=object)
GivenSlots_contra = TypeVar("GivenSlots_contra", contravariant=True)
Namespace = tuple[object, ...]
TOKEN_MAX = 2**64 - 1
SHOWN_MAX = 60  # characters of an argument in a message


class CacheError(Exception):
    """A call outside its guard. The cache has changed nothing."""


class BadKey(CacheError):
    """This is not a key or not a token, or a part of the key is not what it must be."""


class BadAmount(CacheError):
    """This is not a number of tokens or a priority, an integer >= 0; or there are too few slots."""


class BadSlots(CacheError):
    """These are not slots: they have another type, shape or device."""


class BadRequest(CacheError):
    """This is not the id of a request, an integer >= 0."""


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


class NotArrived(CacheError):
    """A copy that fills slots of this request's row has not arrived yet."""


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
class TieredMatch(Match[Slots]):
    """The longest prefix on the device, and what only the host has behind it."""

    host_length: int  # tokens behind `length` that are cached, but not on the device
    host_node: object  # handle of the node that ends there; `load_back` takes it


@dataclass(frozen=True, slots=True)
class Row(Generic[Slots]):
    """What a request reads: one slot per token, the first `cached` of them owned by the tree and locked."""

    cached: int  # tokens
    slots: Slots  # one slot for each token of the request, in order
    waits: tuple[object, ...] = ()  # tickets of the copies that are still filling slots of the row; the request cannot run before


class Ticket(Protocol):
    """One copy that was issued."""

    @property
    def done(self) -> bool:
        """Whether it has arrived or failed."""

    @property
    def failed(self) -> bool:
        """Whether it has failed: nothing was written."""

    def wait(self) -> None:
        """Return when it is done."""


class Copier(Protocol[GivenSlots_contra]):
    """What moves KV between the tiers. Copies may complete in any order, and may fail."""

    def copy(self, up: bool, sources: GivenSlots_contra, targets: GivenSlots_contra) -> Ticket:
        """Issue a copy from the host to the device (`up`) or back: whole pages, `sources[i]` to `targets[i]`. Both stay as they are until
        it is done."""


class Sizes(NamedTuple):
    """Tokens, never nodes or pages. available + evictable + protected + owned by requests = capacity."""

    available: int
    evictable: int
    protected: int


def shown(value: object) -> str:
    """Return an argument as messages show it: its `repr`, shortened; its type alone if it has none (as an integer of 5,000 digits).

    >>> shown(16.0), shown("a" * 99)[:9], shown(10**5000)
    ('16.0', "'aaaaaaaa", 'int')
    """
    try:
        text = repr(value)
    except Exception:  # a caller's object may raise anything
        return type(value).__name__
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."


def to_int(value: object, error: type[Exception]) -> int:
    """Return an integer as an `int`. Raise `error` for anything else.

    >>> to_int(True, BadAmount)
    1
    """
    if type(value) is int:
        return value
    try:
        return int(index(value))  # type: ignore[arg-type]
    except Exception as wrong:  # `__index__` of a caller's object may raise anything
        raise error(f"expected an integer, found {shown(value)}") from wrong


def to_amount(value: object, error: type[Exception] = BadAmount) -> int:
    """Return an integer >= 0 as an `int`: a number of tokens, a priority, the id of a request. Raise `error` for anything else."""
    number = to_int(value, error)
    if number < 0:
        raise error(f"expected an integer >= 0, found {shown(number)}")
    return number


def check_sequence(values: object, error: type[Exception]) -> None:
    """Raise `error` unless these are values in an order, with a length: a sequence, or an array (it has `tolist`)."""
    if isinstance(values, str | bytes | bytearray) or not (isinstance(values, Sequence) or hasattr(values, "tolist")):
        raise error(f"expected a sequence of integers, found {shown(values)}")


def to_ints(values: object, error: type[Exception]) -> tuple[int, ...]:
    """Return a sequence of integers as a tuple of `int`. Raise `error` for anything else."""
    check_sequence(values, error)
    try:
        found: tuple[object, ...] = tuple(values)  # type: ignore[arg-type]
    except Exception as wrong:  # iterating a caller's object may raise anything
        raise error(f"expected a sequence of integers, found {shown(values)}") from wrong
    return found if set(map(type, found)) <= {int} else tuple(to_int(value, error) for value in found)  # type: ignore[return-value]


def check_tokens(tokens: object) -> tuple[int, ...]:
    """Return tokens as a tuple of `int`. Raise `BadKey` unless they are a sequence of integers from 0 to `TOKEN_MAX`."""
    found = to_ints(tokens, BadKey)
    if found and not 0 <= min(found) <= max(found) <= TOKEN_MAX:
        wrong = next(token for token in found if not 0 <= token <= TOKEN_MAX)
        raise BadKey(f"expected tokens from 0 to 2**64 - 1, found {shown(wrong)}")
    return found


def parts_of(key: Key) -> tuple[Sequence[int], Namespace]:
    """Return the tokens of a key as they are, not checked, and its namespace. Raise `BadKey` unless this can be hashed, and is a tuple."""
    try:
        tokens, namespace = key.tokens, key.namespace
    except AttributeError as wrong:
        raise BadKey(f"expected a Key, found {shown(key)}") from wrong
    if type(namespace) is tuple and not namespace:
        return tokens, namespace
    if not isinstance(namespace, tuple):
        raise BadKey(f"expected a namespace that is a tuple, found {shown(namespace)}")
    try:
        hash(namespace)
    except Exception as wrong:  # a caller's object may raise anything
        raise BadKey(f"expected a namespace that can be hashed, found {shown(namespace)}") from wrong
    return tokens, namespace


def to_key(key: Key) -> Key:
    """Return a key with its tokens in a tuple of `int`. Raise `BadKey` for anything else."""
    tokens, namespace = parts_of(key)
    return Key(check_tokens(tokens), namespace)


def pages_for(tokens: int, page_size: int) -> int:
    """Whole pages that hold this many tokens.

    >>> pages_for(5, 4), pages_for(4, 4), pages_for(0, 4)
    (2, 1, 0)
    """
    return -(-tokens // page_size)
