"""The copies of the hierarchical cache between its tiers: those that were issued and are not acknowledged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from radixcheck.spec.values import Copier, Ticket
from radixcheck.verification.protocol import SeenCopy
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
    """Issues copies and keeps them until they are done."""

    def __init__(self, copier: Copier[Sequence[int]] | None) -> None:
        self._copier = copier
        self.copies: list[InFlight] = []  # in the order of their issue

    def issue(self, up: bool, floor: Node, aim: Node, sources: list[int], targets: list[int]) -> None:
        """Issue one copy."""
        assert self._copier is not None, "a cache without a host tier has no room for a copy"
        self.copies.append(InFlight(up, floor, aim, sources, targets, self._copier.copy(up, sources, targets)))

    def issue_again(self, copy: InFlight) -> None:
        """Issue a copy that has failed again."""
        self.issue(copy.up, copy.floor, copy.aim, copy.sources, copy.targets)

    def take_done(self) -> list[InFlight]:
        """Return the copies that have arrived or failed, and forget them."""
        done = [copy for copy in self.copies if copy.ticket.done]
        self.copies = [copy for copy in self.copies if copy not in done]
        return done

    def wait_for_writes(self) -> None:
        """Wait for all copies to the host, and forget them. One that fails is issued again."""
        while writes := [copy for copy in self.copies if not copy.up]:
            writes[0].ticket.wait()
            self.copies.remove(writes[0])
            if writes[0].ticket.failed:
                self.issue_again(writes[0])

    def seen(self) -> list[SeenCopy]:
        """Return the copies as the checker reads them."""
        return [
            SeenCopy(copy.up, None if copy.floor.parent is None else copy.floor.name, copy.aim.name, copy.sources, copy.targets)
            for copy in self.copies
        ]
