"""Cycles of copies between two tiers find what a cache keeps of them, and nothing in right ones."""

from typing import Any

import pytest

from radixcheck.spec.values import Key, Row, Ticket
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.probes.all_probes import OF_HOST, POOL_PAGES, probed
from radixcheck.verification.protocol import MODES
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject
from radixcheck.verification.subjects.registry import resolve


class KeepsTickets(ReferenceHostSubject):
    """Remembers each ticket that it has handled."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.handled: list[object] = []

    def poll(self) -> list[Ticket]:
        """Keep them."""
        done = super().poll()
        self.handled += done
        return done


class KeepsFailedLoads(ReferenceHostSubject):
    """Remembers the node of each load that failed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.failed: list[object] = []

    def poll(self) -> list[Ticket]:
        """Keep the nodes."""
        self.failed += [copy.end for copy in self.copies if copy.up and copy.ticket.failed]
        return super().poll()


class KeepsWaits(ReferenceHostSubject):
    """Remembers what each request has waited for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.waited: dict[int, tuple[object, ...]] = {}

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """Keep the tickets."""
        row = super().start(request, key, priority)
        self.waited[request] = row.waits
        return row


def result_of(factory: Factory, mode: str) -> Any:
    (name,) = OF_HOST
    return probed(factory, Config("lru", 1, POOL_PAGES, host_pool=POOL_PAGES, mode=mode), name)


@pytest.mark.parametrize("mode", MODES)
def test_the_reference_keeps_nothing_of_a_copy(mode: str) -> None:
    result = result_of(resolve("reference-host"), mode)

    assert result.found == {}
    assert result.tally.checked["MEM_BOUND"] == 4  # cycles


@pytest.mark.parametrize(
    ("kind", "cycle"),
    [
        (KeepsTickets, "copying a new key to the host and back"),
        (KeepsFailedLoads, "a load that fails"),
        (KeepsWaits, "a request that loads back before it runs"),
    ],
)
def test_what_is_kept_of_copies_is_found_by_the_cycle_that_makes_it(kind: type[ReferenceHostSubject], cycle: str) -> None:
    found = result_of(kind.of, "write_through").found

    assert found.keys() == {"MEM_BOUND"}
    assert f"cycles of {cycle}," in found["MEM_BOUND"].violation.text
