"""The job of `radixcheck doctor`: whether an SGLang can have the cache."""

import sys

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.live.doctor import doctor as ask
from radixcheck.verification.live.doctor_results import DoctorOutcome


def doctor(python: str | None = None, progress: Progress = silent) -> DoctorOutcome:
    """Ask a Python, this one by default. Raise UsageError if there is no such interpreter."""
    with progress("doctor"):
        return ask(sys.executable if python is None else python)
