"""The digest of what results depend on, the package's sources and some versions: results of others never count as present ones."""

import sys
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

LAYERS = ("spec", "reference", "optimized", "verification")
DRAWING = ("hypothesis", "torch", "z3-solver")  # packages of which another version may draw, compute or decide otherwise


@cache
def digest() -> str:
    """Return the digest at the first call."""
    return digest_now()


def digest_now() -> str:
    """Return the digest of the sources as they are now, of Python's version and of those of DRAWING."""
    found = sha256(repr([sys.version_info[:2], *map(_version, DRAWING)]).encode())
    for file in _sources():
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _sources() -> Iterator[Path]:
    for layer in LAYERS:
        spec = find_spec(f"radixcheck.{layer}")
        for place in spec.submodule_search_locations or () if spec else ():
            yield from sorted(file for file in Path(place).rglob("*") if file.suffix in (".py", ".toml"))
