"""What `radixcheck doctor` found in the Python of an engine."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from radixcheck.verification.core.status import Outcome, Status


class State(StrEnum):
    """One part of an environment."""

    FITS = "FITS"
    NOTE = "NOTE"  # it is there; the text says what to know about it
    MISSING = "MISSING"  # nothing is known about it: `run` would help
    DIFFERS = "DIFFERS"  # it is there, and does not fit


@dataclass(frozen=True, slots=True)
class Part:
    """One row."""

    part: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class DoctorOutcome(Outcome):
    """All parts. HOLDS: ready. REFUTED: a part is there and does not fit. UNDECIDED: a part is missing."""

    python: str
    parts: tuple[Part, ...]
    run: str  # the command to run next

    @property
    def status(self) -> Status:
        """The exit status of the command."""
        states = {part.state for part in self.parts}
        return Status.REFUTED if State.DIFFERS in states else Status.UNDECIDED if State.MISSING in states else Status.HOLDS

    def to_json(self) -> dict[str, Any]:
        """Return the parts as a JSON object."""
        return {
            "status": self.status,
            "ready": self.holds,
            "python": self.python,
            "parts": [asdict(p) for p in self.parts],
            "run": self.run,
        }
