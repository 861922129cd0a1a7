"""Which states count as one: everything that the future can depend on, under names that do not matter.

Kept, for each position of the scope's universe: whether it is cached, whether a node ends there, its lock count, the rank of its
time (and of its creation, under fifo and filo; its hits, capped at 2 under slru and exact under lfu, which therefore never closes;
its priority under priority), the locks and requests that stand there and how far the requests' rows reach, whether the caller's
handle stands there, whether the last start that was refused asked for it, and each entry of the heap: the ranks of its stored key,
its place in the order of the heap, and whether it is current for its node. Entries of nodes that left the tree are kept as well.

Not kept, and why that is sound:

* Times as numbers. Policies compare times and nothing else, and the next tick is later than all: ranks, of times and stored keys
  together, decide every comparison to come.
* Slots. They are names: nothing compares two of them but for equality, and every slot has one place (SLOT_PARTITION, MATCH_SOUND and
  the pool's audit hold in every state that gets here), so that renaming them carries one state into the other.
* Which holder is which: ids are names too. Holders are listed where they stand.
* Tokens: siblings below which the universe is the same shape may trade places, as keys are compared token by token for equality.
* The layout of the heap's array, where entries show serial numbers, so that the order is total, and the array is a heap under it: what
  is popped is then a function of the set of entries. Otherwise the layout is kept.
* The layout of the list of free slots, and what free slots hold: any free slot is as good as another, by the same renaming. The
  capacity of a request's buffers, which changes costs and no answers. That a request's row is the tree's as far as it is locked, and
  its own beyond, is compared at every transition, so that it adds nothing to where the request stands.
* Attributes that the policy does not read, and the order of a node's children. That a cache does not read them either is what ORDER
  says: the victims are those of the policy. This, and that names are names, is *assumed* of a wrong cache: a fault that depends on
  them may be missed, and the shortest trace is the shortest up to such renaming. `tests/verification/explore/test_explore.py`
  drops every one of these reductions at a smaller bound and finds the same behaviour.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.values import Key
from radixcheck.verification.checker.blame import SOFT
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.explore.scopes import Scope
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry

HITS_CAP = 2  # of slru: from here on a node is in the protected segment


class Universe:
    """The positions of a scope, with the shape of the tree below each."""

    def __init__(self, scope: Scope, positions: Positions) -> None:
        self.scope, self.positions = scope, positions
        size = positions.page_size
        self.keys = {positions.of(scope.key(letters, size)) for letters in scope.keys}
        self.children: dict[int, list[int]] = {EPS: []}
        waiting = [q for end in self.keys for q in positions.path(end)]
        for q in waiting:  # which grows as it is walked
            if q in self.children:
                continue
            self.children[q] = []
            above = positions.prev[q]
            self.children[above].append(q)
            if scope.requests:
                waiting += [after for token in (0, 1) if (after := self.decoded(q, token)) is not None]
        self.shape: dict[int, int] = {}
        self._shapes: dict[tuple[object, ...], int] = {}
        self._label(EPS)

    def decoded(self, tail: int, token: int) -> int | None:
        """Where a request's row ends after one more token; None beyond the bound. All tokens of a page but the last are 0."""
        p = self.positions
        key = Key((*p.tokens(tail), token))
        last = len(key.tokens) % p.page_size == 0
        return p.of(key) if len(key.tokens) <= self.scope.pages * p.page_size and (last or token == 0) else None

    def _label(self, q: int) -> int:
        below = sorted(self._label(child) for child in self.children[q])
        shape = (q in self.keys, self.positions.whole[q], *below)
        self.shape[q] = self._shapes.setdefault(shape, len(self._shapes))
        return self.shape[q]


class Canonical(NamedTuple):
    """A state under canonical names, and the positions that an equal sibling replaces (their twin)."""

    form: bytes
    twins: frozenset[int]


Stamp = tuple[float, float]  # tick, and reading within it
Marks = dict[int, list[int]]  # position -> what is there

UNCACHED, INSIDE, NODE = 0, 1, 2
ATTRIBUTES = tuple(SOFT)
BASE = 250
HANDLE, LOCK, REQUEST, ENTRY, READINGS, REFUSED = range(BASE, 256)


