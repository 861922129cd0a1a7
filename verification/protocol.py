"""The subject protocol: what a cache offers to be checked.

A *subject* is made by a factory `factory(setup) -> subject`. It takes its slots from `setup.pool` and declares in `supports` what it
can do: the tree verbs, the request verbs, or both, and which of them it lacks. `observe()` shows its inside (white box) and is
optional: without it, only answers, sizes and the slot pool are checked. `verification/README.md` shows a complete example.
Through `remote/` a subject is in another process.

Tree verbs      match peek insert lock unlock evict alloc free reset sizes
Request verbs   start chunk decode finish abort reset sizes
Host verbs      load_back backup poll evict_host run host_available, of a cache with a host tier
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from operator import le
from typing import Any, NamedTuple, Protocol

from radixcheck.spec.events.event_values import Event
from radixcheck.spec.values import Copier, Key, Row, Sizes, Ticket, TieredMatch
from radixcheck.verification.operations import HOST_OPERATIONS, NEEDS, REQUEST_OPERATIONS, TREE_OPERATIONS

NodeId = Hashable
MODES = ("write_through", "write_through_selective", "write_back")  # when a node is copied to the host: see `spec/host/`


class SlotPool(Protocol):
    """The authority on which slots are free. Slots are handed out and given back as whole, aligned pages."""

    page_size: int
    capacity: int  # tokens

    @property
    def available(self) -> int:
        """Free slots, in tokens."""

    def alloc(self, tokens: int) -> list[int]:
        """`tokens` (a multiple of the page size) free slots, page by page. Raises NoRoom."""

    def free(self, slots: Sequence[int]) -> None:
        """Give whole pages back: every slot of each page, in order."""


@dataclass(frozen=True, slots=True)
class Supports:
    """What a subject can do; what it cannot is shown as NOT OBSERVABLE, never as a pass."""

    tree: bool = True
    requests: bool = True
    namespaces: bool = True
    policies: tuple[str, ...] = ("lru", "lfu", "fifo", "filo", "mru", "slru", "priority")
    page_sizes: Sequence[int] = (1, 2, 16, 64)  # tokens; a range, if there are many
    attributes: frozenset[str] = frozenset({"time", "creation", "hits", "priority"})  # that `observe` reports truly
    without: frozenset[str] = frozenset()  # verbs that it lacks; `operations.FAIL`: copies that fail
    choices: Mapping[str, str] = field(default_factory=dict)  # kinds of difference that it means, or names of `core/choices.py`; and why
    here: bool = True  # it runs in this process, where its steps and its memory can be counted
    remembers: str = ""  # why it keeps something of every key that it was ever given; empty: it does not
    modes: tuple[str, ...] = ()  # of MODES; empty: it has no host tier
    larger_host: bool = False  # it refuses a host pool that is not larger than the pool of its device

    @property
    def operations(self) -> tuple[str, ...]:
        """What can be performed on it: the operations of which it has all verbs."""
        return _operations(self.tree, self.requests, self.without)

    def host_size(self, device: int, host: int) -> int:
        """Return the size of a host pool that serves it, made of a given one. `device`: the size of the pool of its device."""
        return device + host if self.larger_host else host

    @property
    def host_operations(self) -> tuple[str, ...]:
        """What can be performed on it beside these where it has a host pool."""
        known = HOST_OPERATIONS if self.modes else ()
        return tuple(name for name in known if self.without.isdisjoint({name, *NEEDS.get(name, ())}) and (self.requests or name != "run"))


@cache
def _operations(tree: bool, requests: bool, without: frozenset[str]) -> tuple[str, ...]:
    names = dict.fromkeys((TREE_OPERATIONS if tree else ()) + (REQUEST_OPERATIONS if requests else ()))
    return tuple(name for name in names if without.isdisjoint({name, *NEEDS.get(name, ())}))


@dataclass(frozen=True, slots=True)
class Setup:
    """What a factory is given."""

    page_size: int  # tokens
    policy: str
    pool: SlotPool
    device: str = "cpu"
    host_pool: SlotPool | None = None  # of the host tier; None: the cache is to have none
    copier: Copier[Any] | None = None  # for a cache with a host tier
    mode: str = ""  # of MODES, for a cache with a host tier
    events: bool = False  # it is to emit KV events, if it can: see `Emitting`


class SeenNode(NamedTuple):
    """One node other than the root, as it is."""

    name: NodeId
    parent: NodeId | None  # None: the root
    segment: Sequence[int]  # tokens on this node only
    slots: Sequence[int]  # one per token of the segment
    namespace: tuple[object, ...]  # of the keys that lead here
    child_key: Sequence[int] | None  # the page under which the parent files it; None: not kept
    lock: int
    time: int | float = 0  # last access, on the subject's own clock
    creation: int | float = 0  # on the subject's own clock
    hits: int = 0
    priority: int = 0
    host_slots: Sequence[int] = ()  # one per token of the segment, or none; `slots` may be empty then: only the host has the node
    pins: int = 0  # loads that read its host slots


class SeenCopy(NamedTuple):
    """One copy that was issued and is not acknowledged."""

    up: bool  # from the host to the device
    floor: NodeId | None  # it copies the nodes behind this one; None: the root
    aim: NodeId  # and up to this one
    sources: Sequence[int]  # slots
    targets: Sequence[int]


class SeenRequest(NamedTuple):
    """One live request, as the cache keeps it."""

    node: NodeId | None  # the node that it locks; None: the root
    cached: int  # tokens of its row that the tree owns
    slots: Sequence[int]  # its row, one per token


class SeenEntry(NamedTuple):
    """One entry of the eviction heap, in the order of the heap's array, then of the queue, if it has one beside it."""

    key: tuple[int | float, int | float]  # as it compares now; the second is 0 where only one is kept
    node: NodeId
    serial: int = 0  # of two equal keys the one with the lower number goes first; all 0: numbers are not kept
    speaks: bool = True  # False: the cache knows that another entry, or none, stands for this node; True for all: the least one does


