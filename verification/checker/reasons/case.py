"""What a reason is made of: the states around an operation, and words for positions, slots and holders in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from radixcheck.spec.run.cache_machine import Call
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import LOST
from radixcheck.verification.checker.difference_text import prefix_text, slots_text

COPIED = ("node", "cached", "end", "up", "page", "time", "creation", "hits", "priority", "lock", "kids", "row", "held", "at", "owner")
KEPT = ("positions", "capacity", "available", "evictable", "protected", "now")
HOST_COPIED, HOST_KEPT = ("resident", "hosted", "host_page", "pins"), ("host_available",)


def snapshot(state: State) -> State:
    """Return a copy of what reasons and trees read of a state that goes on to change."""
    of_host = isinstance(state, HostState)
    taken = type(state).__new__(type(state))
    for name in COPIED + HOST_COPIED * of_host:
        setattr(taken, name, getattr(state, name).copy())
    for name in KEPT + HOST_KEPT * of_host:
        setattr(taken, name, getattr(state, name))
    if isinstance(taken, HostState) and isinstance(state, HostState):
        taken.children = {node: set(below) for node, below in state.children.items()}
    return taken


def figure(number: float) -> str:
    """Return a tick as text: one between two operations has a fraction.

    >>> figure(3), figure(2.5), figure(12_345_678)
    ('3', '2.5', '12345678')
    """
    return f"{number:.10g}"


def listing(words: Iterable[str]) -> str:
    """Return several things in a row.

    >>> listing(["a"]), listing(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True, slots=True)
class Case:
    """A property that does not hold after an operation, or in the state that it leaves."""

    positions: Positions
    policy: str
    call: Call  # as the specification performed it
    before: State
    seen: State
    values: Mapping[str, int] = field(default_factory=dict)  # of the variables of the formula, where it is false
    answered: int | None = None  # tokens
    admitted: bool = True
    last_size: int = 0  # tokens of the last victim
    names: Mapping[int, str] = field(default_factory=dict)  # of holders that are no requests
    kept: bool = True  # whether `before` is that state: of a large pool it is the state after the operation

    def __getitem__(self, variable: str) -> int:
        """Return the value of a variable; one that is not bound has the value of the empty prefix."""
        return self.values.get(variable, EPS)

    @property
    def operation(self) -> str:
        """The name of the operation."""
        return self.call.operation

    @property
    def host(self) -> HostState | None:
        """The state, if the cache has a host tier."""
        return self.seen if isinstance(self.seen, HostState) else None

    def key(self, position: int) -> str:
        """Return a prefix as its tokens."""
        return prefix_text(self.positions, position)

    def node(self, position: int) -> str:
        """Return a node, or the root."""
        return "the root" if position == EPS else f"the node at {self.key(position)}"

    def slots(self, page: int | None, tier: str = "") -> str:
        """Return the slots of a page."""
        return " ".join(filter(None, ("no", tier, "slot"))) if page is None else slots_text(self.positions, page, tier)

    def of(self, page: int | None, was: bool = False) -> str:
        """Return the slots of a page with their verb."""
        one, more = ("was", "were") if was else ("is", "are")
        return f"{self.slots(page)} {one if self.positions.page_size == 1 else more}"

    def written(self, page: int) -> str:
        """Return what was written into the slots of a page."""
        held = self.seen.content.get(page, EPS)
        return f"the tokens written there were those of {self.key(held)}" if held != EPS else "nothing was written there"

    def holder(self, h: int) -> str:
        """Return a holder as a trace names it."""
        return self.names.get(h, f"request r{h}")

    def above(self, n: int) -> str:
        """Return the parent of a node."""
        return self.node(self.seen.up.get(n, EPS))

    def size(self, n: int, state: State) -> int:
        """Return the tokens on a node itself."""
        length = self.positions.length
        return length[n] - length[state.up.get(n, EPS)]

    def lockers(self, n: int, state: State) -> list[int]:
        """Return the holders that lock a node or one below it."""
        return [h for h in sorted(state.held) if self.positions.le(n, state.at.get(h, EPS))]

    def freed(self) -> int:
        """Return the tokens that have left the cache and came back to the pool."""
        gone = self.before.cached - self.seen.cached
        pages = [self.before.page[q] for q in gone if q in self.before.page]
        return sum(self.positions.page_size for page in pages if self.seen.owner[page] != LOST)
