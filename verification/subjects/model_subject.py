"""The model as a subject: the specification itself behind the protocol, with tokens and slots instead of positions and pages.

It is the oracle of the checks, so checking it says only that the harness agrees with itself; as a cache it is a slow, exact mock for
other people's tests. What a caller has allocated and not yet inserted is modelled as one holder for each page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.model import Model
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.values import (
    BadAmount,
    Key,
    Match,
    NotLocked,
    NotYourSlot,
    RequestExists,
    Row,
    Sizes,
    StaleHandle,
    UnknownRequest,
    check_tokens,
    pages_for,
)
from radixcheck.verification.protocol import Observation, SeenNode, SeenRequest, Setup, Supports


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    """Where a match ended; one object for each life of a node."""

    position: int


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """A lock; `holder` is its name in the specification."""

    holder: int


class ModelSubject:
    """The model with the verbs of a cache."""

    supports = Supports()

    def __init__(self, setup: Setup) -> None:
        self.page_size, self.pool = setup.page_size, setup.pool
        self.positions = Positions(setup.page_size)
        self.model = Model(self.positions, POLICIES[setup.policy], setup.pool.capacity // setup.page_size)
        self._handles: dict[int, Handle] = {}
        self._receipts: set[Receipt] = set()
        self._loans: dict[int, int] = {}  # page -> its holder
        self._requests: set[int] = set()
        self._names = -1_000_000  # names of locks and loans, below those of requests

    # Tree verbs.

    def match(self, key: Key) -> Match[list[int]]:
        """Longest cached prefix."""
        check_tokens(key.tokens)
        found = self.model.match(self.positions.of(key)).found
        handle = self._handles.setdefault(found, Handle(found))
        return Match(self.positions.length[found], self._slots(self._pages_to(found)), handle)

    def peek(self, key: Key) -> int:
        """Length of the longest cached prefix."""
        check_tokens(key.tokens)
        return self.positions.length[self.model.peek(self.positions.of(key)).found]

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """Cache the whole pages of a key; returns what was present."""
        check_tokens(key.tokens)
        if priority < 0:
            raise BadAmount(f"priority {priority} is negative")
        whole = self.positions.cut(self.positions.of(key))
        count = self.positions.level[whole]
        pages = self._pages(slots)[:count]
        present = self.positions.level[self.model.deepest(whole)]
        if len(pages) < count:
            raise BadAmount(f"{len(slots)} slots for {count * self.page_size} tokens")
        if len(set(pages)) < count or any(page not in self._loans for page in pages):
            raise NotYourSlot("a slot given to insert is not the caller's")
        for page in pages:
            self.model.free(self._loans.pop(page))
        self.model.insert(whole, pages, priority)
        for page in pages[:present]:
            self._lend(page)
        return present * self.page_size

    def lock(self, node: object) -> Receipt:
        """Protect the path of a match."""
        if not isinstance(node, Handle) or self._handles.get(node.position) is not node:
            raise StaleHandle("the node of this handle has left the tree")
        receipt = Receipt(self._name())
        self.model.lock(receipt.holder, node.position)
        self._receipts.add(receipt)
        return receipt

    def unlock(self, receipt: object) -> None:
        """Release one lock."""
        if not isinstance(receipt, Receipt) or receipt not in self._receipts:
            raise NotLocked("this receipt is not of a live lock")
        self._receipts.remove(receipt)
        self.model.unlock(receipt.holder)

    def evict(self, tokens: int) -> int:
        """Evict least leaves; returns tokens freed."""
        return len(self._settle(self.model.evict(tokens).freed)) * self.page_size

    def alloc(self, tokens: int) -> list[int]:
        """Slots for a caller, after evicting the shortfall."""
        if tokens < 0:
            raise BadAmount(f"cannot allocate {tokens} tokens")
        room = pages_for(tokens, self.page_size) * self.page_size
        self._settle(self.model.evict(self.model.shortfall(room)).freed)
        slots = self.pool.alloc(room)
        for page in self._pages(slots):
            self._lend(page)
        return slots

    def free(self, slots: Sequence[int]) -> None:
        """Take a caller's slots back."""
        pages = self._pages(slots)
        if any(page not in self._loans for page in pages):
            raise NotYourSlot("a slot given to free is not the caller's")
        for page in pages:
            self._settle(self.model.free(self._loans.pop(page)).freed)

    def reset(self) -> None:
        """Forget everything."""
        self._settle(self.model.reset().freed)

    def sizes(self) -> Sizes:
        """Tokens available, evictable, protected."""
        s = self.model.state
        return Sizes(s.available, s.evictable, s.protected)

    # Request verbs.

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """Match, lock, and slots for the rest."""
        check_tokens(key.tokens)
        if request in self._requests:
            raise RequestExists(f"request {request} is live")
        if priority < 0:
            raise BadAmount(f"priority {priority} is negative")
        position = self.positions.of(key)
        found = self.model.deepest(self.positions.cut(position))
        need = self.positions.room[position] - self.positions.length[found]
        self.model.start(request, position, priority, _FromPool(self, need), key.namespace)
        self._requests.add(request)
        return self._row(request)

    def chunk(self, request: int) -> Row[list[int]]:
        """Cache the whole pages so far."""
        self._known(request)
        self._settle(self.model.chunk(request).freed)
        return self._row(request)

    def decode(self, request: int, token: int) -> int:
        """One more token; returns its slot."""
        self._known(request)
        check_tokens((token,))
        state = self.model.state
        need = self.page_size if self.positions.whole[state.tok[request]] else 0
        self.model.decode(request, token, _FromPool(self, need))
        return self._row(request).slots[-1]

    def finish(self, request: int) -> None:
        """Cache the whole pages and unlock."""
        self._known(request)
        self._settle(self.model.finish(request).freed)
        self._requests.remove(request)

    def abort(self, request: int) -> None:
        """Unlock and free."""
        self._known(request)
        self._settle(self.model.abort(request).freed)
        self._requests.remove(request)

    # White box.

    def observe(self) -> Observation:
        """The state of the specification, in tokens and slots."""
        s, p, size = self.model.state, self.positions, self.page_size
        nodes = []
        for n in sorted(s.node, key=p.level.__getitem__):
            path = p.path(n)[p.level[s.up[n]] :]
            segment = tuple(t for q in path for t in p.page[q])
            slots = self._slots([s.page[q] for q in path])
            parent = None if s.up[n] == EPS else s.up[n]
            seen = SeenNode(
                n, parent, segment, slots, p.namespace[n], segment[:size], s.lock[n], s.time[n], s.creation[n], s.hits[n], s.priority[n]
            )
            nodes.append(seen)
        rows = {}
        for h in self._requests:
            at = s.at[h]
            rows[h] = SeenRequest(None if at == EPS else at, p.length[at], self._row(h).slots)
        return Observation(s.now, nodes, rows)

    def locate(self, node: object) -> int | None:
        """The node of a handle."""
        assert isinstance(node, Handle)
        return None if node.position == EPS else node.position

    # Parts.

    def _known(self, request: int) -> None:
        if request not in self._requests:
            raise UnknownRequest(f"request {request} is not live")

    def _name(self) -> int:
        self._names -= 1
        return self._names

    def _lend(self, page: int) -> None:
        """One page becomes a caller's: a holder of its own, with tokens that nobody can ask for."""
        holder = self._loans[page] = self._name()
        nowhere = self.positions.link(EPS, (0,) * self.page_size, ("lent", page))
        self.model.alloc(holder, nowhere, [page])

    def _settle(self, freed: Sequence[int]) -> Sequence[int]:
        """Tell the pool what the last operation freed, and drop the handles of evicted nodes."""
        if freed:
            self.pool.free(self._slots(freed))
        call = self.model.call
        for gone in list(self._handles) if call.operation == "reset" else call.victims:
            if gone != EPS:
                self._handles.pop(gone, None)
        return freed

    def _pages(self, slots: Sequence[int]) -> list[int]:
        pages = [slots[i] // self.page_size for i in range(0, len(slots), self.page_size)]
        if any(list(slots[i * self.page_size :][: self.page_size]) != self._slots([page]) for i, page in enumerate(pages)):
            raise NotYourSlot("slots are given as whole aligned pages, in order")
        return pages

    def _slots(self, pages: Sequence[int]) -> list[int]:
        return [slot for page in pages for slot in range(page * self.page_size, (page + 1) * self.page_size)]

    def _pages_to(self, position: int) -> list[int]:
        return [self.model.state.page[q] for q in self.positions.path(position)]

    def _row(self, request: int) -> Row[list[int]]:
        s = self.model.state
        tok = s.tok[request]
        slots = self._slots([s.row[request, q] for q in self.positions.path(tok)])
        return Row(self.positions.length[s.at[request]], slots[: self.positions.length[tok]])


class _FromPool:
    """Pages that are asked of the pool when the specification reaches for them: after it has evicted, not before."""

    def __init__(self, subject: ModelSubject, tokens: int) -> None:
        self._subject, self._tokens = subject, tokens

    def __len__(self) -> int:
        return self._tokens // self._subject.page_size

    def __iter__(self) -> Iterator[int]:
        self._subject._settle(self._subject.model.call.freed)
        return iter(self._subject._pages(self._subject.pool.alloc(self._tokens)) if self._tokens else ())


def model_subject(setup: Setup) -> ModelSubject:
    """The model under a setup."""
    return ModelSubject(setup)
