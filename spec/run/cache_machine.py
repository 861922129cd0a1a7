"""The machine: runs the operations of `spec/operations.py` on a state, with positions for keys and pages for slots.

It is the oracle of every check. The chain of each call, its guard and its values come from the text; what is written here is only how to
find quickly what the text describes: the longest cached prefix, the least leaf, the next position.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from heapq import heapify, heappop, heappush
from typing import Any, Protocol

from radixcheck.spec.logic import var
from radixcheck.spec.policies import Policy
from radixcheck.spec.run.calls import ready
from radixcheck.spec.run.positioned import Positioned
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import row_of, run, tuples
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import POS, candidate
from radixcheck.spec.transitions import EVICT, EXTEND, RELEASE, RELOCK, RESET
from radixcheck.spec.updates import Transition

CALLER = -1  # the holder that stands for the caller of an insert, within that one call


@dataclass(slots=True)
class Call:
    """One call as postconditions speak of it. Their parameters have the same names."""

    operation: str
    h: int = CALLER
    key: int = EPS
    longest: int = EPS
    found: int = EPS
    used: int = EPS
    hit: int = 0
    given_priority: int = 0
    new_priority: int = 0
    needed: int = 0
    wanted: int = 0
    last_size: int = 0
    victims: list[int] = field(default_factory=list)  # nodes, in the order of their eviction
    freed: list[int] = field(default_factory=list)  # pages, in order
    taken: int = 0  # pages handed out
    split_off: list[int] = field(default_factory=list)  # nodes behind a split, where it was an access of them
    steps: list[str] = field(default_factory=list)  # names of the transitions, in order

    def arguments(self, found: int, last_size: int, admitted: bool = True) -> tuple[int, ...]:
        """Values for the PARAMETERS of postconditions, with what the cache under test answered."""
        return (
            self.key,
            found,
            self.used,
            self.hit,
            self.given_priority,
            self.new_priority,
            self.wanted,
            self.needed,
            admitted,
            last_size,
            self.h,
        )


class Pages(Protocol):
    """Free pages in the order in which they are taken. They are first asked for after the eviction, so they may be chosen late."""

    def __len__(self) -> int:
        """How many."""

    def __iter__(self) -> Iterator[int]:
        """Each, once."""


@cache
def _order(policy: Policy) -> tuple[Callable[[State], list[Any]], Callable[[State, int], Any]]:
    """Functions that give (first key, second key, node) of every evictable leaf, and of one node."""
    n = var("n", POS)
    ranked: Callable[[State], list[Any]] = tuples(n, candidate(n), (*policy.key(n), n))
    key: Callable[[State, int], Any] = row_of(n, (*policy.key(n), n))
    return ranked, key


class Machine(Positioned):
    """A cache of `pages` pages under one policy. A call outside its guard raises a typed error of `radixcheck.spec.values`."""

    def __init__(self, positions: Positions, policy: Policy, pages: int) -> None:
        super().__init__(self._empty(positions, pages))
        self.policy = policy
        self.call = Call("reset")  # the call in progress, or the last one
        self.ranked, self._key = _order(policy)

    def _empty(self, positions: Positions, pages: int) -> State:
        return State(positions, pages)

    def take(self, name: str, *given: int, pages: Pages | Sequence[int] = ()) -> Call:
        """One call. `given` are the values of what the operation takes, `pages` the free pages that it may hand out.

        Raises CacheError for a call outside its guard, ValueError for a number of pages that does not fit.
        """
        operation = ready(name)
        named = dict(zip(operation.names, given, strict=True))
        call = self.call = Call(name, named.get("h", CALLER), given_priority=named.get("given_priority", 0))
        refusal, values = operation.prepare(self.state, self.deepest, *given)
        call.key, call.longest, call.found, call.used, call.hit, call.new_priority, call.needed, call.wanted = values
        if refusal is not None:
            raise refusal
        for stage in operation.stages:
            if stage.loop is EVICT:
                self._evict(call)
            elif stage.loop is EXTEND:
                self._extend(call.h, named["target"], pages)
            elif (chosen := stage.choose(self.state, *given, *values)) is not None:
                transition, arguments = chosen
                if transition is EXTEND:
                    self._extend(arguments[0], arguments[1], pages)
                else:
                    call.freed += self._freed_by(transition, arguments)
                    self.step(transition, *arguments)
        return call

    def step(self, transition: Transition, *arguments: int) -> None:
        """Take one transition."""
        run(transition, self.state, *arguments)
        self.call.steps.append(transition.name)

    def access_split_off(self, node: int) -> None:
        """Give a node that was split off a time between that of the last access and that of the next one."""
        self.state.time[node] = self.state.now + 0.5
        self.call.split_off.append(node)

    def _freed_by(self, transition: Transition, arguments: tuple[int, ...]) -> list[int]:
        """The pages that a transition other than EVICT is about to free, in order."""
        s = self.state
        if transition is RELOCK:
            h, x = arguments
            return self._rows(h, s.at[h], x)
        if transition is RELEASE:
            (h,) = arguments
            return self._rows(h, s.at[h], s.tok[h])
        return list(s.page.values()) if transition is RESET else []

    def _rows(self, h: int, above: int, last: int) -> list[int]:
        p = self.positions
        return [self.state.row[h, q] for q in p.path(last)[p.level[above] :]]

    def _extend(self, h: int, target: int, pages: Pages | Sequence[int]) -> None:
        """Take the pages for every position from the end of the holder's tokens to the target."""
        p = self.positions
        new = p.path(target)[p.level[self.state.tok[h]] :]
        if len(new) != len(pages):
            raise ValueError(f"{len(pages)} pages for {len(new)} positions")
        for position, page in zip(new, pages, strict=True):
            self.step(EXTEND, h, position, page)
            self.call.taken += 1

    def _evict(self, call: Call) -> None:
        """Evict the least leaf until enough is freed or none is left. A heap holds the leaves; evicting one may add its parent."""
        s, freed = self.state, 0
        leaves = self.ranked(s) if call.wanted > 0 else []
        heapify(leaves)
        while freed < call.wanted and leaves:
            victim, parent = leaves[0][-1], s.up[leaves[0][-1]]
            heappop(leaves)
            positions = self.positions.path(victim)[self.positions.level[parent] :]
            call.last_size = len(positions) * self.positions.page_size
            call.freed += [s.page[q] for q in positions]
            call.victims.append(victim)
            freed += call.last_size
            self.step(EVICT, victim)
            if parent in s.node and parent not in s.kids and s.lock[parent] == 0:  # the parent is an evictable leaf now
                heappush(leaves, self._key(s, parent))
