"""Expands states: goes to each by the operations that led to it, and takes every operation that a caller can make there."""

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
    """A canonical state, by a digest of its form, and operations that lead to it (indices into the scope's alphabet)."""

    digest: bytes
    trace: bytes


class Broken(NamedTuple):
    """A property, and operations of which the last one breaks it."""

    violation: Violation
    trace: bytes


@dataclass(frozen=True, slots=True)
class Expansion:
    """The result of the transitions of some states."""

    transitions: int
    reached: tuple[Reached, ...]  # not reached before by the same worker
    broken: tuple[Broken, ...]  # the first trace for each property
    stopped: bool  # no state is left from which to continue
    exercised: frozenset[str]  # properties with a non-vacuous check so far
    opaque: str  # a type whose objects cannot be restored: each state is reached from the start


def digest(form: bytes) -> bytes:
    """Return sixteen bytes that identify a canonical form."""
    return blake2b(form, digest_size=16).digest()


class SnapshotNavigator:
    """Goes from state to state by restoring snapshots of the states along the present trace."""

    opaque = ""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self._trace = b""
        self._restores: list[Restore] = [visitor.snapshot()]

    def go(self, trace: bytes) -> None:
        """Bring the visitor to the state at which a trace ends."""
        shared = 0
        while shared < min(len(trace), len(self._trace)) and trace[shared] == self._trace[shared]:
            shared += 1
        del self._restores[shared + 1 :]
        self._restores[-1]()
        self._trace = trace[:shared]
        for index in trace[shared:]:
            self.visitor.repeat(self.visitor.alphabet[index])
            self._restores.append(self.visitor.snapshot())
            self._trace += bytes((index,))


class ReplayNavigator:
    """Goes from state to state by replaying traces, each on a new cache: for a cache with objects that cannot be restored."""

    def __init__(self, made: Callable[[], Visitor], visitor: Visitor, opaque: str) -> None:
        self._made, self.visitor, self.opaque = made, visitor, opaque  # a type whose objects cannot be restored

    def go(self, trace: bytes) -> None:
        """Bring a new visitor to the state at which a trace ends."""
        tally, judged = self.visitor.tally, self.visitor.judged
        self.visitor = self._made()
        self.visitor.tally, self.visitor.judged = tally, judged
        for index in trace:
            self.visitor.repeat(self.visitor.alphabet[index])


class Expander:
    """Expands states of one cache in one scope."""

    def __init__(self, factory: Any, scope: Scope, policy: str, page_size: int) -> None:
        self._made = partial(Visitor, factory, scope, policy, page_size)
        visitor = self._made()
        self._navigator: SnapshotNavigator | ReplayNavigator
        try:
            self._navigator = SnapshotNavigator(visitor)
        except Opaque as opaque:
            self._navigator = ReplayNavigator(self._made, visitor, str(opaque))
        self.start = Reached(digest(visitor.canonical.form), b"")
        self.shown = visitor.shown
        self._reached = {self.start.digest}

    def expand(self, states: Sequence[Reached]) -> Expansion:
        """Take every transition of each of these states, in turn. Stop where no state is left from which to continue."""
        transitions, reached, broken = 0, list[Reached](), dict[str, Broken]()
        for state in states:
            self._go(state.trace)
            if self._is_different(state):
                broken["DETERMINISM"] = Broken(DIFFERENT_STATE, state.trace)
                return self._result(transitions, reached, broken, stopped=True)
            for index in self._navigator.visitor.enabled():
                trace = state.trace + bytes((index,))
                for violation in self._take(trace):
                    broken.setdefault(violation.property, Broken(violation, trace))
                transitions += 1
                visitor = self._navigator.visitor
                if visitor.stopped:
                    return self._result(transitions, reached, broken, stopped=True)
                found = digest(visitor.canonical.form)
                if found not in self._reached:
                    self._reached.add(found)
                    reached.append(Reached(found, trace))
        return self._result(transitions, reached, broken, stopped=False)

    def _take(self, trace: bytes) -> list[Violation]:
        """Take the last transition of a trace. Return its violations but for those that only follow from another one."""
        self._go(trace[:-1])
        visitor = self._navigator.visitor
        return [violation for violation in visitor.take(visitor.alphabet[trace[-1]]) if not violation.follows_from]

    def _go(self, trace: bytes) -> None:
        """Go to the state at which a trace ends. From the first object on that cannot be restored, go there by replay."""
        try:
            self._navigator.go(trace)
        except Opaque as opaque:
            self._navigator = ReplayNavigator(self._made, self._navigator.visitor, str(opaque))
            self._navigator.go(trace)

    def _is_different(self, state: Reached) -> bool:
        """Whether the same operations have led to a different state than before."""
        visitor = self._navigator.visitor
        return visitor.stopped or digest(visitor.canonical.form) != state.digest

    def _result(self, transitions: int, reached: list[Reached], broken: dict[str, Broken], stopped: bool) -> Expansion:
        exercised = frozenset(id_ for id_, count in self._navigator.visitor.tally.exercised.items() if count)
        return Expansion(transitions, tuple(reached), tuple(broken.values()), stopped, exercised, self._navigator.opaque)


DIFFERENT_STATE = Violation("DETERMINISM", "the same operations led to a different state when they were repeated")


_expander = cache(Expander)


def expand_in_worker(factory: Any, scope: Scope, policy: str, page_size: int, states: Sequence[Reached]) -> Expansion:
    """Expand states in a worker process. It serves one exploration and keeps its expander."""
    return _expander(factory, scope, policy, page_size).expand(states)
