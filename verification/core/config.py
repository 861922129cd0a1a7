"""The configuration of a run."""

from dataclasses import dataclass
from typing import Any


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
