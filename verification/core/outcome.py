"""The result of a job."""

from abc import ABC, abstractmethod
from typing import Any

from radixcheck.verification.core.status import Status


class Outcome(ABC):
    """The result of a job. Subclasses add what it found."""

    __slots__ = ()

    @property
    @abstractmethod
    def status(self) -> Status:
        """The exit status of the command."""

    @property
    def holds(self) -> bool:
        """Whether the status is HOLDS: nothing is refuted, and nothing undecided."""
        return self.status == Status.HOLDS

    @abstractmethod
    def to_json(self) -> Any:
        """Return the result as JSON: an object, or a list of objects."""
