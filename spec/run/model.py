"""The model: the specification as a cache that anyone can use, with tokens for positions and slots for pages.

It is slow and exact: a mock for the tests of others, and the text to run when a question about a cache comes up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.cache_machine import CALLER, Machine
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.values import (
    BadAmount,
    BadRequest,
    BadSlots,
    Key,
    Match,
    NoRoom,
    NotLocked,
    NotYourSlot,
    RequestExists,
    Row,
    Sizes,
    StaleHandle,
    UnknownRequest,
    check_tokens,
    pages_for,
    shown,
    to_amount,
    to_int,
    to_ints,
    to_key,
)

CALLERS = ("a caller's",)  # the namespace of slots that are allocated and not inserted: no key of a caller has it


class Pool(Protocol):
    """A slot pool: what hands out free slots in whole pages, and takes them back."""

    capacity: int  # slots

    def alloc(self, tokens: int) -> list[int]:
        """Slots of whole pages for `tokens` tokens. Raises NoRoom."""

    def free(self, slots: Sequence[int]) -> None:
        """Take whole pages back."""


class FreePages:
    """The simplest pool: a list of free pages."""

    def __init__(self, capacity: int, page_size: int) -> None:
        self.capacity, self._page_size = capacity, page_size
        self._free = list(range(capacity // page_size))

    def alloc(self, tokens: int) -> list[int]:
        """Slots of the pages that were freed first. Raises NoRoom."""
        count = pages_for(tokens, self._page_size)
        if count > len(self._free):
            raise NoRoom(f"{tokens} tokens needed, {len(self._free) * self._page_size} free")
        taken, self._free = self._free[:count], self._free[count:]
        return [slot for page in taken for slot in range(page * self._page_size, (page + 1) * self._page_size)]

    def free(self, slots: Sequence[int]) -> None:
        """Take whole pages back."""
        self._free += [first // self._page_size for first in slots[:: self._page_size]]


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    """Where a match ended. A node that is evicted and cached again gets another handle."""

    position: int


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """A lock. `holder` is its name in the specification."""

    holder: int


class Model:
    """The specification with the verbs of a cache. A call outside its guard raises a typed error and changes nothing.

    Pages hold `page_size` tokens, the pool `capacity` tokens; keys are tokens with a namespace.

    >>> from radixcheck.spec import Key, Model
    >>> cache = Model(page_size=1, capacity=8)
    >>> cache.insert(Key((1, 2, 3)), cache.alloc(3))  # nothing of it was cached
    0
    >>> found = cache.match(Key((1, 2, 9)))  # splits the node [1 2 3] behind [1 2]
    >>> found.length, found.slots
    (2, [0, 1])
    >>> receipt = cache.lock(found.node)
    >>> cache.sizes()
    Sizes(available=5, evictable=1, protected=2)
    >>> cache.evict(8)  # [1 2] is locked: only the leaf [3] goes
    1
    >>> cache.unlock(receipt)
    >>> cache.evict(8)
    2
    """

    def __init__(self, page_size: int = 1, policy: str = "lru", capacity: int = 64, pool: Pool | None = None) -> None:
        self.page_size = page_size
        self.pool = pool if pool is not None else FreePages(capacity, page_size)
        self.positions = Positions(page_size)
        self.machine = Machine(self.positions, POLICIES[policy], self.pool.capacity // page_size)
        self._handles: dict[int, Handle] = {}
        self._receipts: set[Receipt] = set()
        self._loans: dict[int, int] = {}  # page -> its holder
        self._requests: set[int] = set()
        self._names = -1_000_000  # names of locks and loans, below those of requests

    # Tree verbs.

    def match(self, key: Key) -> Match[list[int]]:
        """Longest cached prefix, in whole pages."""
        found = self.machine.take("match", self.positions.of(to_key(key))).found
        handle = self._handles.setdefault(found, Handle(found))
        pages = [self.machine.state.page[q] for q in self.positions.path(found)]
        return Match(self.positions.length[found], self._slots(pages), handle)

    def peek(self, key: Key) -> int:
        """Length of the longest cached prefix, in tokens."""
        return self.positions.length[self.machine.take("peek", self.positions.of(to_key(key))).found]

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """Cache the whole pages of a key; returns how many tokens were cached already. Their slots stay with the caller."""
        key, slots, priority = to_key(key), to_ints(slots, BadSlots), to_amount(priority)
        whole = self.positions.cut(self.positions.of(key))
        count = self.positions.level[whole]
        pages = self._pages(slots)[:count]
        if len(pages) < count:
            raise BadAmount(f"{len(slots)} slots for {count * self.page_size} tokens")
        if len(set(pages)) < count or any(page not in self._loans for page in pages):
            raise NotYourSlot("a slot given to insert is not the caller's")
        for page in pages:
            self.machine.take("free", self._loans.pop(page))
        present = self.positions.level[self.machine.take("insert", CALLER, whole, priority, pages=pages).found]
        for page in pages[:present]:
            self._lend(page)
        return present * self.page_size

    def lock(self, node: object) -> Receipt:
        """Protect the path to the node of a match."""
        if not isinstance(node, Handle) or self._handles.get(node.position) is not node:
            raise StaleHandle("the node of this handle has left the tree")
        receipt = Receipt(self._name())
        self.machine.take("lock", receipt.holder, node.position)
        self._receipts.add(receipt)
        return receipt

    def unlock(self, receipt: object) -> None:
        """Release one lock."""
        if not isinstance(receipt, Receipt) or receipt not in self._receipts:
            raise NotLocked("this receipt is not of a live lock")
        self._receipts.remove(receipt)
        self.machine.take("unlock", receipt.holder)

    def evict(self, tokens: int) -> int:
        """Evict least leaves until `tokens` are freed or none is evictable; returns tokens freed."""
        return len(self._settle(self.machine.take("evict", to_amount(tokens)).freed)) * self.page_size

    def alloc(self, tokens: int) -> list[int]:
        """Slots for a caller, in whole pages, after evicting the shortfall."""
        room = pages_for(to_amount(tokens), self.page_size) * self.page_size
        if room > self.pool.capacity:  # before a key of this length is made
            raise NoRoom(f"{shown(room)} tokens needed, the pool has {self.pool.capacity}")
        target = self.positions.of(Key((0,) * room, CALLERS))  # the caller's tokens are not known before the insert
        pages, caller = _FromPool(self, room), self._name()
        self.machine.take("alloc", caller, target, pages=pages)
        self.machine.take("free", caller)
        for page in pages.taken:  # which may be given back one by one
            self._lend(page)
        return self._slots(pages.taken)

    def free(self, slots: Sequence[int]) -> None:
        """Take a caller's slots back."""
        pages = self._pages(to_ints(slots, BadSlots))
        if len(set(pages)) < len(pages) or any(page not in self._loans for page in pages):
            raise NotYourSlot("a slot given to free is not the caller's")
        for page in pages:
            self._settle(self.machine.take("free", self._loans.pop(page)).freed)

    def reset(self) -> None:
        """Forget everything."""
        self._settle(self.machine.take("reset").freed)

    def sizes(self) -> Sizes:
        """Tokens available, evictable, protected."""
        s = self.machine.state
        return Sizes(s.available, s.evictable, s.protected)

    # Request verbs.

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """Match, lock, and slots for the rest."""
        request, key, priority = to_amount(request, BadRequest), to_key(key), to_amount(priority)
        if request in self._requests:
            raise RequestExists(f"request {shown(request)} is live")
        position = self.positions.of(key)
        found = self.machine.deepest(self.positions.cut(position))
        need = self.positions.room[position] - self.positions.length[found]
        self.machine.take("start", request, position, priority, pages=_FromPool(self, need))
        self.machine.namespaces[request] = key.namespace
        self._requests.add(request)
        return self.row(request)

    def chunk(self, request: int) -> Row[list[int]]:
        """Cache the whole pages so far."""
        request = self._known(request)
        self._settle(self.machine.take("chunk", request).freed)
        return self.row(request)

    def decode(self, request: int, token: int) -> int:
        """One more token; returns its slot."""
        request, (token,) = self._known(request), check_tokens((token,))
        need = self.page_size if self.positions.whole[self.machine.state.tok[request]] else 0
        self.machine.take("decode", request, self.machine.next_position(request, token), pages=_FromPool(self, need))
        return self.row(request).slots[-1]

    def finish(self, request: int) -> None:
        """Cache the whole pages and unlock."""
        request = self._known(request)
        self._settle(self.machine.take("finish", request).freed)
        self._requests.remove(request)

    def abort(self, request: int) -> None:
        """Unlock and free."""
        request = self._known(request)
        self._settle(self.machine.take("abort", request).freed)
        self._requests.remove(request)

    def row(self, request: int) -> Row[list[int]]:
        """What a live request reads."""
        s, request = self.machine.state, self._known(request)
        tok = s.tok[request]
        slots = self._slots([s.row[request, q] for q in self.positions.path(tok)])
        return Row(self.positions.length[s.at[request]], slots[: self.positions.length[tok]])

    @property
    def requests(self) -> frozenset[int]:
        """The live requests."""
        return frozenset(self._requests)

    # Parts.

    def _known(self, request: int) -> int:
        number = to_int(request, UnknownRequest)
        if number not in self._requests:
            raise UnknownRequest(f"request {shown(request)} is not live")
        return number

    def _name(self) -> int:
        self._names -= 1
        return self._names

    def _lend(self, page: int) -> None:
        """One page becomes a caller's. Each page has a holder of its own."""
        holder = self._loans[page] = self._name()
        self.machine.take("alloc", holder, self.positions.of(Key((0,) * self.page_size, CALLERS)), pages=[page])

    def _settle(self, freed: Sequence[int]) -> Sequence[int]:
        """Give the pages that the last call freed to the pool, and drop the handles of evicted nodes."""
        if freed:
            self.pool.free(self._slots(freed))
        call = self.machine.call
        for gone in list(self._handles) if call.operation == "reset" else call.victims:
            if gone != EPS:
                self._handles.pop(gone, None)
        return freed

    def _pages(self, slots: Sequence[int]) -> list[int]:
        pages = [slots[i] // self.page_size for i in range(0, len(slots), self.page_size)]
        if any(list(slots[i * self.page_size : (i + 1) * self.page_size]) != self._slots([page]) for i, page in enumerate(pages)):
            raise NotYourSlot("slots are given as whole aligned pages, in order")
        return pages

    def _slots(self, pages: Sequence[int]) -> list[int]:
        return [slot for page in pages for slot in range(page * self.page_size, (page + 1) * self.page_size)]


class _FromPool:
    """Pages that are taken from the pool when the machine reaches for them: after it has evicted, not before."""

    def __init__(self, model: Model, tokens: int) -> None:
        self._model, self._tokens = model, tokens
        self.taken: list[int] = []

    def __len__(self) -> int:
        return self._tokens // self._model.page_size

    def __iter__(self) -> Iterator[int]:
        self._model._settle(self._model.machine.call.freed)
        self.taken = self._model._pages(self._model.pool.alloc(self._tokens)) if self._tokens else []
        return iter(self.taken)
