"""Scopes: the operations, keys and numbers of holders of an exploration, which takes all sequences of these operations.

A key is written as letters, one for each page: the last token of the page is the number of the letter, all others are 0. So pages of
several tokens differ in their last token only. The positions of a scope (its *universe*) are the prefixes of its keys, and what decoding
appends to them.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

from radixcheck.spec.values import Key
from radixcheck.verification.operations import Op


def page(letter: int, page_size: int) -> tuple[int, ...]:
    """Return the page of a letter.

    >>> page(1, 3)
    (0, 0, 1)
    """
    return (0,) * (page_size - 1) + (letter,)


@dataclass(frozen=True)
class Scope:
    """The bounds of an exploration. Operations that a caller cannot make in a state (a lock without a match) are left out there."""

    name: str
    keys: tuple[str, ...]  # letters, one for each page
    holders: int  # locks, or live requests, at a time
    requests: bool  # the request verbs, or the tree verbs
    pages: int  # of a request, with what it decodes
    pool: int  # pages

    def key(self, letters: str, page_size: int) -> Key:
        """Return the key with these letters as its pages.

        >>> SCOPES["tree"].key("ab", 2)
        Key(tokens=(0, 0, 0, 1), namespace=())
        """
        return Key(tuple(token for letter in letters for token in page("ab".index(letter), page_size)))

    @cached_property
    def sentence(self) -> str:
        """The bound in words."""
        who = "requests" if self.requests else "locks"
        verbs = "start, chunk, decode, finish, abort" if self.requests else "insert, match, peek, lock, unlock"
        longest = f", up to {self.pages} pages" if self.requests else " in pages"
        return (
            f"{verbs}, reset, evict one token or everything; keys {', '.join(self.keys)}{longest}; {self.holders} {who}; {self.pool} pages"
        )

    def alphabet(self, page_size: int, policy: str) -> tuple[Op, ...]:
        """Return every operation of the scope, for each holder."""
        keys = [self.key(letters, page_size) for letters in self.keys]
        ranks = (0, 1) if policy == "priority" else (0,)
        holders = range(1, self.holders + 1)
        tails = [Key((*key.tokens, 0)) for key in keys if page_size > 1 and len(key.tokens) < self.pages * page_size]  # not whole pages
        both = [Op("evict", amount=1), Op("evict", amount=self.pool * page_size), Op("reset")]
        if not self.requests:
            inserts = [Op("insert", key, priority=rank) for key, rank in product([*keys, *tails], ranks)]
            lookups = [*(Op("match", key) for key in keys), *(Op("peek", key) for key in [*keys, *tails])]
            locks = [Op("lock", key, h) for key, h in product(keys, holders)]
            return (*inserts, *lookups, *both, *locks, *(Op("unlock", holder=h) for h in holders))
        starts = [Op("start", key, h, priority=rank) for key, h, rank in product([*keys, *tails], holders, ranks)]
        ends = [Op(name, holder=h) for name, h in product(("chunk", "finish", "abort"), holders)]
        return (*starts, *(Op("decode", holder=h, amount=token) for h in holders for token in (0, 1)), *ends, *both)


SCOPES = {
    scope.name: scope
    for scope in (
        Scope("tree", ("a", "aa", "ab"), holders=2, requests=False, pages=2, pool=5),
        Scope("requests", ("a", "aa", "ab"), holders=2, requests=True, pages=2, pool=4),
        Scope("scarce", ("a", "aa", "ab"), holders=2, requests=True, pages=2, pool=3),
    )
}
