"""Results that were stored: each in a file of its own that says of which sources it speaks, so that old ones are never shown as today's."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from radixcheck.verification.core.atomic_write import write_atomically
from radixcheck.verification.core.usage import UsageError

LAYERS = ("spec", "reference", "optimized", "verification")
Stored = Mapping[str, Any]


def folder(path: Path, option: str) -> Path:
    """The folder, made if need be. Raises `UsageError` if that cannot be, before anything is run for it."""
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
        return None  # an unfinished file, or one that this package did not write


def stored(file: Path, obtain: Callable[[], Stored]) -> Stored:
    """Return the results in the file if they are of the present sources; else obtain and store them."""
    return load(file) or store(file, obtain())


def store(file: Path, results: Stored) -> Stored:
    """Write them, and of which sources they speak."""
    text = json.dumps({"sources": digest(), **results}, indent=1)
    write_atomically(file, text + "\n")
    fresh: Stored = json.loads(text)  # as it will be read
    return fresh


@cache
def digest() -> str:
    """A digest of the package's sources, as they are when it is first asked for."""
    found = sha256()
    for file in _sources():
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    for layer in LAYERS:
        spec = find_spec(f"radixcheck.{layer}")
        for place in spec.submodule_search_locations or () if spec else ():
            yield from sorted(file for file in Path(place).rglob("*") if file.suffix in (".py", ".toml"))