class Canon:
    """Makes the canonical form of the state that a checker has observed."""

    def __init__(self, universe: Universe, policy: str) -> None:
        self._universe = universe
        self._sign = {"lru": 1, "fifo": 1, "filo": -1, "mru": -1}.get(policy, 0)  # 0: the first key is no time
        self._read = {"fifo": "creation", "filo": "creation", "lfu": "hits", "slru": "hits", "priority": "priority"}.get(policy, "time")
        self.reads = frozenset({"time", self._read})  # attributes
        self._cap = HITS_CAP if policy == "slru" else BASE**2 - 1  # more than an exploration of operations one by one can reach

    def __call__(self, checker: Checker, handle: int | None, refused: int | None = None) -> Canonical:
        """Return the form of the present state.

        `handle`: where the caller's last match ended, if that node is still in the tree; `refused`: the end of the key of the last
        start that was refused, while none with that key was admitted.
        """
        state = checker.seen if checker.transparent else checker.oracle.model.state
        marks: Marks = {q: [INSIDE] for q in state.cached}
        gone = self._nodes(marks, state, checker)
        if handle is not None:
            marks.setdefault(handle, [UNCACHED]).append(HANDLE)
        if refused is not None:
            marks.setdefault(refused, [UNCACHED]).append(REFUSED)
        if state.held:
            level, locks = checker.oracle.positions.level, checker.oracle.locks
            holders = [(LOCK if h in locks else REQUEST, level[state.at[h]], state.request_priority[h], state.tok[h]) for h in state.held]
            for kind, depth, urgency, tok in sorted(holders):
                marks.setdefault(tok, [UNCACHED]).extend((kind, depth, urgency))
        deviating = [ATTRIBUTES.index(name) for name in sorted(checker.tainted)]  # formulas that read these are silent from now on
        twins: set[int] = set()
        form = self._encode(EPS, marks, twins)
        return Canonical(bytes((len(deviating), *deviating, len(gone), *gone)) + form, frozenset(twins))

    def _encode(self, q: int, marks: Marks, twins: set[int]) -> bytes:
        """Return the form of a position and all below it; equal for states that differ only in the order of equal siblings."""
        below: list[bytes] = []
        for child in self._universe.children[q]:
            encoded = self._encode(child, marks, twins)
            if encoded in below:
                twins.add(child)
            below.append(encoded)
        below.sort()
        own = marks.get(q, ())
        return bytes((self._universe.shape[q], len(own), *own)) + b"".join(below)

    def _nodes(self, marks: Marks, s: State, checker: Checker) -> list[int]:
        """Mark the nodes and the entries of the heap; return the marks of entries whose node has left the tree."""
        shown, places, known = checker.observation, checker.abstraction.places, checker.abstraction.clock.known
        raw = {places[n.name]: n.time for n in shown.nodes} if shown and "time" not in checker.hidden else {}
        times: dict[int, Stamp] = {n: (tick, raw.get(n, 0)) for n, tick in s.time.items() if n in s.node}
        stamps = set(times.values())
        created = {n: (s.creation[n], 0) for n in s.node} if self._read == "creation" else {}
        stamps.update(created.values())
        entries = _in_order(shown) if shown and shown.heap else ()
        keys = [self._key(entry, known) for entry in entries]
        for first, second in keys:
            stamps.update((first, second) if self._sign else (second,))
        rank = {stamp: i for i, stamp in enumerate(sorted(stamps))}
        for n in s.node:
            marks[n] = [NODE, s.lock[n], rank[times[n]]]
            if created:
                marks[n].append(rank[created[n]])
            elif self._read != "time":
                marks[n].extend(divmod(min(getattr(s, self._read)[n], self._cap), BASE))
        gone, names = list[int](), dict[NodeId, int]()
        for place, (entry, (first, second)) in enumerate(zip(entries, keys, strict=True)):
            mark = (ENTRY, *((rank[first],) if self._sign else divmod(int(first[0]), BASE)), rank[second], place, entry.speaks)
            if entry.node in places:
                marks.setdefault(places[entry.node], [UNCACHED]).extend(mark)
            else:
                gone.extend((*mark, names.setdefault(entry.node, len(names))))
        ticks = [tick for tick, _ in sorted(stamps)]
        if len(set(ticks)) < len(ticks):  # several readings in one operation: which of them the specification takes as one
            gone += [READINGS, *(a == b for a, b in pairwise(ticks))]
        return gone

    def _key(self, entry: SeenEntry, known: Mapping[float, float]) -> tuple[Stamp, Stamp]:
        """A stored key, with the ticks in which its times were read."""
        first, second = self._sign * entry.key[0], entry.key[1]
        if not self._sign:
            return (entry.key[0], 0), (known.get(second, 0), second)
        if self._read == "creation":
            return (known.get(first, 0), 0), (known.get(second, 0), second)
        return (known.get(first, 0), first), (known.get(second, 0), second)


def _in_order(shown: Observation) -> Sequence[SeenEntry]:
    """The entries in the order in which they surface; in that of the array where keys and numbers do not say it."""
    heap = shown.heap or ()
    total = len({entry.serial for entry in heap}) == len(heap)
    if total and shown.in_order(lambda entry: (entry.key, entry.serial)):
        return sorted(heap, key=lambda entry: (entry.key, entry.serial))
    return heap
