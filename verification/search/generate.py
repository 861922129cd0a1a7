"""Generates operations: keys are cut, extended and inserted again, so that edges split, prefixes are shared and locks overlap.

Random keys rarely share a prefix: naive generators miss most faults of splits. A *profile* weights the operations of one run, so that a
frequent fault does not hide one that needs many operations without evictions.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Protocol

from radixcheck.spec.values import Key, Namespace
from radixcheck.verification.checker.engine import Engine
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.checker.run_parts import HostParts
from radixcheck.verification.operations import NO_KEY, REQUEST_OPERATIONS, TREE_OPERATIONS, Op
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.generate_host import aimed, host_operation, host_weights, settled

LETTERS = 2  # distinct pages, before one is varied in its last token
ALPHABETS = ((0, 1, 2, 3), (0, 1, 2, 3), (7, 7 + 2**8, 7 + 2**16, 7 + 2**31))  # the last: equal if cut to a few bits
PRIORITIES = ((0, 0, 1, 2), (0, 0, 1, 2), (0, 100, 300, 2**31 - 1))  # the last: equal, or in another order, if cut to a few bits
NAMESPACES: tuple[Namespace, ...] = (
    *((), ("a", "b"), ("a", "c"), ("d", "b"), ("ab", "")),
    *(("b", "a"), ("", "ab"), (1, "b"), ("1", "b"), ("a",), ("a", ""), ("a", None), (0,)),
)
PAGES_MAX = 6  # of a key
TOKENS_MAX = 4096  # of a long key: one of large pages has fewer of them
STRETCH = 20  # equal pages in a row, sometimes, if keys may be long
KNOWN_MAX = 24  # keys that are used again
REQUESTS = 8  # ids of requests that ended or were refused, which may be used again
NEED_MAX = 2 * PAGES_MAX  # uncached pages of a key that goes to a limit
ELSEWHERE = 2 * LETTERS  # the first token of no other page

EDGE = 0.1  # share of operations at an edge, if one is there; of some operations it is larger
EDGES = {"insert": 0.25, "free": 0.35, "unlock": 0.2, **dict.fromkeys(("lock", "chunk", "decode", "finish", "abort"), 0.35)}
WIND_DOWN, AGAIN = 0.4, 0.4  # share of resets before which all holders are released, and of those that are repeated at once

_EVEN = dict.fromkeys((*TREE_OPERATIONS, *REQUEST_OPERATIONS), 4) | {"reset": 1}
PROFILES: Mapping[str, Mapping[str, int]] = {
    "even": _EVEN,
    "inserts": _EVEN | {"insert": 20, "match": 12, "evict": 10},
    "requests": _EVEN | {"start": 16, "decode": 16, "chunk": 10, "finish": 8, "abort": 6},
    "locks": _EVEN | {"match": 12, "lock": 24, "unlock": 24, "insert": 10, "evict": 2},
    "no eviction": _EVEN | {"evict": 0, "insert": 12, "match": 10, "start": 8, "finish": 8},
    "scarce": _EVEN | {"alloc": 12, "free": 10, "start": 14, "evict": 1, "decode": 10},
}


class Guide(Protocol):
    """What the generator needs: a checker, or two caches side by side."""

    supports: Supports
    engine: Engine
    oracle: Oracle
    host: HostParts | None  # None: there is no host tier

    def allowed(self, op: Op) -> bool:
        """Return whether the guard of this operation holds now."""


@dataclass(slots=True)
class Keys:
    """The keys of one run so far; new keys are made from them."""

    random: Random
    page_size: int
    namespaces: tuple[Namespace, ...]
    alphabet: tuple[int, ...]
    priorities: tuple[int, ...]
    longest: int  # pages
    known: list[Key] = field(default_factory=list)
    refused: list[Op] = field(default_factory=list)  # starts, oldest first
    requests: list[int] = field(default_factory=list)  # the ids used last

    def draw(self) -> Key:
        """Return a known key: unchanged, cut, or extended by up to three pages and an unfinished tail."""
        r, size = self.random, self.page_size
        if r.random() < 0.08:
            return self.tiny()
        if self.known and r.random() < 0.25:
            return r.choice(self.known)
        base = r.choice(self.known) if self.known and r.random() < 0.8 else Key((), r.choice(self.namespaces))
        pages = len(base.tokens) // size
        cut = r.randint(0, pages)
        tokens = base.tokens[: cut * size]
        if r.random() < 0.2:  # leave a piece of the middle out: the key leaves an edge and continues like the tokens behind it
            tokens += base.tokens[r.randint(cut, pages) * size : pages * size]
        else:
            for _ in range(r.randint(0, 3)):
                tokens += self.page()
            if self.longest > PAGES_MAX and r.random() < 0.2:
                tokens += self.page() * r.randint(1, STRETCH)
        if size > 1 and r.random() < 0.4:
            tokens += self.page()[: r.randint(1, size - 1)]
        if not tokens:
            tokens = self.page()
        key = Key(tokens[: self.longest * size + size - 1], base.namespace)
        if len(self.known) >= KNOWN_MAX:
            self.known[r.randrange(KNOWN_MAX)] = key
        else:
            self.known.append(key)
        return key

    def tiny(self) -> Key:
        """Return a key without tokens, or one that is shorter than a page, if pages have several tokens."""
        r = self.random
        base = r.choice(self.known) if self.known else Key((), r.choice(self.namespaces))
        length = r.randrange(self.page_size) if r.random() < 0.5 else 0
        return Key((base.tokens[: self.page_size] or self.page())[:length], base.namespace)

    def page(self) -> tuple[int, ...]:
        """Return a page. Sometimes it differs from another one in its last token, or in one token at any place."""
        r, size = self.random, self.page_size
        letter = r.randrange(LETTERS)
        page = [self.alphabet[letter]] * size
        if size > 1 and (chance := r.random()) < 0.3:
            page[-1 if chance < 0.2 else r.randrange(size)] = self.alphabet[letter + LETTERS]
        return tuple(page)

    def request(self, held: Container[int], fresh: int) -> int:
        """Return an id for a new request: mostly a fresh one, sometimes that of a request that ended or was refused."""
        free = [request for request in self.requests if request not in held]
        chosen = self.random.choice(free) if free and self.random.random() < 0.3 else fresh
        if chosen == fresh:
            self.requests = [*self.requests[1 - REQUESTS :], fresh]
        return chosen


def namespaces_for(supports: Supports) -> tuple[Namespace, ...]:
    """Return namespaces (adapter, salt) that share a component, or are equal if joined, sorted or cut. A run uses a few of them."""
    return NAMESPACES if supports.namespaces else ((),)


def operations(
    guide: Guide, random: Random, profile: Mapping[str, int], longest: int = PAGES_MAX, before: Sequence[Op] = ()
) -> Iterator[Op]:
    """Yield operations without end, each possible in the present state, on keys of at most `longest` pages.

    `before`: operations that were performed already, whose keys are used again.
    """
    supports = guide.supports
    tier = supports.host_operations if guide.host else ()
    if tier:
        of_tier, pace = host_weights(random)
        profile = {**profile, **of_tier}
    names = tuple(name for name in (*supports.operations, *tier) if profile[name])
    weights = [profile[n] for n in names]
    spaces = namespaces_for(supports)
    spaces = spaces[:5] if random.random() < 0.5 else tuple(random.sample(spaces, min(4, len(spaces))))
    keys = Keys(random, guide.engine.page_size, spaces, random.choice(ALPHABETS), random.choice(PRIORITIES), longest)
    longest = min(longest, max(PAGES_MAX, TOKENS_MAX // keys.page_size))
    keys.longest = longest
    keys.known = list(dict.fromkeys(op.key for op in before if op.key.tokens))[-KNOWN_MAX:]
    holders = max((op.holder for op in before), default=0)
    while True:
        (name,) = random.choices(names, weights)
        if name == "reset" and guide.oracle.model.state.held and longest == PAGES_MAX and random.random() < WIND_DOWN:
            yield from wind_down(guide.oracle, supports, random.choice)
            yield from settled(guide)
        if name in tier:
            host_op = host_operation(guide, random, name, pace, keys.draw)
            yield from [host_op] if host_op else []
            continue
        at_an_edge = edge_operation(guide.oracle, keys, name, holders + 1) if random.random() < EDGES.get(name, EDGE) else None
        op = at_an_edge or _operation(guide, random, keys, name, holders + 1)
        if op is None:
            continue
        op = aimed(guide.oracle, random, op) if tier else op
        holders = max(holders, op.holder)
        yield op
        if name == "reset" and random.random() < AGAIN:
            yield op
        if op.name == "start" and op.holder not in guide.oracle.model.state.held:
            keys.refused.append(op)
        if op.name == "insert" and not op.loans and "evict" in supports.operations and not guide.allowed(op):
            yield Op("evict", amount=len(op.key.tokens))
            yield op


def leaving_an_edge(oracle: Oracle, pick: Callable[[int], int]) -> Key | None:
    """Return a key that leaves an edge of the tree in the middle and continues like the tokens below it (FB-01); None if there is none.

    `pick(n)` chooses one of n.
    """
    s, p = oracle.model.state, oracle.positions
    ways = [
        (p.ancestors[upper][cut], p.length[upper], n)
        for n in sorted(s.node)
        if (upper := s.up[n]) in s.node
        for cut in range(p.level[s.up[upper]] + 1, p.level[upper])
        if p.page[p.ancestors[upper][cut + 1]] != p.page[p.ancestors[n][p.level[upper] + 1]]
    ]
    if not ways:
        return None
    left, end, n = ways[pick(len(ways))]
    return Key(p.tokens(left) + p.tokens(n)[end:], p.namespace[n])


def at_a_limit(oracle: Oracle, pick: Callable[[int], int]) -> Key | None:
    """Return a key that leaves the tree at a node or inside an edge, with a rest at a limit; None if it would be long or is impossible.

    The rest needs one page more than is free (so that a start must evict), all pages that can be had while the match is locked, or one page
    more than those (so that a start must be refused).
    """
    s, p = oracle.model.state, oracle.positions
    if not s.node:
        return None
    n = sorted(s.node)[pick(len(s.node))]
    above = p.level[s.up[n]]
    left = p.ancestors[n][above + 1 + pick(p.level[n] - above)]
    free = s.available // p.page_size
    room = free + s.evictable // p.page_size - sum(s.lock[s.end[q]] == 0 for q in p.path(left))
    need = (free + 1, room, room + 1)[pick(3)]
    return Key(p.tokens(left) + (ELSEWHERE,) * (p.page_size * need), p.namespace[n]) if 0 < need <= NEED_MAX else None


def twin(oracle: Oracle, pick: Callable[[int], int]) -> Key | None:
    """Return the key of a live request whose last pages are not cached yet, if possible below a node that it holds; None if there is none.

    Of two such requests, the one that caches second finds the pages of the first.
    """
    s, p = oracle.model.state, oracle.positions
    apart = [h for h in sorted(s.held) if p.level[s.tok[h]] > p.level[s.at[h]]]
    below = [h for h in apart if s.at[h] in s.node] or apart
    if not below:
        return None
    tok = s.tok[below[pick(len(below))]]
    return Key(p.tokens(tok), p.namespace[tok])


def wind_down(oracle: Oracle, supports: Supports, choose: Callable[[Sequence[str]], str]) -> Iterator[Op]:
    """Yield the operations that release every lock, every request and all slots of callers. `choose` picks how a request ends."""
    ends = [name for name in ("finish", "abort") if name in supports.operations]
    requests = set(oracle.requests)
    for h in list(oracle.model.state.held):
        if h in oracle.locks or h in oracle.loans:
            yield Op("unlock" if h in oracle.locks else "free", holder=h)
        elif ends and h in requests:
            yield Op(choose(ends), holder=h)


def edge_operation(oracle: Oracle, keys: Keys, name: str, fresh: int) -> Op | None:
    """Return an operation at an edge of its arguments (`core/edges.py`); None if there is none in the present state."""
    r, state, size = keys.random, oracle.model.state, keys.page_size
    match name:
        case "insert":
            return _insert_of_loans(oracle, keys) if oracle.loans else None
        case "lock":
            old = [key for key in oracle.old_handles if key not in oracle.matched]
            return Op(name, r.choice(sorted(old, key=repr)), fresh) if old else None
        case "unlock":
            receipts = sorted(h for h in oracle.old_receipts if h not in state.held)
            return Op(name, holder=r.choice(receipts)) if receipts else None
        case "alloc" | "start":
            return Op(name, Key((ELSEWHERE,) * (state.capacity + size)) if r.random() < 0.3 else keys.tiny(), fresh)
        case "chunk" | "decode" | "finish" | "abort":
            tiny = [h for h in oracle.requests if oracle.positions.length[state.tok[h]] < size]
            return Op(name, holder=r.choice(tiny), amount=keys.alphabet[0] if name == "decode" else 0) if tiny else None
        case "evict":
            return Op(name, amount=r.choice((0, state.capacity + 1)))
        case "free":
            longer = [h for h, pages in oracle.loans.items() if len(pages) > 1]
            if longer and r.random() < 0.6:
                h = r.choice(longer)
                return Op(name, holder=h, amount=size * r.randint(1, len(oracle.loans[h]) - 1))
            return Op(name, loans=_some_loans(oracle, r)) if len(oracle.loans) > 1 else None
    return None


def _some_loans(oracle: Oracle, random: Random) -> tuple[int, ...]:
    """Return one to three of the holders of slots, in any order; two if there are that many, mostly."""
    return tuple(random.sample(list(oracle.loans), min(len(oracle.loans), random.choice((1, 2, 2, 3)))))


def _insert_of_loans(oracle: Oracle, keys: Keys) -> Op:
    """Return an insert of slots of loans, on a key that is long enough for them."""
    loans, key, size, p = _some_loans(oracle, keys.random), keys.draw(), keys.page_size, oracle.positions
    if oracle.model.state.node and keys.random.random() < 0.4:
        key = p.key(keys.random.choice(sorted(oracle.model.state.node)))
    tokens, need = key.tokens, size * sum(len(oracle.loans[h]) for h in loans)
    while len(tokens) <= need - size:
        tokens = tokens[: len(tokens) // size * size] + keys.page()
    return Op("insert", Key(tokens, key.namespace), priority=keys.random.choice(keys.priorities), loans=loans)


def _operation(guide: Guide, random: Random, keys: Keys, name: str, fresh: int) -> Op | None:
    state = guide.oracle.model.state
    priority = random.choice(keys.priorities)
    match name:
        case "match" | "peek":
            chance = random.random()
            astray = leaving_an_edge(guide.oracle, random.randrange) if 0.8 <= chance < 0.98 else None
            return Op(name, keys.draw() if chance < 0.8 else astray or NO_KEY)
        case "insert":
            return Op(name, keys.draw(), priority=priority)
        case "lock":
            known = [k for k in guide.oracle.matched if guide.allowed(Op("lock", k, fresh))]
            return Op(name, random.choice(known), fresh) if known else None
        case "unlock":
            return Op(name, holder=random.choice(list(guide.oracle.locks))) if guide.oracle.locks else None
        case "alloc":
            return Op(name, keys.draw(), fresh)
        case "free":
            return Op(name, holder=random.choice(list(guide.oracle.loans))) if guide.oracle.loans else None
        case "evict":
            size = guide.engine.page_size
            return Op(name, amount=random.choice((1, size, 2 * size, 3 * size + 1, 1000 * size)))
        case "start":
            chance = random.random()
            if keys.refused and chance < 0.4:  # a waiting request is tried again
                again = keys.refused.pop(0)
                return replace(again, holder=fresh if again.holder in state.held else again.holder, priority=priority)
            request = keys.request(state.held, fresh)
            directed = at_a_limit if chance > 0.8 else twin if chance > 0.6 else None
            key = directed(guide.oracle, random.randrange) if directed else None
            return Op(name, key or keys.draw(), request, priority=priority)
        case "chunk" | "decode" | "finish" | "abort":
            live = [h for h in state.held if guide.allowed(Op(name, holder=h))]
            token = keys.alphabet[random.randrange(LETTERS)] if name == "decode" else 0
            return Op(name, holder=random.choice(live), amount=token) if live else None
    if state.held and random.random() < 0.8:
        return None  # a reset with a holder is refused: try it rarely
    return Op("reset") if random.random() < 0.6 else None
