"""The digest of the package's sources: results of other sources are never taken for those of the present ones."""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

LAYERS = ("spec", "reference", "optimized", "verification")


@cache
def digest() -> str:
    """Return a digest of the package's sources at the first call."""
    found = sha256()
    for file in _sources():
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    for layer in LAYERS:
        spec = find_spec(f"radixcheck.{layer}")
        for place in spec.submodule_search_locations or () if spec else ():
            yield from sorted(file for file in Path(place).rglob("*") if file.suffix in (".py", ".toml"))
