"""The configuration of a run, and what a check finds in it: a violation, and the trace that reproduces it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from radixcheck.verification.operations import Trace


class Tier(NamedTuple):
    """The host tier of one run."""

    host_pool: int  # tokens
    mode: str  # of protocol.MODES


@dataclass(frozen=True, slots=True)
class Config:
    """The policy, page size, pools and device of one run. A trace and its configuration repeat a run."""

    policy: str
    page_size: int  # tokens
    pool: int  # tokens
    device: str = "cpu"
    host_pool: int = 0  # tokens
    mode: str = ""  # of the host tier; empty: the cache has none

    def __str__(self) -> str:
        host = f", host pool of {self.host_pool}, {self.mode}" if self.mode else ""
        return f"{self.policy}, pages of {self.page_size}, pool of {self.pool}{host}"

    @property
    def tier(self) -> Tier | None:
        """The host tier; None: the cache has none."""
        return Tier(self.host_pool, self.mode) if self.mode else None

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as a JSON object. A host tier is in it only where there is one."""
        host = {"host_pool": self.host_pool, "mode": self.mode} if self.mode else {}
        return {"policy": self.policy, "page_size": self.page_size, "pool": self.pool, "device": self.device, **host}


class Violation(NamedTuple):
    """One property that is broken at one step. `follows_from`: the property whose failure caused this one; empty if none did."""

    property: str
    text: str
    follows_from: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A violation with the operations that reproduce it. The last operation shows it."""

    violation: Violation
    trace: Trace
    config: Config
    ends_process: bool = False  # the operations end the process of the cache, or do not return
    at: int = 0  # the number of the operation that is wrong; 0: the last one

    @property
    def wrong(self) -> int:
        """The number of the operation that is wrong."""
        return self.at or len(self.trace)
