"""The canonical form of a state: everything that future operations can depend on, under names that do not matter.

Kept, for each position of the scope's universe: whether it is cached, whether a node ends there, its lock count, the rank of its
time (and of its creation, under fifo and filo; its hits, capped at 2 under slru and exact under lfu, which therefore never closes;
its priority under priority), the locks and requests that end there and how far the requests' rows reach, whether the caller's
handle is of that node, whether the last start that was refused had that key, what the caller keeps of loans and (in a scope of edges) from
before the last reset, and each entry of the heap: the ranks of its stored key,
its place in the order of the heap, and whether it is current for its node. Entries of nodes that left the tree are kept as well.

With a host tier also: which tiers have each node, its pins, which requests run, and the copies in the order of their issue with what became
of each: in flight, arrived or failed. The entries of a second heap, of host leaves, are kept as those of the first.

Not kept, and why that is sound:

* Times as numbers. Policies compare times and nothing else, and the next tick is later than all: the ranks of times and stored keys
  together decide every comparison to come.
* Slots. They are names: two of them are compared for equality only, and every slot has one place (SLOT_PARTITION, MATCH_SOUND and
  the pool's audit hold in every state that gets here), so that renaming them carries one state into the other.
* The ids of holders: they are names too. Holders are listed by position.
* Tokens: siblings below which the universe has the same shape may be exchanged, as keys are compared token by token for equality.
* The layout of the heap's array, if entries show serial numbers, so that the order is total, and the array is a heap in that order: the
  entry that is popped is then a function of the set of entries. Otherwise the layout is kept.
* The layout of the list of free slots, and the content of free slots: any free slot is as good as another, by the same renaming. The
  capacity of a request's buffers, which changes costs and no answers. The row of a request: that it is the tree's as far as the request
  locks it, and its own beyond, is compared at every transition, so that the row adds nothing to the position of the request.
* Attributes that the policy does not read, and the order of a node's children. That a cache does not read them either follows from
  ORDER: the victims are those of the policy. For a wrong cache this, and that names are names, is *assumed*: a fault that depends on
  them may be missed, and the shortest trace is the shortest up to such renaming. `tests/verification/explore/test_explore_sound.py`
  drops every one of these reductions at a smaller bound and finds the same behaviour.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.values import Key
from radixcheck.verification.checker.abstraction import KEY_SIGNS
from radixcheck.verification.checker.blame import SOFT
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.run_parts import HostParts
from radixcheck.verification.explore.scopes import Scope
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry, in_order

HITS_CAP = 2  # of slru: with this many hits a node is in the protected segment


class Universe:
    """The positions of a scope in one intern table, with the shape of the universe below each."""

    def __init__(self, scope: Scope, positions: Positions) -> None:
        self.scope, self.positions = scope, positions
        size = positions.page_size
        self.keys = {positions.of(scope.key(letters, size)) for letters in scope.keys}
        self.children: dict[int, list[int]] = {EPS: []}
        waiting = [q for end in self.keys for q in positions.path(end)]
        if scope.requests and EPS in self.keys:
            waiting += [after for token in (0, 1) if (after := self.decoded(EPS, token)) is not None]
        for q in waiting:  # the list grows during the loop
            if q in self.children:
                continue
            self.children[q] = []
            above = positions.prev[q]
            self.children[above].append(q)
            if scope.requests:
                waiting += [after for token in (0, 1) if (after := self.decoded(q, token)) is not None]
        self.shape: dict[int, int] = {}
        self._shapes: dict[tuple[object, ...], int] = {}
        self._set_shape(EPS)

    def decoded(self, tail: int, token: int) -> int | None:
        """Return the end of a request's row after one more token; None beyond the bound. All tokens of a page but the last are 0."""
        p = self.positions
        key = Key((*p.tokens(tail), token))
        last = len(key.tokens) % p.page_size == 0
        return p.of(key) if len(key.tokens) <= self.scope.pages * p.page_size and (last or token == 0) else None

    def _set_shape(self, q: int) -> int:
        below = sorted(self._set_shape(child) for child in self.children[q])
        shape = (q in self.keys, self.positions.whole[q], *below)
        self.shape[q] = self._shapes.setdefault(shape, len(self._shapes))
        return self.shape[q]


class Canonical(NamedTuple):
    """A state under canonical names, and the positions that have a twin: an equal sibling that is explored in their place."""

    form: bytes
    twins: frozenset[int]


Stamp = tuple[float, float]  # tick, and reading within it
Labels = dict[int, list[int]]  # position -> what is kept of it
Places = Mapping[NodeId | None, int]  # node -> the position at which it ends

