"""Positions: every token and every node is named by the prefix that ends there, in whole pages, interned to an integer.

A position is a chain of pages from the empty prefix `EPS`; the first link carries the namespace, so that equal tokens under other
namespaces are other positions. The last link may be an unfinished page: the tail of a request. The prefix order never changes,
which is why the tree's ancestor relation is not state.
"""

from collections.abc import Iterator, Sequence
from typing import overload

from radixcheck.spec.events.event_values import page_id
from radixcheck.spec.values import Key, Namespace

EPS = 0
SHARED_FROM = 64  # positions that a path adds
LONG_CHAINS = 8  # that are kept
Page = tuple[int, ...]


class _Shared(Sequence[int]):
    """The beginning of a longer path, without a copy of it."""

    __slots__ = ("_length", "_path")

    def __init__(self, path: tuple[int, ...], length: int) -> None:
        self._path, self._length = path, length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        return iter(self._path[: self._length])

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[int, ...]: ...
    def __getitem__(self, at: int | slice) -> int | tuple[int, ...]:
        if isinstance(at, int) and 0 <= at < self._length:
            return self._path[at]
        return self._path[: self._length][at]


class _Ancestors(dict[int, Sequence[int]]):
    """ancestors[p] = every prefix of p from EPS to p itself, by level; built when first asked for.

    The prefixes of a long path share it: a copy for each of them would take the square of its length.
    """

    def __init__(self, prev: list[int], level: list[int]) -> None:
        super().__init__({EPS: (EPS,)})
        self._prev, self._level = prev, level
        self._within: dict[int, tuple[int, ...]] = {}  # a longer path through a position

    def __missing__(self, position: int) -> Sequence[int]:
        if position in self._within:
            shared = self[position] = _Shared(self._within[position], self._level[position] + 1)
            return shared
        chain = []
        p = position
        while p not in self and p not in self._within:
            chain.append(p)
            p = self._prev[p]
        path = self[position] = (*self[p], *reversed(chain))
        if len(chain) > SHARED_FROM:
            self._within.update(dict.fromkeys(chain[1:], path))
        return path


class _PageIds(dict[int, int]):
    """The id of each position's last page, by which events name it; made when first asked for."""

    def __init__(self, positions: "Positions") -> None:
        super().__init__()
        self._positions = positions

    def __missing__(self, position: int) -> int:
        p, parent = self._positions, None
        for q in p.path(position):
            if q not in self:
                self[q] = page_id(parent, p.namespace[q], p.page[q])
            parent = self[q]
        if parent is None:
            raise KeyError("the empty prefix has no page")
        return parent


class Positions:
    """The intern table, for one page size.

    >>> table = Positions(2)
    >>> ab, abcd = table.of(Key((1, 2))), table.of(Key((1, 2, 3, 4)))
    >>> table.le(ab, abcd), table.length[abcd], table.of(Key((1, 2), ("lora",))) == ab
    (True, 4, False)
    """

    def __init__(self, page_size: int) -> None:
        self.page_size = page_size
        self.prev: list[int] = [EPS]  # the position one page shorter
        self.page: list[Page] = [()]  # the tokens of the last page
        self.level: list[int] = [0]  # pages
        self.length: list[int] = [0]  # tokens
        self.room: list[int] = [0]  # tokens of the slots that hold it: the length rounded up to whole pages
        self.whole: list[bool] = [True]  # whether the last page is complete
        self.namespace: list[Namespace] = [()]
        self.ancestors = _Ancestors(self.prev, self.level)
        self.page_id = _PageIds(self)
        self._known: dict[tuple[int, Page] | tuple[int, Page, Namespace], int] = {}
        self._chains: dict[tuple[int, Page, Namespace], tuple[int, ...]] = {}
        self._long_chains: dict[tuple[int, Page, Namespace], tuple[int, ...]] = {}  # the last ones

    def link(self, prev: int, page: Page, namespace: Namespace) -> int:
        """The position one page behind `prev`."""
        known = (prev, page, namespace) if prev == EPS else (prev, page)
        position = self._known.get(known)
        if position is None:
            position = self._known[known] = len(self.prev)
            self.prev.append(prev)
            self.page.append(page)
            self.level.append(self.level[prev] + 1)
            self.length.append(self.length[prev] + len(page))
            self.room.append(self.length[prev] + self.page_size)
            self.whole.append(len(page) == self.page_size)
            self.namespace.append(namespace if prev == EPS else self.namespace[prev])
        return position

    def chain(self, start: int, tokens: Page, namespace: Namespace) -> tuple[int, ...]:
        """The positions that `tokens` pass through behind `start`, page by page."""
        known = (start, tokens, namespace)
        found = self._chains.get(known) or self._long_chains.get(known)
        if found is None:
            step, p, out = self.page_size, start, []
            for i in range(0, len(tokens), step):
                p = self.link(p, tokens[i : i + step], namespace)
                out.append(p)
            found = tuple(out)
            self._keep(known, found, is_long=len(tokens) > 4 * step)
        return found

    def _keep(self, known: tuple[int, Page, Namespace], chain: tuple[int, ...], is_long: bool) -> None:
        """Keep a chain; of the long ones only a few: they are rarely asked for again, but within the same call."""
        if not is_long:
            self._chains[known] = chain
            return
        while len(self._long_chains) >= LONG_CHAINS:
            del self._long_chains[next(iter(self._long_chains))]
        self._long_chains[known] = chain

    def of(self, key: Key) -> int:
        """The position at which a key ends, its unfinished page included."""
        chain = self.chain(EPS, key.tokens, key.namespace)
        return chain[-1] if chain else EPS

    def path(self, position: int) -> tuple[int, ...]:
        """Every prefix but the empty one, shortest first."""
        return tuple(self.ancestors[position][1:])

    def between(self, low: int, high: int) -> tuple[int, ...]:
        """Every prefix of `high` of which `low` is a proper prefix."""
        chain, level = self.ancestors[high], self.level[low]
        return tuple(chain[level + 1 :]) if level < len(chain) and chain[level] == low else ()

    def cut(self, position: int) -> int:
        """The whole-page part."""
        return position if self.whole[position] else self.prev[position]

    def le(self, a: int, b: int) -> bool:
        """Whether `a` is a prefix of `b`."""
        return self.level[a] <= self.level[b] and self.ancestors[b][self.level[a]] == a

    def tokens(self, position: int) -> Page:
        """The whole prefix as tokens."""
        return tuple(t for p in self.path(position) for t in self.page[p])

    def key(self, position: int) -> Key:
        """The key that ends here."""
        return Key(self.tokens(position), self.namespace[position])
