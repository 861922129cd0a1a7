"""Stored results: read from a folder, and obtained where they are missing or speak of other sources than these."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from radixcheck.verification.report.answers import SUBJECTS, Evidence
from radixcheck.verification.subjects.registry import UsageError

LAYERS = ("spec", "reference", "optimized", "verification")
Progress = Callable[[str], AbstractContextManager[Any]]
Stored = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What is stored of one piece of evidence."""

    verdict: str
    detail: str  # how much was decided, and in what time


class Results:
    """What is known of conditions and properties."""

    def __init__(self, proofs: Stored, verified: Mapping[str, Stored]) -> None:
        self._cells = {cell["name"]: cell for cell in proofs["cells"]}
        self._properties = {(subject, p["id"]): p for subject, found in verified.items() for p in found["properties"]}

    def of(self, evidence: Evidence) -> Result | None:
        """The result, if there is one."""
        if evidence.source != "prove":
            found = self._properties.get((evidence.source, evidence.name))
            return found and Result(found["verdict"], f"{found['non_vacuous']:,} of {found['checked']:,} states or calls said something")
        cells = [c for c in self._cells.values() if evidence.name in (c["name"], c["formula"])]
        if not cells:
            return None
        verdicts = dict.fromkeys(cell["verdict"] for cell in cells)
        seconds = sum(each["seconds"] for cell in cells for each in cell["decided"])
        return Result(" / ".join(verdicts), f"{len(cells)} condition{'s' if len(cells) > 1 else ''}, {seconds:.1f} s")


def collect(folder: Path, progress: Progress) -> Results:
    """All results that the answers rest on. Raises `UsageError` if they cannot be stored."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--results {folder}: cannot be made ({error.strerror}); give another folder") from error
    proofs = _stored(folder / "prove.json", lambda: _prove(progress))
    return Results(proofs, {subject: _stored(_file(folder, subject), lambda: _verify(subject, progress)) for subject in SUBJECTS})  # noqa: B023


def _file(folder: Path, subject: str) -> Path:
    return folder / f"verify-{subject.replace(':', '-')}.json"


def _stored(file: Path, obtain: Callable[[], Stored]) -> Stored:
    """What is in the file, if it speaks of these very sources; else it is obtained and stored there."""
    sources = digest()
    try:
        found: Stored = json.loads(file.read_text())
        if found["sources"] == sources:
            return found
    except (OSError, ValueError, KeyError, TypeError):
        pass  # nothing that can be used: an unfinished file, or somebody else's
    fresh = {"sources": sources, **obtain()}
    unfinished = file.with_suffix(".part")  # what was stored before stays until this is whole
    unfinished.write_text(json.dumps(fresh, indent=1) + "\n")
    unfinished.replace(file)
    return fresh


def digest() -> str:
    """A digest of the package's sources."""
    found = sha256()
    for file in _sources():
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    for layer in LAYERS:
        spec = find_spec(f"radixcheck.{layer}")
        for place in spec.submodule_search_locations or () if spec else ():
            yield from sorted(Path(place).rglob("*.py"))


def _prove(progress: Progress) -> Stored:
    from radixcheck.verification.proofs import campaign
    from radixcheck.verification.report import proofs

    names = campaign.chosen((), (), ())
    with progress("proving") as told:
        found = campaign.campaign(names, (0,), 2, lambda results: told(len(results) / len(names), f"{len(results)} of {len(names)}"))
    return proofs.to_json(found)


def _verify(subject: str, progress: Progress) -> Stored:
    from radixcheck.verification.report.outcome import Request, verify_and_replay
    from radixcheck.verification.search.verify import supported

    supports, _ = supported(subject, "cpu")
    request = Request(supports.policies, supports.page_sizes, None, "cpu", 0)
    return verify_and_replay(subject, request, 30, False, progress).to_json()
