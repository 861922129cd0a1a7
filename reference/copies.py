"""Copies between the tiers: what a cache needs of the machinery that moves KV, what it remembers of a copy, and a simple copier.

A copy is *issued*: its targets are assigned at once, and filled later. It *arrives* or *fails* some time afterwards, in any order; the
cache learns of that in `poll`, and *acknowledges* it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from radixcheck.reference.tiered_node import TieredNode
from radixcheck.spec.values import Ticket

MODES = {  # with how many hits a node is backed up after it was cached; None: only when it leaves the device
    "write_through": 1,
    "write_through_selective": 2,
    "write_back": None,
}


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """A copy in flight of the nodes behind `floor` and up to `end`. It locks the path to `end`, as a request does.

    A node that is split meanwhile becomes two nodes that lie between the same two.
    """

    up: bool  # a load, from the host to the device; else a backup
    floor: TieredNode
    end: TieredNode
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    ticket: Ticket


@dataclass(slots=True, eq=False)
class Transfer:
    """A ticket of `Copies`."""

    up: bool
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    done: bool = False
    failed: bool = False

    def complete(self, failed: bool = False) -> None:
        """Let the copy arrive, or fail."""
        self.done, self.failed = True, failed

    def wait(self) -> None:
        """Let the copy arrive at once, unless it is done."""
        if not self.done:
            self.complete()


@dataclass(slots=True)
class Copies:
    """A copier that moves nothing: it keeps what was issued, and completes any of it when its caller says so.

    >>> copier = Copies()
    >>> ticket = copier.copy(True, [4, 5], [0, 1])
    >>> copier.in_flight() == [ticket], ticket.done
    (True, False)
    >>> ticket.complete()
    >>> copier.in_flight(), ticket.done, ticket.failed
    ([], True, False)
    """

    issued: list[Transfer] = field(default_factory=list)

    def copy(self, up: bool, sources: Sequence[int], targets: Sequence[int]) -> Transfer:
        """Keep the copy as issued."""
        transfer = Transfer(up, tuple(sources), tuple(targets))
        self.issued.append(transfer)
        return transfer

    def in_flight(self) -> list[Transfer]:
        """Return what is not done, in the order of issue."""
        return [transfer for transfer in self.issued if not transfer.done]
