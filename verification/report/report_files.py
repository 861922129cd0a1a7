"""The report as files: HTML, Markdown, JSON, and JUnit XML for continuous integration."""

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from radixcheck.verification.core.atomic_write import write_atomically
from radixcheck.verification.core.progress import Progress
from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.findings.finding import comparisons, findings, searches
from radixcheck.verification.findings.finding_results import NOT_RUN, Repeated
from radixcheck.verification.findings.repeat import repeat
from radixcheck.verification.report import findings_view as found_in_the_field
from radixcheck.verification.report.html import html
from radixcheck.verification.report.junit import junit
from radixcheck.verification.report.markdown import markdown
from radixcheck.verification.report.questions_view import Answered, answered, status, to_json
from radixcheck.verification.report.sections import document
from radixcheck.verification.report.step_summary import summary
from radixcheck.verification.review_6907.answers import OURS, PROVE, Answer, reviewed, sources
from radixcheck.verification.runs.report_data import Gathered
from radixcheck.verification.runs.results import EXPLORED, collect
from radixcheck.verification.runs.store import folder

EVERYTHING = ("mutants", *(f"explore {subject}" for subject in EXPLORED))  # beside what answers rest on


@dataclass(frozen=True, slots=True)
class Written:
    """What a report says, and where it is."""

    answered: tuple[Answered, ...]
    status: Status
    paths: tuple[Path, ...]  # none, if nothing was written


def answers(chosen: Sequence[Answer], subjects: tuple[str, ...], results: Path, python: str | None, progress: Progress) -> Written:
    """Some answers, from the results that they rest on. Raises `UsageError` if those cannot be stored."""
    asked = reviewed(chosen, subjects)
    found = answered(collect(folder(results, "--results"), sources(asked), python, progress), asked)
    return Written(found, status(found), ())


def report(
    chosen: Sequence[Answer], subjects: tuple[str, ...], results: Path, python: str | None, progress: Progress, out: Path
) -> Written:
    """The whole report, written to `out`. Raises `UsageError` if it, or the results, cannot be written."""
    place, stored, asked = folder(out, "--out"), folder(results, "--results"), reviewed(chosen, subjects)
    needed = (*sources(asked), *(subjects or (OURS,)), *EVERYTHING)
    collected = collect(stored, needed, python, progress)
    found = answered(collected, asked)
    repeated = _field(python, progress)
    versions = _versions() | {"the solver": collected.stored[PROVE]["solver"]}
    gathered = Gathered(subjects or (OURS,), bool(subjects), collected, found, repeated, versions)
    with progress("writing") as told:
        told(0.1, "pictures")
        whole = document(gathered)
    outcomes = [collected.stored[subject] for subject in gathered.subjects]
    texts = {"report.html": html(whole), "report.md": markdown(whole), "report.json": json.dumps(_json(gathered), indent=1) + "\n"}
    texts |= {"junit.xml": junit(outcomes), "summary.md": summary(outcomes)}
    for name, text in texts.items():
        write_atomically(place / name, text)
    return Written(found, worst([status(found), *(outcome["status"] for outcome in outcomes)]), tuple(place / name for name in texts))


def _json(found: Gathered) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        "subjects": list(found.subjects),
        "versions": dict(found.versions),
        "answers": to_json(found.answered),
        "findings": dict(found.findings),
        "results": dict(found.results.stored),
    }


def _field(python: str | None, progress: Progress) -> dict[str, Any]:
    """What was found in released caches; repeated where there is an interpreter that has them."""
    repeated = []
    with progress("findings") as told:
        for i, each in enumerate(found := findings()):
            told(i / len(found), each.id)
            repeated.append(repeat(each, python) if python else Repeated(each, NOT_RUN, "not repeated here", NOT_RUN, "not repeated here"))
    return found_in_the_field.to_json(repeated, comparisons(), searches())


def _versions() -> dict[str, str]:
    today = datetime.now(UTC).isoformat(timespec="minutes")
    return {"radixcheck": version("radixcheck"), "Python": platform.python_version(), "torch": version("torch"), "on": today}
