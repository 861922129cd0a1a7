"""The files for continuous integration that `radixcheck verify` writes: JUnit XML, and the summary of a step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.report.junit import junit
from radixcheck.verification.report.summary import summary
from radixcheck.verification.subjects.registry import UsageError


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
            unfinished = _unfinished(self.junit)
            try:
                unfinished.write_text(junit(outcomes), encoding="utf-8")
                unfinished.replace(self.junit)
            except OSError as error:
                unfinished.unlink(missing_ok=True)
                raise _cannot("--junit", self.junit, error) from error
        if self.summary is not None:
            try:
                with self.summary.open("a", encoding="utf-8") as file:
                    file.write(summary(outcomes))
            except OSError as error:
                raise _cannot("--summary", self.summary, error) from error


def _cannot(option: str, file: Path, error: OSError) -> UsageError:
    return UsageError(f"{option} {file}: cannot be written ({error.strerror}); give another file")


def _unfinished(file: Path) -> Path:
    return file.with_name(file.name + ".part")


def _new(file: Path) -> None:
    """What stands there stays until the new text is whole, so that the folder must take a second file."""
    if file.is_dir():
        raise IsADirectoryError(0, "it is a folder")
    _unfinished(file).open("w").close()
    _unfinished(file).unlink()


def _open_end(file: Path) -> None:
    existed = file.exists()
    file.open("a").close()
    if not existed:
        file.unlink()