UNCACHED, INSIDE, NODE = 0, 1, 2
ATTRIBUTES = tuple(SOFT)
BASE = 250
LENT = BASE - 1  # before what a caller keeps
HANDLE, LOCK, REQUEST, ENTRY, READINGS, REFUSED = range(BASE, 256)
COPY = LENT - 1
HOST_ENTRY = COPY - 1
RUNS = 8  # below REQUEST: a request that runs


class Heap(NamedTuple):
    """The entries of a heap in their order, and their keys."""

    kind: int  # ENTRY, or HOST_ENTRY of the heap of host leaves
    entries: Sequence[SeenEntry]
    keys: Sequence[tuple[Stamp, Stamp]]


class Canon:
    """Builds the canonical form of the state that a checker has just observed."""

    def __init__(self, universe: Universe, policy: str) -> None:
        self._universe = universe
        self._sign = KEY_SIGNS.get(policy, 0)  # 0: the first part of a heap key is no time
        self._read = {"fifo": "creation", "filo": "creation", "lfu": "hits", "slru": "hits", "priority": "priority"}.get(policy, "time")
        self.reads = frozenset({"time", self._read})  # attributes
        self._cap = HITS_CAP if policy == "slru" else BASE**2 - 1  # more than an exploration of operations one by one can reach

    def __call__(self, checker: Checker, handle: int | None, refused: int | None = None, old: int | None = None) -> Canonical:
        """Return the canonical form of the present state.

        `handle`: the end of the caller's last match, if that node is still in the tree; `old`: that of its last match, if it was before the
        last reset; `refused`: the end of the key of the last start
        that was refused, if no start with that key has been admitted since.
        """
        state = checker.seen if checker.transparent else checker.oracle.model.state
        labels: Labels = {q: [INSIDE] for q in state.cached}
        gone = self._nodes(labels, state, checker)
        if handle is not None:
            labels.setdefault(handle, [UNCACHED]).append(HANDLE)
        if old is not None:
            labels.setdefault(old, [UNCACHED]).extend((HANDLE, HANDLE))
        if self._universe.scope.edges:
            labels.setdefault(EPS, []).extend(_kept(checker))
        if refused is not None:
            labels.setdefault(refused, [UNCACHED]).append(REFUSED)
        if state.held:
            _holders(labels, state, checker)
        if checker.host and isinstance(state, HostState):
            _tiers(labels, state, checker.host)
        deviated = [ATTRIBUTES.index(name) for name in sorted(checker.tainted)]  # formulas that read these are not evaluated any more
        twins: set[int] = set()
        form = self._encode(EPS, labels, twins)
        return Canonical(bytes((len(deviated), *deviated, len(gone), *gone)) + form, frozenset(twins))

    def _encode(self, q: int, labels: Labels, twins: set[int]) -> bytes:
        """One position and all below it: equal for states that differ only in the exchange of two siblings of the same shape."""
        below: list[bytes] = []
        for child in self._universe.children[q]:
            encoded = self._encode(child, labels, twins)
            if encoded in below:
                twins.add(child)
            below.append(encoded)
        below.sort()
        own = labels.get(q, ())
        return bytes((self._universe.shape[q], len(own), *own)) + b"".join(below)

    def _nodes(self, labels: Labels, s: State, checker: Checker) -> list[int]:
        """Label the nodes and the entries of the heap. Return the labels of entries whose node has left the tree."""
        times, created = _times(s, checker), {n: (s.creation[n], 0.0) for n in s.node} if self._read == "creation" else {}
        known, seen = checker.abstraction.clock.known, checker.observation
        heaps = [Heap(kind, found, [self._key(e, known) for e in found]) for kind, found in (_heaps(seen) if seen else ())]
        stamps = {*times.values(), *created.values()}
        for first, second in (key for heap in heaps for key in heap.keys):
            stamps.update((first, second) if self._sign else (second,))
        rank = {stamp: i for i, stamp in enumerate(sorted(stamps))}
        for n in s.node:
            labels[n] = [NODE, s.lock[n], rank[times[n]], *((rank[created[n]],) if created else self._number(s, n))]
        names = dict[NodeId, int]()  # of nodes that have left the tree
        gone = [label for heap in heaps for label in self._entries(labels, heap, rank, checker.abstraction.places, names)]
        return gone + _readings(stamps)

    def _number(self, s: State, n: int) -> Iterable[int]:
        """The number that the policy reads of a node besides its times, in two digits."""
        return () if self._read == "time" else divmod(min(getattr(s, self._read)[n], self._cap), BASE)

    def _entries(self, labels: Labels, heap: "Heap", rank: Mapping[Stamp, int], places: Places, names: dict[NodeId, int]) -> list[int]:
        """Label the entries of a heap. Return the labels of those whose node has left the tree."""
        gone = list[int]()
        for place, (entry, (first, second)) in enumerate(zip(heap.entries, heap.keys, strict=True)):
            label = (heap.kind, *((rank[first],) if self._sign else divmod(int(first[0]), BASE)), rank[second], place, entry.speaks)
            if entry.node in places:
                labels.setdefault(places[entry.node], [UNCACHED]).extend(label)
            else:
                gone.extend((*label, names.setdefault(entry.node, len(names))))
        return gone

    def _key(self, entry: SeenEntry, known: Mapping[float, float]) -> tuple[Stamp, Stamp]:
        """Return a stored key, with the ticks in which its times were read."""
        first, second = self._sign * entry.key[0], entry.key[1]
        if not self._sign:
            return (entry.key[0], 0), (known.get(second, 0), second)
        if self._read == "creation":
            return (known.get(first, 0), 0), (known.get(second, 0), second)
        return (known.get(first, 0), first), (known.get(second, 0), second)


