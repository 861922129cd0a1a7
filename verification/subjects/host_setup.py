"""The host tier of a setup, for a cache that always has one: without a host pool it is a cache whose host has no room."""

from typing import Any

from radixcheck.spec.values import Copier, Ticket
from radixcheck.verification.core.tier_pool import HostPool
from radixcheck.verification.protocol import MODES, Setup, SlotPool


class NoCopier:
    """The copier of a cache whose host has no room: it is never used."""

    def copy(self, up: bool, sources: object, targets: object) -> Ticket:
        """Raise AssertionError."""
        raise AssertionError("a host without room copies nothing")


def host_of(setup: Setup) -> tuple[SlotPool, Copier[Any], str]:
    """Return the host pool, the copier and the mode of a setup. Without a host tier: a pool of no pages."""
    if setup.host_pool is None or setup.copier is None:
        return HostPool(0, setup.page_size), NoCopier(), MODES[0]
    return setup.host_pool, setup.copier, setup.mode
