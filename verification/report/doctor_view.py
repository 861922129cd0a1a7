"""The result of `radixcheck doctor` at the terminal."""

from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.status import Status
from radixcheck.verification.live.doctor_results import DoctorOutcome, State
from radixcheck.verification.report.style import COLOURS, Tone, of_status, table

TONES = {State.FITS: Tone.GOOD, State.NOTE: Tone.DIM, State.MISSING: Tone.UNDECIDED, State.DIFFERS: Tone.BAD}
WORDS = {Status.HOLDS: "ready; serve with", Status.REFUTED: "does not fit; run", Status.UNDECIDED: "something is missing; run"}


def doctor(outcome: DoctorOutcome) -> list[Any]:
    """Return a row for each part, and what to run."""
    shown = table("part", "state", "what was found")
    for part in outcome.parts:
        shown.add_row(part.part, Text(part.state, COLOURS[TONES[part.state]]), part.text)
    return [shown, of_status(WORDS[outcome.status], outcome.status), Padding(Text(outcome.run), (0, 0, 0, 2))]
