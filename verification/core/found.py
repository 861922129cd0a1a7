"""What a check finds: a violation, and the trace that reproduces it."""

from dataclasses import dataclass
from typing import NamedTuple

from radixcheck.verification.core.config import Config
from radixcheck.verification.operations import Trace


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
