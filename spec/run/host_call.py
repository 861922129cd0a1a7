"""A call of a cache with a host tier as it is recorded, its copies, and what the machine does not decide."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from radixcheck.spec.run.cache_machine import Call


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that was issued: its holder, its direction, its span, and the pages of each position of the span, in order."""

    holder: int
    up: bool  # from the host to the device
    floor: int
    aim: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(slots=True)
class HostCall(Call):
    """One call. `longest` is the cached part of its key, `found` what the device has of it; `victims` leave the device."""

    demoted: list[int] = field(default_factory=list)  # nodes that left the device and stayed in the tree, in order
    gone: list[int] = field(default_factory=list)  # nodes that left the tree, in order
    host_victims: list[int] = field(default_factory=list)  # nodes that left the host, in order
    host_freed: list[int] = field(default_factory=list)  # host pages, in order
    issued: list[Copy] = field(default_factory=list)
    loaded: int = 0  # tokens of the load that was issued
    again: list[int] = field(default_factory=list)  # holders of failed copies that must be issued again
    given_back: int = 0  # how many of `freed` the pool has by now
    host_given_back: int = 0  # of `host_freed`


class Surroundings(Protocol):
    """What the machine does not decide: which free pages a copy takes, and whether one arrives for which the call waits.

    When it is asked, `freed` and `host_freed` of the call have what is free by then.
    """

    def device_pages(self, positions: Sequence[int]) -> Sequence[int]:
        """Free device pages for a load of these positions."""

    def host_pages(self, positions: Sequence[int]) -> Sequence[int]:
        """Free host pages for a backup of these positions."""

    def issued(self, copy: Copy) -> None:
        """This copy is in flight now."""

    def arrives(self, copy: Copy) -> bool:
        """Whether this copy, for which the call waits, arrives; otherwise it fails."""

    def backed_up(self) -> int | None:
        """The node that is copied to the host next, where COPIES is chosen; None: no further one."""

    def freed_in_vain(self, followed: int) -> int:
        """How many host pages have become free, beside the first so many, for copies that are not issued, where IN_VAIN is chosen, too."""

    def dropped(self) -> Sequence[int]:
        """Nodes on both tiers that leave the host now, where DROPS is chosen."""
