"""Stored results: each file holds the digest of the sources that made it, so that outdated results are never shown."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from radixcheck.verification.core.atomic_write import write_atomically
from radixcheck.verification.core.sources import digest
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.runs.stored_results import Results, Stored


def folder(path: Path, option: str) -> Path:
    """Return the folder; create it if it does not exist. Raise UsageError if it cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / ".written").touch()
        (path / ".written").unlink()
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be written ({error.strerror}); give another folder") from error
    return path


def load(file: Path) -> Stored | None:
    """Return the results in the file if they are of the present sources, else None."""
    try:
        found: Stored = json.loads(file.read_text())
        return found if found["sources"] == digest() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # an unfinished file, or one that another program wrote


def stored(file: Path, obtain: Callable[[], Stored]) -> Stored:
    """Return the results in the file if they are of the present sources and finished; else obtain and store them."""
    found = load(file)
    return store(file, obtain()) if found is None or found.get("unfinished") else found


def store(file: Path, results: Stored) -> Stored:
    """Write the results with the digest of the sources, and return them as they will be read."""
    text = json.dumps({"sources": digest(), **results}, indent=1)
    write_atomically(file, text + "\n")
    fresh: Stored = json.loads(text)
    return fresh


def present(folder: Path, sources: Iterable[str]) -> Results:
    """Return the stored results of these sources, if the present sources of the package made them. Nothing is run."""
    found = {source: load(file_of(folder, source)) for source in dict.fromkeys(sources)}
    return Results({source: each for source, each in found.items() if each is not None})


def file_of(folder: Path, source: str) -> Path:
    """Return the file with the results of a source."""
    return folder / ("".join(c if c.isalnum() or c in "-._" else "-" for c in source)[:120] + ".json")
