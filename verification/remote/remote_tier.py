"""The tiers of a cache in another process: what it did there is repeated, in the same order, on the pools and the copier of the checker."""

from collections.abc import Sequence
from typing import Any

from radixcheck.spec.values import Ticket
from radixcheck.verification.protocol import Setup
from radixcheck.verification.remote import parse_answers as answers


class RemoteTiers:
    """Both pools and the copies of one cache. Without a host tier it has the pool of the device only."""

    def __init__(self, setup: Setup) -> None:
        self._pool: Any = setup.pool
        self._host_pool: Any = setup.host_pool
        self._copier: Any = setup.copier
        self._tickets: list[Ticket] = []  # of all copies, by number
        self._untold: list[int] = []  # copies of which the other process does not know that they are done

    @property
    def has_host(self) -> bool:
        """Return whether there is a host tier."""
        return self._host_pool is not None and self._copier is not None

    def news(self) -> dict[str, Any]:
        """Return what became of copies since this was called before, for the next message."""
        if not self.has_host:
            return {}
        done = [number for number in self._untold if self._tickets[number].done]
        self._untold = [number for number in self._untold if number not in done]
        failed = [number for number in done if self._tickets[number].failed]
        arrived = [number for number in done if number not in failed]
        news = {"arrived": arrived, "failed": failed, "next_fails": getattr(self._copier, "next_fails", False)}
        return {name: value for name, value in news.items() if value}

    def repeat(self, answer: answers.Answer) -> None:
        """Repeat what the cache did during a call. Raise `ProtocolError` for what no cache can do."""
        for move, what in answers.moves(answer):
            if move in ("take", "give"):
                self._move(self._pool, move, what)
            elif not self.has_host:
                answers.reject(answer, f"'pool' has a move of the host tier ({move}), which this cache was not given")
            elif move == "copy":
                self._issue(answer, what)
            elif move == "wait":
                self._wait(answer, what)
            else:
                self._move(self._host_pool, move, what)

    def tickets(self, answer: answers.Answer, name: str) -> tuple[Ticket, ...]:
        """Return the copies that an answer names, in its order. Raise `ProtocolError` if one was never issued."""
        return tuple(self._ticket(answer, number) for number in answers.numbers(answer, name))

    def _move(self, pool: Any, move: str, slots: Sequence[int]) -> None:
        (pool.note_alloc if move.startswith("take") else pool.note_free)(slots)

    def _issue(self, answer: answers.Answer, copy: dict[str, Any]) -> None:
        number = len(self._tickets)
        if copy["number"] != number:
            answers.reject(answer, f"the next copy has number {number}, copies are numbered in the order of their issue")
        self._tickets.append(self._copier.copy(copy["up"], copy["sources"], copy["targets"]))
        self._untold.append(number)

    def _wait(self, answer: answers.Answer, number: int) -> None:
        self._ticket(answer, number).wait()
        self._untold = [other for other in self._untold if other != number]

    def _ticket(self, answer: answers.Answer, number: int) -> Ticket:
        if not 0 <= number < len(self._tickets):
            answers.reject(answer, f"no copy has number {number}: {len(self._tickets)} were issued")
        return self._tickets[number]
