"""The copies of the hierarchical cache between its tiers: those that were issued and are not acknowledged."""

from collections.abc import Iterator
from dataclasses import dataclass

from radixcheck.verification.protocol import Copier, SeenCopy, Ticket
from radixcheck.verification.subjects.historical.base import Node, above


@dataclass(slots=True, eq=False)
class InFlight:
    """One copy."""

    up: bool  # from the host to the device
    floor: Node  # it copies the nodes behind this one
    aim: Node  # and up to this one
    sources: list[int]
    targets: list[int]
    ticket: Ticket

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes that it copies, the last one first; those that were split meanwhile lie between."""
        node = self.aim
        while node is not self.floor:
            yield node
            node = above(node)


class CopyQueue:
    """Issues copies and keeps them until they are acknowledged. A copy that fails is issued again: the release has none that fail."""

    def __init__(self, copier: Copier | None) -> None:
        self._copier = copier
        self.copies: list[InFlight] = []  # in the order of their issue

    def issue(self, up: bool, floor: Node, aim: Node, sources: list[int], targets: list[int]) -> None:
        """Issue one copy."""
        self.copies.append(InFlight(up, floor, aim, sources, targets, self._ticket(up, sources, targets)))

    def take_done(self) -> tuple[list[Ticket], list[InFlight]]:
        """Return the tickets that are done, and the copies that have arrived, which it forgets; issue those that have failed again."""
        done = [copy for copy in self.copies if copy.ticket.done]
        tickets = [copy.ticket for copy in done]
        return tickets, [copy for copy in done if self._arrived(copy)]

    def wait_for_writes(self) -> None:
        """Wait for all copies to the host, and forget them."""
        while writes := [copy for copy in self.copies if not copy.up]:
            writes[0].ticket.wait()
            self._arrived(writes[0])

    def seen(self) -> list[SeenCopy]:
        """Return the copies as the checker reads them."""
        return [
            SeenCopy(copy.up, None if copy.floor.parent is None else copy.floor.name, copy.aim.name, copy.sources, copy.targets)
            for copy in self.copies
        ]

    def _arrived(self, copy: InFlight) -> bool:
        if copy.ticket.failed:
            copy.ticket = self._ticket(copy.up, copy.sources, copy.targets)
            return False
        self.copies.remove(copy)
        return True

    def _ticket(self, up: bool, sources: list[int], targets: list[int]) -> Ticket:
        assert self._copier is not None, "a cache without a host tier has no room for a copy"
        return self._copier.copy(up, sources, targets)