@dataclass(frozen=True, slots=True)
class Observation:
    """The inside of a subject between two operations. Nodes come parents first and are those reachable from the root."""

    now: int | float  # the subject's clock: not smaller than any time stored so far
    nodes: Sequence[SeenNode]
    requests: Mapping[int, SeenRequest] = field(default_factory=dict)
    heap: Sequence[SeenEntry] | None = None  # None: it keeps no heap
    leaves: frozenset[NodeId] | None = None  # an index of evictable leaves, if it keeps one
    leaf_count: int | None = None  # their number, if it keeps one
    queued: int = 0  # how many entries of the heap, the last, stand in a queue beside it, from the least to the greatest
    copies: Sequence[SeenCopy] = ()  # in the order of their issue
    # Of a second heap, with the leaves that may leave the host:
    host_heap: Sequence[SeenEntry] | None = None  # None: it keeps no such heap
    host_queued: int = 0  # as `queued`
    host_leaf_count: int | None = None  # their number, if it keeps one
    host_only: int | None = None  # tokens that only the host has, if it counts them


def in_order(entries: Sequence[SeenEntry], queued: int, key: Callable[[SeenEntry], Any]) -> bool:
    """Whether each entry of a heap goes before its two children in the array, and each of the last `queued`, a queue, before the next."""
    keys = [key(entry) for entry in entries]
    heap, queue = keys[: len(keys) - queued], keys[len(keys) - queued :]
    doubled = chain.from_iterable(zip(heap, heap, strict=True))
    return all(map(le, doubled, heap[1:])) and all(map(le, queue, queue[1:]))


class Matching(Protocol):
    """What `match` returns: a `Match`, or anything that says the same."""

    @property
    def length(self) -> int:
        """Tokens."""

    @property
    def slots(self) -> Any:
        """One for each of these tokens, in order, as they were at the match."""

    @property
    def node(self) -> object:
        """Handle of the node that ends there; `lock` takes it."""


class TreeSubject(Protocol):
    """A cache as a tree. The caller owns what `alloc` returns until it inserts or frees it."""

    supports: Supports

    def match(self, key: Key) -> Matching:
        """Longest cached prefix in whole pages; may split; refreshes the times of what it returns, counts no hit."""

    def peek(self, key: Key) -> int:
        """Length in tokens that `match` would return; changes nothing."""

    def insert(self, key: Key, slots: Any, priority: int = 0) -> int:
        """Cache the whole pages of `key`; returns how many tokens were cached already: the caller still owns
        `slots[:that]` and the unaligned tail, the tree owns the rest. Refreshes times and counts one hit on the whole path."""

    def lock(self, node: object) -> object:
        """Protect the path from a match's node to the root; the receipt is for `unlock`. Raises StaleHandle."""

    def unlock(self, receipt: object) -> None:
        """Release one lock. Raises NotLocked for a receipt that was released before."""

    def evict(self, tokens: int) -> int:
        """Evict least leaves until at least `tokens` are freed or none is evictable; returns tokens freed. The slots of the victims
        may go back to the pool in any order."""

    def alloc(self, tokens: int) -> Any:
        """Slots for `tokens` (rounded up to whole pages), after evicting the shortfall only. Raises NoRoom, evicting nothing."""

    def free(self, slots: Any) -> None:
        """Give slots from `alloc` back: whole pages, in order. Raises NotYourSlot."""

    def reset(self) -> None:
        """Forget everything; afterwards every slot is free. Raises StillHeld while anything is held."""

    def sizes(self) -> Sizes:
        """Available, evictable and protected tokens."""


