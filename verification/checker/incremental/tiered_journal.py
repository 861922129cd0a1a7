"""Where the specification's state of a cache with a host tier has changed."""

from typing import NamedTuple

from radixcheck.spec.run.host_state import HostState
from radixcheck.verification.checker.incremental.agreement import Journal, Parents

OF_NODES = ("lock", "time", "creation", "hits", "priority", "pins")


class JournalSet(set[int]):
    """A set that records which elements come and go. Change it by `add` and `discard` only, as transitions do."""

    def __init__(self, *changed: set[int]) -> None:
        super().__init__()
        self._changed = changed

    def add(self, element: int) -> None:
        """Add an element."""
        for each in self._changed:
            each.add(element)
        super().add(element)

    def discard(self, element: object) -> None:
        """Remove an element."""
        if isinstance(element, int):
            for each in self._changed:
                each.add(element)
        super().discard(element)


class Changed(NamedTuple):
    """Where values may have changed since its reader has cleared this."""

    nodes: set[int]  # whose attributes, parent or children changed
    positions: set[int]  # that came to a tier, or left one, or have another page there


class TierChanges(NamedTuple):
    """The same for each reader."""

    device: Changed  # for the candidates of the device
    host: Changed  # for those of the host
    tokens: Changed  # for the tokens that only the host has
    compared: Changed  # for comparisons with the subject
    nodes: set[int]  # for a caller
    pages: set[int]  # of the device, whose content changed
    host_pages: set[int]  # of the host


def journalled_tiers(s: HostState) -> TierChanges:
    """Make an empty state record its changes. Return the record."""
    device, host, tokens, compared = readers = [Changed(set(), set()) for _ in range(4)]
    changes = TierChanges(device, host, tokens, compared, set(), set(), set())
    nodes = (*(each.nodes for each in readers), changes.nodes)
    for name in OF_NODES:
        setattr(s, name, Journal(*nodes))
    s.up = Parents(*nodes)
    for name in ("resident", "hosted"):
        setattr(s, name, JournalSet(*(each.positions for each in readers)))
    for name in ("page", "host_page"):
        setattr(s, name, Journal(compared.positions))
    s.content, s.host_content = Journal(changes.pages), Journal(changes.host_pages)
    return changes
