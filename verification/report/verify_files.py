"""The files that `radixcheck verify` writes: JUnit XML, the summary of a step, and traces of what is refuted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.core import traces
from radixcheck.verification.core.atomic_write import unfinished, write_whole
from radixcheck.verification.core.catalogue import CATALOGUE
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report.junit import junit
from radixcheck.verification.report.step_summary import summary


@dataclass(frozen=True, slots=True)
class Files:
    """Where to write; None: nowhere."""

    junit: Path | None
    summary: Path | None

    def check(self) -> None:
        """Whether they can be written, before anything is run; it leaves nothing behind. Raises `UsageError`."""
        for option, file, probe in (("--junit", self.junit, _new), ("--summary", self.summary, _open_end)):
            if file is None:
                continue
            try:
                probe(file)
            except OSError as error:
                raise _cannot(option, file, error) from error

    def write(self, outcomes: Sequence[Mapping[str, Any]]) -> None:
        """The XML whole or not at all; the summary after what its file holds. Raises `UsageError`."""
        if self.junit is not None:
            try:
                write_whole(self.junit, junit(outcomes))
            except OSError as error:
                raise _cannot("--junit", self.junit, error) from error
        if self.summary is not None:
            try:
                with self.summary.open("a", encoding="utf-8") as file:
                    file.write(summary(outcomes))
            except OSError as error:
                raise _cannot("--summary", self.summary, error) from error


@dataclass(frozen=True, slots=True)
class TraceFolder:
    """Where the smallest trace of each refuted property goes, a file each; None: nowhere."""

    folder: Path | None

    def check(self, subjects: Sequence[str]) -> None:
        """Make the folder, and see whether its files can be written, before anything is run. Raises `UsageError`."""
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for subject in subjects:
                _new(self.file(subject, max(CATALOGUE, key=len)))
        except OSError as error:
            raise UsageError(f"--traces {self.folder}: cannot be written ({error.strerror}); give another folder") from error

    def write(self, subject: str, found: Sequence[Found]) -> dict[str, str]:
        """The files by property; those of these names that were there are replaced. Raises `UsageError`."""
        written: dict[str, str] = {}
        for one in found if self.folder is not None else ():
            id_ = one.violation.property
            file = self.file(subject, id_)
            traces.write(file, traces.Recorded(one.config, one.trace, subject, id_))
            written[id_] = str(file)
        return written

    def file(self, subject: str, property_: str) -> Path:
        """As `as-submitted-pairs-ORDER.jsonl`."""
        return (self.folder or Path()) / f"{subject.replace(':', '-').replace('/', '-')}-{property_}.jsonl"


def _cannot(option: str, file: Path, error: OSError) -> UsageError:
    return UsageError(f"{option} {file}: cannot be written ({error.strerror}); give another file")


def _new(file: Path) -> None:
    """What stands there stays until the new text is whole, so that the folder must take a second file."""
    if file.is_dir():
        raise IsADirectoryError(0, "it is a folder")
    unfinished(file).open("w").close()
    unfinished(file).unlink()


def _open_end(file: Path) -> None:
    existed = file.exists()
    file.open("a").close()
    if not existed:
        file.unlink()