class RequestSubject(Protocol):
    """A cache as serving uses it: it keeps one row of slots for each live request."""

    supports: Supports

    def start(self, request: int, key: Key, priority: int = 0) -> Row[Any]:
        """Match, lock, then alloc the rest after evicting its shortfall. Raises NoRoom (nothing changed), RequestExists."""

    def chunk(self, request: int) -> Row[Any]:
        """Cache the whole pages so far; adopt what others cached meanwhile, freeing duplicates; lock the deeper node.
        Refreshes times, counts no hit."""

    def decode(self, request: int, token: int) -> Any:
        """One more token; returns its slot. Evicts the shortfall when a new page is needed. Raises NoRoom."""

    def finish(self, request: int) -> None:
        """Cache the whole pages (counts one hit), free duplicates and the tail, unlock."""

    def abort(self, request: int) -> None:
        """Unlock and free what the request owns; caches nothing and refreshes nothing."""

    def reset(self) -> None:
        """As for a tree."""

    def sizes(self) -> Sizes:
        """As for a tree."""


class HostSubject(Protocol):
    """A cache with a host tier. `spec/host/README.md` says what each mode copies when, and what a copy that fails changes."""

    supports: Supports

    def match(self, key: Key) -> TieredMatch[Any]:
        """As for a tree, of what the device has; and how far the host goes on from there. Refreshes the times of both parts."""

    def load_back(self, node: object) -> int:
        """Issue the copy of what only the host has on the path to a match's host node, after evicting the shortfall on the device; returns
        its tokens, 0 if there is nothing to load or no room. Raises StaleHandle."""

    def backup(self, node: object) -> int:
        """Issue copies of a node to the host, under write-through of what lies above it first; returns their tokens. Raises StaleHandle."""

    def poll(self) -> Sequence[Ticket]:
        """Acknowledge the copies that have arrived, undo those that have failed or issue them again; returns the tickets."""

    def evict_host(self, tokens: int) -> int:
        """Evict least host leaves until at least `tokens` are freed on the host or none is left; returns tokens freed."""

    def run(self, request: int) -> None:
        """The request is about to read its row. Raises NotArrived while a copy is still filling slots of it."""

    def host_available(self) -> int:
        """Free slots of the host pool, in tokens."""


class Traceable(Protocol):
    """Optional beside `observe`, for long replays: a look at one path instead of at the whole tree."""

    def observe_path(self, key: Key) -> Sequence[SeenNode]:
        """The nodes that cover the cached prefix of a key, from the root down; changes nothing."""

    def observe_entry(self, key: Key) -> SeenEntry | None:
        """The least entry of the heap for the node at which a key ends; None if there is none. Only with a heap."""


class Emitting(Protocol):
    """Optional, where the setup asks for events."""

    def take_events(self) -> Sequence[Event]:
        """The KV events since the last call, in order, with ids of its own for the pages. `spec/events/` says what must hold of them."""


class Weighable(Protocol):
    """Optional beside `observe`: what the nodes weigh."""

    def storage(self) -> int:
        """Bytes of slot storage that the nodes keep alive."""


class Instrumented(Protocol):
    """Optional: what was added to the cache so that it can be checked."""

    @property
    def instruments(self) -> Sequence[object]:
        """Objects that a cache in service does not have: what they keep alive is not counted as its memory."""


class Lending(Protocol):
    """Optional, where containers do not reach the caller as they are: in another process."""

    def overwrite(self) -> bool:
        """Overwrite what crossed the border in the last call, as a caller that reuses its buffers does. False: there was nothing."""


class Transparent(Protocol):
    """The optional white box."""

    def observe(self) -> Observation:
        """The inside, between two operations; changes nothing."""

    def locate(self, node: object) -> NodeId | None:
        """The node that a handle (of a match) stands for; None: the root."""
