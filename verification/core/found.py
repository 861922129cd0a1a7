"""The configuration of a run, and what a check finds in it: a violation, and the trace that reproduces it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from radixcheck.verification.operations import Trace


@dataclass(frozen=True, slots=True)
class Config:
    """The policy, page size, pool and device of one run. A trace and its configuration repeat a run."""

    policy: str
    page_size: int  # tokens
    pool: int  # tokens
    device: str = "cpu"

    def __str__(self) -> str:
        return f"{self.policy}, pages of {self.page_size}, pool of {self.pool}"

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as a JSON object."""
        return {"policy": self.policy, "page_size": self.page_size, "pool": self.pool, "device": self.device}


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
