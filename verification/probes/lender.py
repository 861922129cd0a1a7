"""A subject behind a caller that owns every container of slots which crosses in either direction, and may overwrite it later."""

from copy import deepcopy
from typing import Any

from radixcheck.spec.values import Key, Match, Row


class Lender:
    """A subject with the same verbs. What the subject and its caller pass to each other are copies; the subject's side is in `lent`."""

    def __init__(self, subject: Any) -> None:
        self._subject = subject
        self.lent: list[Any] = []  # containers that the subject was given or has returned

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subject, name)

    def match(self, key: Key) -> Match[Any]:
        """As `TreeSubject.match`."""
        found = self._subject.match(key)
        return Match(found.length, self._lend(found.slots), found.node)

    def insert(self, key: Key, slots: Any, priority: int = 0) -> int:
        """As `TreeSubject.insert`."""
        present: int = self._subject.insert(key, self._give(slots), priority)
        return present

    def alloc(self, tokens: int) -> Any:
        """As `TreeSubject.alloc`."""
        return self._lend(self._subject.alloc(tokens))

    def free(self, slots: Any) -> None:
        """As `TreeSubject.free`."""
        self._subject.free(self._give(slots))

    def start(self, request: int, key: Key, priority: int = 0) -> Row[Any]:
        """As `RequestSubject.start`."""
        return self._row(self._subject.start(request, key, priority))

    def chunk(self, request: int) -> Row[Any]:
        """As `RequestSubject.chunk`."""
        return self._row(self._subject.chunk(request))

    def decode(self, request: int, token: int) -> Any:
        """As `RequestSubject.decode`."""
        return self._lend(self._subject.decode(request, token))

    def _row(self, row: Any) -> Row[Any]:
        return Row(row.cached, self._lend(row.slots))

    def _lend(self, slots: Any) -> Any:
        """Note a container that the subject has returned; return a copy for the caller."""
        self.lent.append(slots)
        return deepcopy(slots)

    def _give(self, slots: Any) -> Any:
        """Return a copy of the caller's container for the subject, and note it."""
        given = deepcopy(slots)
        self.lent.append(given)
        return given
