"""Expands states: goes to each by the operations that led to it, and performs every operation that a caller can make there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import blake2b
from typing import Any, NamedTuple

from radixcheck.verification.core.found import Violation
from radixcheck.verification.explore.scopes import Scope
from radixcheck.verification.explore.snapshot import Opaque, Restore
from radixcheck.verification.explore.visitor import Visitor


class Reached(NamedTuple):
    """A canonical state, by a digest of its form, and operations that lead to it (places in the scope's alphabet)."""

    digest: bytes
    trace: bytes


class Broken(NamedTuple):
    """A property, and operations of which the last one breaks it."""

    violation: Violation
    trace: bytes


@dataclass(frozen=True, slots=True)
class Expansion:
    """The results of the transitions of some states."""

    transitions: int
    reached: tuple[Reached, ...]  # not reached before by the same worker
    broken: tuple[Broken, ...]  # the first trace for each property
    stopped: bool  # the last of them leaves no state from which to go on
    exercised: frozenset[str]  # properties that were non-vacuous so far
    opaque: str  # a type whose objects cannot be restored: states are reached from the start


def digest(form: bytes) -> bytes:
    """Return a digest of sixteen bytes of a canonical form."""
    return blake2b(form, digest_size=16).digest()


class Undone:
    """Goes from state to state along traces, and back to the states on the way to the present one."""

    opaque = ""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self._trace = b""
        self._restores: list[Restore] = [visitor.snapshot()]

    def go(self, trace: bytes) -> None:
        """Go to the state in which a trace ends."""
        shared = 0
        while shared < min(len(trace), len(self._trace)) and trace[shared] == self._trace[shared]:
            shared += 1
        del self._restores[shared + 1 :]
        self._restores[-1]()
        self._trace = trace[:shared]
        for place in trace[shared:]:
            self.visitor.again(self.visitor.alphabet[place])
            self._restores.append(self.visitor.snapshot())
            self._trace += bytes((place,))


class Replayed:
    """The same for a cache whose objects cannot be restored: makes a new cache and performs the trace again."""

    def __init__(self, made: Callable[[], Visitor], visitor: Visitor, opaque: str) -> None:
        self._made, self.visitor, self.opaque = made, visitor, opaque  # a type whose objects cannot be restored

    def go(self, trace: bytes) -> None:
        """Go to the state in which a trace ends."""
        tally, judged = self.visitor.tally, self.visitor.judged
        self.visitor = self._made()
        self.visitor.tally, self.visitor.judged = tally, judged
        for place in trace:
            self.visitor.again(self.visitor.alphabet[place])


class Expander:
    """Expands states of one cache in one scope."""

    def __init__(self, factory: Any, scope: Scope, policy: str, page_size: int) -> None:
        self._made = partial(Visitor, factory, scope, policy, page_size)
        visitor = self._made()
        self._way: Undone | Replayed
        try:
            self._way = Undone(visitor)
        except Opaque as opaque:
            self._way = Replayed(self._made, visitor, str(opaque))
        self.start = Reached(digest(visitor.canonical.form), b"")
        self.shown = visitor.shown
        self._reached = {self.start.digest}

    def expand(self, states: Sequence[Reached]) -> Expansion:
        """Take every transition of each of these states, in order, until there is no state from which to continue."""
        transitions, reached, broken = 0, list[Reached](), dict[str, Broken]()
        for state in states:
            self._go(state.trace)
            if self._elsewhere(state):
                broken["DETERMINISM"] = Broken(ANOTHER_STATE, state.trace)
                return self._result(transitions, reached, broken, stopped=True)
            for place in self._way.visitor.offered():
                trace = state.trace + bytes((place,))
                for violation in self._take(trace):
                    broken.setdefault(violation.property, Broken(violation, trace))
                transitions += 1
                visitor = self._way.visitor
                if visitor.stopped:
                    return self._result(transitions, reached, broken, stopped=True)
                found = digest(visitor.canonical.form)
                if found not in self._reached:
                    self._reached.add(found)
                    reached.append(Reached(found, trace))
        return self._result(transitions, reached, broken, stopped=False)

    def _take(self, trace: bytes) -> list[Violation]:
        """Take the last transition of a trace; return its violations without those that follow from others."""
        self._go(trace[:-1])
        visitor = self._way.visitor
        return [violation for violation in visitor.take(visitor.alphabet[trace[-1]]) if not violation.follows_from]

    def _go(self, trace: bytes) -> None:
        """Go to the state in which a trace ends; after the first object that cannot be restored, by performing everything again."""
        try:
            self._way.go(trace)
        except Opaque as opaque:
            self._way = Replayed(self._made, self._way.visitor, str(opaque))
            self._way.go(trace)

    def _elsewhere(self, state: Reached) -> bool:
        """Return whether the same operations have led to another state than before."""
        visitor = self._way.visitor
        return visitor.stopped or digest(visitor.canonical.form) != state.digest

    def _result(self, transitions: int, reached: list[Reached], broken: dict[str, Broken], stopped: bool) -> Expansion:
        exercised = frozenset(id_ for id_, count in self._way.visitor.tally.exercised.items() if count)
        return Expansion(transitions, tuple(reached), tuple(broken.values()), stopped, exercised, self._way.opaque)


ANOTHER_STATE = Violation("DETERMINISM", "the same operations led to another state when they were made again")


@cache
def _expander(factory: Any, scope: Scope, policy: str, page_size: int) -> Expander:
    return Expander(factory, scope, policy, page_size)


def expand_elsewhere(factory: Any, scope: Scope, policy: str, page_size: int, states: Sequence[Reached]) -> Expansion:
    """`expand` in a worker process, which serves one exploration and keeps its expander."""
    return _expander(factory, scope, policy, page_size).expand(states)