def _times(s: State, checker: Checker) -> dict[int, Stamp]:
    shown, places = checker.observation, checker.abstraction.places
    raw = {places[n.name]: n.time for n in shown.nodes} if shown and "time" not in checker.hidden else {}
    return {n: (tick, raw.get(n, 0)) for n, tick in s.time.items() if n in s.node}


def _kept(checker: Checker) -> Iterable[int]:
    """Label what a caller keeps: the pages of each loan (for which tokens it was made does not matter), and whether it has receipts."""
    oracle = checker.oracle
    return LENT, *sorted(map(len, oracle.loans.values())), LENT, bool(oracle.released), any(map(oracle.is_free, oracle.old_receipts))


def _holders(labels: Labels, s: State, checker: Checker) -> None:
    level, locks, loans = checker.oracle.positions.level, checker.oracle.locks, checker.oracle.loans
    host = checker.host
    copies, running = (host.oracle.model.copies, host.oracle.model.state.running) if host else ((), ())
    holders = [
        ((LOCK if h in locks else REQUEST) - RUNS * (h in running), level[s.at[h]], s.request_priority[h], s.tok[h])
        for h in s.held
        if h not in loans and h not in copies
    ]
    for kind, depth, priority, tok in sorted(holders):
        labels.setdefault(tok, [UNCACHED]).extend((kind, depth, priority))


def _tiers(labels: Labels, s: HostState, host: HostParts) -> None:
    """Label which tiers have a node, its pins, and the copies in the order of their issue, with what became of each.

    Slots are names here too. Which of them are not filled follows from the copies (ARRIVAL, HOST_ARRIVAL).
    """
    level = host.oracle.positions.level
    if host.engine.copier.next_fails:
        labels.setdefault(EPS, []).append(COPY)
    for n in s.node:
        labels[n].extend((n in s.resident, n in s.hosted, s.pins[n]))
    for place, (_, (ticket, h)) in enumerate(sorted(host.oracle.tickets.items())):
        label = (COPY, place, ticket.up, level[s.floor[h]], ticket.done, ticket.failed)
        labels.setdefault(s.aim[h], [UNCACHED]).extend(label)


def _readings(stamps: Iterable[Stamp]) -> list[int]:
    """Which neighbouring stamps have the same tick, if an operation has read the clock several times; else nothing."""
    ticks = [tick for tick, _ in sorted(stamps)]
    return [READINGS, *(a == b for a, b in pairwise(ticks))] if len(set(ticks)) < len(ticks) else []


def _heaps(shown: Observation) -> Iterable[tuple[int, Sequence[SeenEntry]]]:
    """Yield the entries of each heap."""
    yield ENTRY, _in_order(shown.heap or (), shown.queued)
    yield HOST_ENTRY, _in_order(shown.host_heap or (), shown.host_queued)


def _in_order(heap: Sequence[SeenEntry], queued: int) -> Sequence[SeenEntry]:
    """Return the entries in the order in which they are popped; in that of the array if keys and serial numbers do not determine it."""
    total = len({entry.serial for entry in heap}) == len(heap)
    if total and in_order(heap, queued, lambda entry: (entry.key, entry.serial)):
        return sorted(heap, key=lambda entry: (entry.key, entry.serial))
    return heap
