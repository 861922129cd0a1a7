"""Scopes: the operations of an exploration, their keys, and the number of holders. Every sequence of these operations is taken.

A key is written as one letter for each page. The last token of a page is given by its letter and the others are 0, so that pages of
several tokens differ in their last token only. The positions of a scope (its *universe*) are the prefixes of its keys and of what can be
decoded after these.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Tier
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import MODES, Supports


def page(letter: int, page_size: int) -> tuple[int, ...]:
    """Return the page for a letter.

    >>> page(1, 3)
    (0, 0, 1)
    """
    return (0,) * (page_size - 1) + (letter,)


@dataclass(frozen=True)
class Scope:
    """The bounds of an exploration. In a state where a caller cannot make an operation (a lock without a match), it is left out."""

    name: str
    keys: tuple[str, ...]  # letters, one for each page
    holders: int  # locks, or live requests, at a time
    requests: bool  # the request verbs, or the tree verbs
    pages: int  # of a request, its output included
    pool: int  # pages
    edges: bool = False  # calls at the edges of their arguments too: tails in every verb, callers' slots, what is left from before a reset
    host_pool: int = 0  # pages
    mode: str = ""  # of the host tier; empty: there is none

    def key(self, letters: str, page_size: int) -> Key:
        """Return the key for some letters.

        >>> SCOPES["tree"].key("ab", 2)
        Key(tokens=(0, 0, 0, 1), namespace=())
        """
        return Key(tuple(token for letter in letters for token in page("ab".index(letter), page_size)))

    def tier(self, page_size: int) -> Tier | None:
        """Return the host tier; None if there is none."""
        return Tier(self.host_pool * page_size, self.mode) if self.mode else None

    @cached_property
    def sentence(self) -> str:
        """The bounds in words."""
        who = "requests" if self.requests else "locks or allocs" if self.edges else "locks"
        verbs = "start, chunk, decode, finish, abort" if self.requests else "insert, match, peek"
        verbs += "" if self.requests or not self.holders else ", lock, unlock"
        verbs += ", alloc, free" if self.edges and not self.requests else ""
        most = f", up to {self.pages} pages" if self.requests else " in pages"
        amounts = "nothing, one token or more than everything" if self.edges else "one token or everything"
        keys = ", ".join(key or "no tokens" for key in self.keys)
        end = f"{verbs}, reset, evict {amounts}; keys {keys}{most}; {self.holders} {who}; {self.pool} pages"
        if not self.mode:
            return end
        tier = f"{'run' if self.requests else 'load_back, backup'}, poll, evict_host one token or everything, each copy arrives or fails"
        return f"{end}; {tier}; {self.host_pool} on the host, {self.mode}"

    def alphabet(self, page_size: int, policy: str) -> tuple[Op, ...]:
        """Return every operation of the scope, for every holder."""
        keys = [self.key(letters, page_size) for letters in self.keys]
        ranks = (0, 1) if policy == "priority" else (0,)
        tails = [Key((*key.tokens, 0)) for key in keys if page_size > 1 and len(key.tokens) < self.pages * page_size]  # not whole pages
        all_of_it = self.pool * page_size + self.edges
        both = (*(Op("evict", amount=amount) for amount in (*((0,) if self.edges else ()), 1, all_of_it)), Op("reset"))
        both += self._host_operations(keys, page_size) if self.mode else ()
        if self.requests:
            return self._request_operations([*keys, *tails], ranks, both)
        if self.edges:
            keys, tails = [*keys, *tails], []
        return self._tree_operations(keys, tails, ranks, both) + (self._loan_operations(keys, page_size) if self.edges else ())

    def _tree_operations(self, keys: list[Key], tails: list[Key], ranks: tuple[int, ...], both: tuple[Op, ...]) -> tuple[Op, ...]:
        inserts = [Op("insert", key, priority=rank) for key, rank in product([*keys, *tails], ranks)]
        lookups = [*(Op("match", key) for key in keys), *(Op("peek", key) for key in [*keys, *tails])]
        locks = [Op("lock", key, h) for key, h in product(keys, self._holders)]
        return (*inserts, *lookups, *both, *locks, *(Op("unlock", holder=h) for h in self._holders))

    def _loan_operations(self, keys: list[Key], page_size: int) -> tuple[Op, ...]:
        """Operations on the slots of callers: those of one alloc, of several, and of a part of one."""
        holders = self._holders
        loans = [(h,) for h in holders] + [pair for pair in product(holders, holders) if pair[0] != pair[1]]
        allocs = [Op("alloc", key, h) for key, h in product(keys, holders)]
        inserts = [Op("insert", key, loans=some) for key, some in product(keys, loans)]
        frees = [Op("free", loans=some) for some in loans] + [Op("free", holder=h, amount=page_size) for h in holders]
        return (*allocs, *inserts, *frees)

    def _host_operations(self, keys: list[Key], page_size: int) -> tuple[Op, ...]:
        """Operations of the host tier. A copy holds pages of the tier to which it goes, so that no more can be in flight than pages."""
        copies = range(self.pool + self.host_pool)
        ends = [Op("complete", holder=place, amount=failed) for place, failed in product(copies, (0, 1))]
        evictions = [Op("evict_host", amount=amount) for amount in (1, self.host_pool * page_size)]
        if self.requests:
            moves = [Op("run", holder=h) for h in self._holders]
        else:
            moves = [Op(name, key) for name, key in product(("load_back", "backup"), keys)]
        return (*moves, *evictions, *ends, Op("poll"))

    def _request_operations(self, keys: list[Key], ranks: tuple[int, ...], both: tuple[Op, ...]) -> tuple[Op, ...]:
        starts = [Op("start", key, h, priority=rank) for key, h, rank in product(keys, self._holders, ranks)]
        decodes = [Op("decode", holder=h, amount=token) for h, token in product(self._holders, (0, 1))]
        ends = [Op(name, holder=h) for name, h in product(("chunk", "finish", "abort"), self._holders)]
        return (*starts, *decodes, *ends, *both)

    def served_by(self, supports: Supports) -> bool:
        """Return whether a cache has the operations of this scope."""
        names = {op.name for op in self.alphabet(1, "lru")}
        if self.mode and self.mode not in supports.modes:
            return False
        return (supports.requests if self.requests else supports.tree) and supports.without.isdisjoint(names)

    @property
    def _holders(self) -> range:
        return range(1, self.holders + 1)


SCOPES = {
    scope.name: scope
    for scope in (
        Scope("tree", ("a", "aa", "ab"), holders=2, requests=False, pages=2, pool=5),
        Scope("requests", ("a", "aa", "ab"), holders=2, requests=True, pages=2, pool=4),
        Scope("scarce", ("a", "aa", "ab"), holders=2, requests=True, pages=2, pool=3),
        Scope("edges", ("", "a", "aa"), holders=2, requests=False, pages=2, pool=3, edges=True),
        Scope("empty requests", ("", "a"), holders=2, requests=True, pages=1, pool=2, edges=True),
        *(Scope(f"tree {mode}", ("aa", "ab"), 0, False, pages=2, pool=2, host_pool=2, mode=mode) for mode in MODES),
        *(Scope(f"requests {mode}", ("a", "aa"), 1, True, pages=2, pool=2, host_pool=2, mode=mode) for mode in MODES),
    )
}
