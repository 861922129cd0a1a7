"""What a copy is given is checked when it is issued, and its pages until it is done. A copy moves content tags when it arrives."""

from radixcheck.spec.run.positions import Positions
from radixcheck.spec.values import Key
from radixcheck.verification.core.tier_pool import HostPool, TierPool
from radixcheck.verification.core.watched_copier import Contents, WatchedCopier

SIZE = 2


class Tiers:
    """Two pools and a copier. Four pages of one key, and one of another, are on the device."""

    def __init__(self) -> None:
        self.device, self.host = TierPool(16, SIZE), HostPool(16, SIZE)
        self.copier = WatchedCopier(self.device, self.host)
        self.positions = Positions(SIZE)
        self.path = self.positions.path(self.positions.of(Key((1, 2, 3, 4, 5, 6, 7, 8))))
        other = self.positions.of(Key((9, 9)))
        self.slots = self.device.alloc(10)
        self.copier.contents = Contents(self.positions, dict(enumerate((*self.path, other))), {})

    def findings(self) -> list[tuple[str, str]]:
        """The findings of this operation, which ends."""
        found = [(v.property, v.text) for v in (*self.device.findings, *self.host.findings, *self.copier.findings)]
        for part in (self.device, self.host, self.copier):
            part.begin()
        return found

    def properties(self) -> list[str]:
        """Their properties."""
        return [property_ for property_, _ in self.findings()]


def test_a_copy_moves_tags_when_it_arrives_and_guards_its_pages_until_then() -> None:
    tiers = Tiers()
    targets = tiers.host.alloc(4)
    ticket = tiers.copier.copy(False, tiers.slots[2:6], targets)
    assert (ticket.sources, ticket.targets, ticket.done, tiers.findings()) == ((1, 2), (0, 1), False, [])
    assert tiers.host.unfilled == {0, 1}
    tiers.device.free(tiers.slots[2:4])
    tiers.host.free(targets[2:])
    assert tiers.findings() == [
        ("SOURCE", "page 1 was freed while a copy in flight reads it"),
        ("TARGET", "host page 1 was freed while a copy in flight writes it"),
    ]
    assert (tiers.device.out[1], tiers.host.out[1]) == (1, 1)
    tiers.copier.complete(ticket, failed=False)
    assert (ticket.done, ticket.failed, tiers.host.unfilled) == (True, False, set())
    assert tiers.copier.contents is not None
    assert tiers.copier.contents.host == {0: tiers.path[1], 1: tiers.path[2]}
    tiers.host.free(targets)
    assert tiers.findings() == []


def test_a_failed_copy_fills_nothing_and_can_be_issued_again() -> None:
    tiers = Tiers()
    targets = tiers.host.alloc(2)
    ticket = tiers.copier.copy(False, tiers.slots[:2], targets)
    tiers.copier.complete(ticket, failed=True)
    tiers.findings()
    again = tiers.copier.copy(False, tiers.slots[:2], targets)
    assert (ticket.failed, tiers.host.unfilled, again.number, tiers.findings()) == (True, {0}, 1, [])


def test_a_wait_completes_its_own_copy_which_fails_if_the_trace_says_so() -> None:
    tiers = Tiers()
    first, second = (tiers.copier.copy(False, tiers.slots[i : i + 2], tiers.host.alloc(2)) for i in (0, 2))
    tiers.copier.next_fails = True
    second.wait()
    second.wait()
    first.wait()
    assert [(t.number, t.failed) for t in tiers.copier.awaited] == [(1, True), (0, False)]
    assert tiers.copier.in_flight == []


def test_wrong_sources_are_found() -> None:
    tiers = Tiers()
    tiers.copier.copy(False, [10, 11], tiers.host.alloc(2))
    assert tiers.properties() == ["SOURCE"]  # a free page
    tiers.copier.copy(False, [2, 3, 0, 1], tiers.host.alloc(4))
    assert tiers.properties() == ["SOURCE"]  # not in order
    tiers.copier.copy(False, [0, 1, 8, 9], tiers.host.alloc(4))
    assert tiers.properties() == ["SOURCE"]  # of two prefixes
    tiers = Tiers()
    host = tiers.host.alloc(2)
    tiers.copier.copy(False, [0, 1], host)
    tiers.copier.copy(True, host, tiers.device.alloc(2))
    assert tiers.properties() == ["SOURCE"]  # which its own copy has not filled


def test_wrong_targets_are_found() -> None:
    tiers = Tiers()
    tiers.copier.copy(False, [0, 1], [0, 1])
    assert tiers.properties() == ["TARGET"]  # free
    host = tiers.host.alloc(2)
    tiers.copier.begin()
    tiers.host.begin()
    tiers.copier.copy(False, [0, 1], host)
    assert tiers.properties() == ["TARGET"]  # in use since an earlier operation
    tiers = Tiers()
    host = tiers.host.alloc(2)
    tiers.copier.copy(False, [0, 1], host)
    tiers.copier.copy(False, [0, 1], host)
    assert tiers.properties() == ["TARGET"]  # under another copy
    tiers.copier.copy(False, [0, 1, 2, 3], tiers.host.alloc(2))
    assert tiers.properties() == ["TARGET"]  # too few
    tiers.copier.copy(False, [0, 2], tiers.host.alloc(2))
    assert "PAGE_ALIGN" in tiers.properties()
