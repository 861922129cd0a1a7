"""The files that `radixcheck verify` writes: JUnit XML, the summary of a step, and traces of what is refuted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.core import traces
from radixcheck.verification.core.atomic_write import part_file, write_atomically
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.usage import UsageError


@dataclass(frozen=True, slots=True)
class Files:
    """Where to write; None: nowhere."""

    junit: Path | None
    summary: Path | None

    def check(self) -> None:
        """Raise UsageError unless both files can be written. Nothing is left behind."""
        for option, file, probe in (("--junit", self.junit, _new), ("--summary", self.summary, _open_end)):
            if file is None:
                continue
            try:
                probe(file)
            except OSError as error:
                raise _cannot(option, file, error) from error

    def write(self, outcomes: Sequence[Mapping[str, Any]]) -> None:
        """Write the XML atomically, and append the summary to its file. Raise UsageError."""
        from radixcheck.verification.report.junit import junit
        from radixcheck.verification.report.step_summary import summary

        if self.junit is not None:
            try:
                write_atomically(self.junit, junit(outcomes))
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
    """The folder for the smallest trace of each refuted property; None: nowhere."""

    folder: Path | None

    def check(self, subjects: Sequence[str]) -> None:
        """Make the folder. Raise UsageError unless its files can be written."""
        if self.folder is None:
            return
        from radixcheck.verification.core.catalogue import CATALOGUE

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for subject in subjects:
                _new(self.file(subject, max(CATALOGUE, key=len)))
        except OSError as error:
            raise UsageError(f"--traces {self.folder}: cannot be written ({error.strerror}); give another folder") from error

    def write(self, subject: str, found: Sequence[Found]) -> dict[str, str]:
        """Write a file for each property, replacing files of the same names; return their paths by property. Raise UsageError."""
        written: dict[str, str] = {}
        for one in found if self.folder is not None else ():
            id_ = one.violation.property
            file = self.file(subject, id_)
            traces.write(file, traces.Recorded(one.config, one.trace, subject, id_))
            written[id_] = str(file)
        return written

    def file(self, subject: str, property_: str) -> Path:
        """Return the path of a trace, such as `as-submitted-pairs-ORDER.jsonl`."""
        name = subject.replace(":", "-").replace("/", "-").lstrip(".-")  # of ./file.py:factory
        return (self.folder or Path()) / f"{name}-{property_}.jsonl"


def _cannot(option: str, file: Path, error: OSError) -> UsageError:
    return UsageError(f"{option} {file}: cannot be written ({error.strerror}); give another file")


def _new(file: Path) -> None:
    """Raise OSError unless a second file can be made next to this one, as `write_atomically` does."""
    if file.is_dir():
        raise IsADirectoryError(0, "it is a folder")
    part_file(file).open("w").close()
    part_file(file).unlink()


def _open_end(file: Path) -> None:
    existed = file.exists()
    file.open("a").close()
    if not existed:
        file.unlink()
