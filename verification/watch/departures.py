"""Accepted departures as data: read from `departures.toml`, which says what each field means."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Departure:
    """One accepted departure of a cache from a property."""

    cache: str
    versions: tuple[str, ...]
    property: str
    why: str
    verb: str = ""  # empty: after each
    finding: str = ""  # empty: no finding describes it


@dataclass(frozen=True, slots=True)
class Departures:
    """Those of one cache in one version."""

    accepted: tuple[Departure, ...] = ()
    _after: frozenset[tuple[str, str]] = frozenset()  # (property, verb), where an empty verb is each

    @classmethod
    def of(cls, cache_name: str, version: str) -> "Departures":
        """Return those of a cache, as `radixcheck subjects` names it, in a version of its engine. Other versions have none."""
        return cls.among(departures(), cache_name, version)

    @classmethod
    def among(cls, every: Iterable[Departure], cache_name: str, version: str) -> "Departures":
        """Return those of a cache in a version."""
        accepted = tuple(each for each in every if each.cache == cache_name and version in each.versions)
        return cls(accepted, frozenset((each.property, each.verb) for each in accepted))

    def accepts(self, property_: str, verb: str) -> bool:
        """Return whether this property may fail after this verb."""
        return (property_, "") in self._after or (property_, verb) in self._after


def departures() -> tuple[Departure, ...]:
    """Return every accepted departure."""
    table = tomllib.loads((files(__package__) / "departures.toml").read_text(encoding="utf-8"))
    return tuple(map(_departure, table["departure"]))


def _departure(row: dict[str, Any]) -> Departure:
    return Departure(**row | {"versions": tuple(row["versions"])})
