"""The result of a job, the exit status of a command, and the words for verdicts."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import Any


class Status(IntEnum):
    """The result of a command or a job. The value is the exit status and appears in JSON."""

    HOLDS = 0
    REFUTED = 1
    WRONG_USE = 2
    UNDECIDED = 3


SEVERITY = (Status.HOLDS, Status.WRONG_USE, Status.UNDECIDED, Status.REFUTED)  # the only order of severity: the mildest first


def worst(statuses: Iterable[int]) -> Status:
    """Return the most severe status. Without any status, nothing was decided: return UNDECIDED.

    >>> worst([Status.HOLDS, Status.REFUTED, Status.UNDECIDED])
    <Status.REFUTED: 1>
    """
    return max(map(Status, statuses), key=SEVERITY.index, default=Status.UNDECIDED)


class Verdict(StrEnum):
    """The verdict on one property, condition, claim, contract, mutant or finding."""

    PROVED = "PROVED"  # by a solver, without bounds
    EXHAUSTED = "EXHAUSTED"  # in every state or for every input within stated bounds
    TESTED = "TESTED"  # no counterexample in a search
    MEASURED = "MEASURED"
    REFUTED = "REFUTED"  # by a counterexample
    OPEN = "OPEN"
    UNKNOWN = "UNKNOWN"  # the solver gave no answer
    UNDECIDED = "UNDECIDED"
    NOT_EXERCISED = "NOT EXERCISED"  # every check was vacuous
    NOT_OBSERVABLE = "NOT OBSERVABLE"  # the subject does not show what the property needs
    NOT_MEASURED = "NOT MEASURED"
    NOT_RUN = "NOT RUN"
    MISSING = "MISSING"  # there is no result
    NOT_AS_EXPECTED = "NOT AS EXPECTED"
    CONFIRMED = "CONFIRMED"  # by a second solver
    CONTRADICTED = "CONTRADICTED"
    KILLED = "KILLED"  # a mutant, by the property that must catch it
    ANOTHER_PROPERTY = "ANOTHER PROPERTY"  # a mutant, by a different property
    ANOTHER_DETECTOR = "ANOTHER DETECTOR"  # a mutant, by its property, but not in the search that must find it
    SURVIVED = "SURVIVED"
    CAUGHT = "CAUGHT"  # a mutant of the specification
    EQUIVALENT = "EQUIVALENT"
    REPEATED = "REPEATED"  # a finding that was reproduced
    GONE = "GONE"  # a finding that was not reproduced
    NO_TRACE = "NO TRACE"


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
        """Return the result as a JSON object."""
