"""The model: the specification run as a cache, on positions.

Every operation is a fixed chain of transitions. Nothing is searched for: the chain is a function of the state and the arguments, and
the only free choice, which free pages are handed out, is an argument (`pages`). A wrong chain is refused by a guard.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from heapq import heapify, heappop, heappush
from typing import Any, Protocol

from radixcheck.spec.logic import var
from radixcheck.spec.policies import Policy
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import row_of, run, tuples
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import POS, candidate
from radixcheck.spec.transitions import BEGIN, EVICT, EXTEND, FILL, GROW, RELEASE, RELOCK, RESET, SPLIT, TOUCH, Transition
from radixcheck.spec.values import BadAmount, Namespace, NoRoom, StillHeld

CALLER = -1  # the holder that stands for the caller of a raw insert, within that one call


@dataclass(slots=True)
class Call:
    """One operation as postconditions speak of it; their parameters have the same names."""

    operation: str
    key: int = EPS
    found: int = EPS
    used: int = EPS
    hit: int = 0
    rank: int = 0
    wanted: int = 0
    last_size: int = 0
    h: int = CALLER
    victims: list[int] = field(default_factory=list)  # nodes, in the order of their eviction
    freed: list[int] = field(default_factory=list)  # pages, in order
    taken: int = 0  # pages handed out


class Pages(Protocol):
    """Free pages in the order in which they are taken. They may be chosen late: they are first asked for after the eviction."""

    def __len__(self) -> int:
        """How many."""

    def __iter__(self) -> Iterator[int]:
        """Each, once."""


@cache
def _order(policy: Policy) -> tuple[Callable[[State], list[Any]], Callable[[State, int], Any]]:
    """Every evictable leaf behind its key, and the same for one node; compiled once."""
    n = var("n", POS)
    ranked: Callable[[State], list[Any]] = tuples(n, candidate(n), (*policy.key(n), n))
    key: Callable[[State, int], Any] = row_of(n, (*policy.key(n), n))
    return ranked, key


class Model:
    """A cache of `pages` pages under one policy. Operations raise the typed errors of `radixcheck.spec.values`."""

    def __init__(self, positions: Positions, policy: Policy, pages: int) -> None:
        self.positions = positions
        self.policy = policy
        self.state = State(positions, pages)
        self.call = Call("reset")  # the operation in progress, or the last one
        self.namespaces: dict[int, Namespace] = {}  # of requests, the last ones of these numbers
        self.ranked, self._key = _order(policy)  # every evictable leaf behind its key; the same for one node

    def deepest(self, key: int) -> int:
        """The longest cached prefix of a position. What is cached is closed under prefixes, so bisection finds it."""
        path, cached = self.positions.ancestors[key], self.state.cached
        low, high = 0, len(path) - 1  # path[low] is cached or the root; nothing behind path[high] is
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if path[middle] in cached else (low, middle - 1)
        return path[low]

    def nodes_to(self, position: int) -> list[int]:
        """The nodes that lie wholly on the way to a position, from the root down."""
        s, p = self.state, self.positions
        last = self.deepest(position)
        n = s.end.get(last, EPS)
        if not p.le(n, position):
            n = s.up[n]
        nodes = []
        while n != EPS:
            nodes.append(n)
            n = s.up[n]
        return nodes[::-1]

    def path_evictable(self, position: int) -> int:
        """Evictable tokens on the path to a cached position: what locking it would protect."""
        s, above = self.state, EPS
        tokens = 0
        for p in self.positions.path(position):
            if p in s.node or p == position:
                if s.lock[s.end[p]] == 0:
                    tokens += self.positions.length[p] - self.positions.length[above]
                above = p
        return tokens

    def step(self, transition: Transition, *arguments: int) -> None:
        """Take one transition."""
        run(transition, self.state, *arguments)

    def _say(self, call: Call) -> Call:
        self.call = call
        return call

    def shortfall(self, tokens: int, spared: int = 0) -> int:
        """Tokens to evict before `tokens` can be allocated, `spared` evictable tokens left alone. Raises NoRoom."""
        if tokens > self.state.available + self.state.evictable - spared:
            raise NoRoom(f"{tokens} tokens needed, {self.state.available} free and {self.state.evictable - spared} evictable")
        return max(0, tokens - self.state.available)

    # Tree operations.

    def match(self, key: int) -> Call:
        """Longest cached prefix: split where it ends inside a node, then touch the path. Refreshes times, counts no hit."""
        key = self.positions.cut(key)
        found = self._stand_at(self.deepest(key))
        self.step(TOUCH, found, 0, 0)
        return self._say(Call("match", key, found, used=found))

    def peek(self, key: int) -> Call:
        """What a match would find; changes nothing."""
        key = self.positions.cut(key)
        return self._say(Call("peek", key, self.deepest(key)))

    def insert(self, key: int, pages: Pages, rank: int) -> Call:
        """The caller fills `pages` with the whole pages of the key and gives them; duplicates go back. Counts one hit."""
        key = self.positions.cut(key)
        call = self._say(Call("insert", key, self.deepest(key), used=key, hit=1, rank=rank))
        self._take(CALLER, EPS, rank, key, pages)
        self._cache(call, CALLER)
        self._release(call, CALLER)
        return call

    def lock(self, h: int, node: int) -> Call:
        """Protect the path to a node; `h` is the receipt."""
        self.step(BEGIN, h, node, 0)
        return self._say(Call("lock", found=node, h=h))

    def unlock(self, h: int) -> Call:
        """Release one lock."""
        return self._end("unlock", h)

    def evict(self, wanted: int) -> Call:
        """Evict least leaves until `wanted` tokens are freed or none is evictable."""
        if wanted < 0:
            raise BadAmount(f"cannot evict {wanted} tokens")
        call = self._say(Call("evict", wanted=wanted))
        self._evict(call)
        return call

    def alloc(self, h: int, key: int, pages: Pages) -> Call:
        """A caller gets slots and fills them with `key`, after the shortfall is evicted."""
        call = self._say(Call("alloc", key, h=h))
        call.wanted = self.shortfall(self.positions.room[key])
        self._evict(call)
        self._take(h, EPS, 0, key, pages)
        return call

    def free(self, h: int) -> Call:
        """A caller gives its slots back."""
        return self._end("free", h)

    def reset(self) -> Call:
        """Forget everything. Refused while anything is held."""
        call = self._say(Call("reset", freed=list(self.state.page.values())))
        if self.state.held:
            raise StillHeld(f"{len(self.state.held)} holders are live")
        self.step(RESET)
        return call

    # Request operations.

    def start(self, h: int, key: int, rank: int, pages: Pages, namespace: Namespace = ()) -> Call:
        """Match, lock, alloc the rest after evicting its shortfall; refused as a whole when that cannot be. The namespace is that of the
        key: an empty one is the root, which is in none, and what is decoded behind it is in that of its request.
        """
        whole = self.positions.cut(key)
        found = self.deepest(whole)
        need = self.positions.room[key] - self.positions.length[found]
        call = self._say(Call("start", whole, found, used=found, h=h))
        call.wanted = self.shortfall(need, self.path_evictable(found))
        self._stand_at(found)
        self.step(TOUCH, found, 0, 0)
        self.step(BEGIN, h, found, rank)
        self._evict(call)
        self._extend(h, key, pages)
        self.namespaces[h] = namespace
        return call

    def chunk(self, h: int) -> Call:
        """Cache the whole pages so far; adopt what is cached already, give the duplicates back, lock the deeper node."""
        s = self.state
        key = self.positions.cut(s.tok[h])
        call = self._say(Call("chunk", key, key, used=key, rank=s.urgency[h], h=h))
        self._cache(call, h)
        return call

    def decode(self, h: int, token: int, pages: Pages) -> Call:
        """One more token: into the unfinished page, or into a new one after evicting its shortfall."""
        p, tail = self.positions, self.state.tok[h]
        call = self._say(Call("decode", h=h))
        if p.whole[tail]:
            call.wanted = self.shortfall(p.page_size)
            self._evict(call)
            self._extend(h, p.link(tail, (token,), self.namespaces.get(h, ()) if tail == EPS else p.namespace[tail]), pages)
        else:
            self.step(FILL, h, p.link(p.prev[tail], (*p.page[tail], token), p.namespace[tail]))
        return call

    def finish(self, h: int) -> Call:
        """Cache the whole pages, counting one hit; give back duplicates and tail; unlock."""
        s = self.state
        key = self.positions.cut(s.tok[h])
        call = self._say(Call("finish", key, key, used=key, hit=1, rank=s.urgency[h], h=h))
        self._cache(call, h)
        self._release(call, h)
        return call

    def abort(self, h: int) -> Call:
        """Unlock and give back everything; caches and refreshes nothing."""
        return self._end("abort", h)

    # Parts of operations.

    def _stand_at(self, position: int) -> int:
        """Make a cached position the end of a node."""
        if position != EPS and position not in self.state.node:
            self.step(SPLIT, position, self.state.end[position])
        return position

    def _take(self, h: int, node: int, rank: int, key: int, pages: Pages) -> None:
        self.step(BEGIN, h, node, rank)
        self._extend(h, key, pages)

    def _extend(self, h: int, key: int, pages: Pages) -> None:
        p = self.positions
        new = p.path(key)[p.level[self.state.tok[h]] :]
        if len(new) != len(pages):
            raise ValueError(f"{len(pages)} pages for {len(new)} positions")
        for position, page in zip(new, pages, strict=True):
            self.step(EXTEND, h, position, page)
            self.call.taken += 1

    def _cache(self, call: Call, h: int) -> None:
        """The insert of all requests: adopt the cached part, then one new leaf or a touch; exactly one tick."""
        s, key = self.state, call.key
        found = self._stand_at(self.deepest(key))
        if found != s.at[h]:
            call.freed += self._rows(h, s.at[h], found)
            self.step(RELOCK, h, found)
        if found != key:
            self.step(GROW, h, key, call.hit, call.rank)
        else:
            self.step(TOUCH, key, call.hit, call.rank)

    def _rows(self, h: int, above: int, last: int) -> list[int]:
        p = self.positions
        return [self.state.row[h, q] for q in p.path(last)[p.level[above] :]]

    def _release(self, call: Call, h: int) -> None:
        call.freed += self._rows(h, self.state.at[h], self.state.tok[h])
        self.step(RELEASE, h)

    def _end(self, operation: str, h: int) -> Call:
        call = self._say(Call(operation, h=h))
        self._release(call, h)
        return call

    def _evict(self, call: Call) -> None:
        s, freed = self.state, 0
        leaves = self.ranked(s) if call.wanted > 0 else []
        heapify(leaves)
        while freed < call.wanted and leaves:
            victim, parent = leaves[0][-1], s.up[leaves[0][-1]]
            heappop(leaves)
            positions = self.positions.path(victim)[self.positions.level[s.up[victim]] :]
            call.last_size = len(positions) * self.positions.page_size
            call.freed += [s.page[q] for q in positions]
            call.victims.append(victim)
            freed += call.last_size
            self.step(EVICT, victim)
            if parent in s.node and parent not in s.kids and s.lock[parent] == 0:  # the parent is an evictable leaf now
                heappush(leaves, self._key(s, parent))
