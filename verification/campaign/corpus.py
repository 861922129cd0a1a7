"""The corpus: traces that are kept from one campaign to the next, which replays them first.

It has one trace for each mark of coverage, the shortest run that reached it, and the smallest trace of each finding. It is a folder with
trace files, which any command reads, and an index of their marks.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from radixcheck.verification.campaign.packed import packed
from radixcheck.verification.campaign.shard import digest_of
from radixcheck.verification.checker.coverage import Coverage, Origin
from radixcheck.verification.core.atomic_write import write_atomically, write_durably
from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.traces import Recorded, read, write
from radixcheck.verification.core.usage import UsageError

INDEX, TEST = "marks.json", "test_kept_traces.py"

EXPORTED = '''"""Traces that a campaign has kept, replayed with every operation checked. Each file beside this one is one of them."""

from pathlib import Path

import pytest

from radixcheck.verification.core.traces import read
from radixcheck.verification.core.workers import workers
from radixcheck.verification.search.run import replay
from radixcheck.verification.search.shrink import replicas_for
from radixcheck.verification.subjects.registry import resolve

TRACES = sorted(Path(__file__).parent.glob("*.jsonl"))
assert TRACES, "the traces must lie beside this file"


@pytest.mark.parametrize("file", TRACES, ids=[file.stem for file in TRACES])
def test_the_operations_break_nothing(file: Path) -> None:
    recorded = read(file)
    subject = resolve(recorded.subject, recorded.config.device)

    with workers(1) as process:  # an operation may end its process
        replayed = process.submit(replay, subject, recorded.config, recorded.trace, replicas_for(recorded.property)).result()
    assert replayed.found == {}
'''


@dataclass(frozen=True, slots=True)
class Corpus:
    """The corpus in a folder."""

    folder: Path

    def check(self) -> None:
        """Make the folder. Raise UsageError if it cannot be written, or if it is not the folder of a corpus."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (self.folder / INDEX).exists():
                write_atomically(self.folder / INDEX, "{}\n")
            self._index()
        except (OSError, ValueError) as error:
            raise UsageError(f"--corpus {self.folder}: cannot be used ({error}); give another folder") from error

    def traces(self) -> list[Recorded]:
        """Return the traces, by the names of their files. Raise UsageError for one that cannot be read."""
        return [read(file) for file in sorted(self.folder.glob("*.jsonl"))]

    @property
    def known(self) -> set[str]:
        """The marks that its traces reach."""
        return {mark for marks in self._index().values() for mark in marks}

    def add(self, kept: Iterable[tuple[Recorded, Iterable[str]]]) -> None:
        """Add traces with their marks. A trace that is there is not written again. Raise UsageError."""
        try:
            index = self._index()
            for recorded, marks in kept:
                name = f"{recorded.property or 'reached'}-{digest_of(packed(recorded))}.jsonl"
                if not (self.folder / name).exists():
                    write(self.folder / name, recorded)
                index[name] = sorted({*index.get(name, ()), *marks})
            write_durably(self.folder / INDEX, json.dumps(index, indent=1, sort_keys=True) + "\n")
        except (OSError, ValueError) as error:
            raise UsageError(f"--corpus {self.folder}: cannot be written ({error}); the campaign is stored all the same") from error

    def export(self, folder: Path) -> None:
        """Write the traces and a test that replays them into a folder. Raise UsageError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / TEST, EXPORTED)
            for file in sorted(self.folder.glob("*.jsonl")):
                write_atomically(folder / file.name, file.read_text())
        except OSError as error:
            raise UsageError(f"--export {folder}: cannot be written ({error.strerror}); give another folder") from error

    def _index(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = json.loads((self.folder / INDEX).read_text())
        if not isinstance(index, dict):
            raise ValueError(f"{INDEX} is no index of marks")
        return index


def newly_reached(coverage: Coverage, known: Iterable[str]) -> dict[Origin, list[str]]:
    """Return the runs that reached marks that are not known, each with these marks; one run to the last of its marks."""
    new = {mark: origin for mark, origin in coverage.reached.items() if mark not in set(known)}
    longest: dict[object, Origin] = {}
    for origin in new.values():
        run = _run(origin)
        longest[run] = max(origin, longest.get(run, origin), key=lambda each: each.operations)
    kept: dict[Origin, list[str]] = {}
    for mark, origin in new.items():
        kept.setdefault(longest[_run(origin)], []).append(mark)
    return kept


def _run(origin: Origin) -> object:
    """Return what two prefixes of one run share."""
    return replace(origin, operations=0)


def of_findings(subject: str, found: Iterable[Found], longest: int) -> list[tuple[Recorded, Iterable[str]]]:
    """Return the traces of findings that show them again and are short enough to be replayed each time, without marks."""
    short = (each for each in found if 0 < len(each.trace) <= longest and each.violation.property not in PROBED)
    return [(Recorded(each.config, each.trace, subject, each.violation.property), ()) for each in short]
