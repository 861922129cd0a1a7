"""The settings of a watch, in the environment of the server: one table of names, for both directions."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.watch.watch_results import ITSELF

FOLDER = "RADIXCHECK_WATCH"  # without it, nothing is watched
NAMES = {  # of each other setting
    "budget_us": "RADIXCHECK_WATCH_BUDGET",
    "abort_on": "RADIXCHECK_WATCH_ABORT_ON",
    "shadow": "RADIXCHECK_WATCH_SHADOW",
    "metrics_port": "RADIXCHECK_WATCH_METRICS_PORT",
    "operations": "RADIXCHECK_WATCH_OPERATIONS",
}
ALL = "all"  # in `abort_on`: every property
BUDGET_MAX, OPERATIONS_MAX, PORT_MAX = 1_000_000, 1_000_000, 65_535
SWITCH = {"0": False, "1": True}

log = logging.getLogger("radixcheck")


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Where findings go, and how much is checked. Raises UsageError for a wrong value."""

    folder: Path
    budget_us: int = 50  # microseconds for checks in each call of the server
    abort_on: frozenset[str] = frozenset()  # properties whose finding ends the process; "all": each
    shadow: bool = False  # run our cache beside theirs
    metrics_port: int | None = None  # on which metrics are served
    operations: int = 2000  # the last ones, which a trace begins with

    def __post_init__(self) -> None:
        for property_ in sorted(self.abort_on - {ALL} - ITSELF):
            if property_ not in EVERY:
                raise UsageError(f"there is no property {property_!r} to abort on: `radixcheck invariants` lists them; or give {ALL}")
        _check("the budget", self.budget_us, "microseconds", 0, BUDGET_MAX)
        _check("the number of operations", self.operations, "operations", 1, OPERATIONS_MAX)
        if self.metrics_port is not None:
            _check("the port of the metrics", self.metrics_port, "a port", 1, PORT_MAX)

    def aborts_on(self, property_: str) -> bool:
        """Return whether a finding of this property ends the process."""
        return bool(self.abort_on) and (property_ in self.abort_on or ALL in self.abort_on)

    def to_environment(self) -> dict[str, str]:
        """Return the variables, of which `from_environment` makes the same settings. What is at its default is left out."""
        texts = {
            "budget_us": str(self.budget_us),
            "abort_on": ",".join(sorted(self.abort_on)),
            "shadow": str(int(self.shadow)),
            "metrics_port": "" if self.metrics_port is None else str(self.metrics_port),
            "operations": str(self.operations),
        }
        default = WatchSettings(self.folder)
        return {FOLDER: str(self.folder)} | {NAMES[f]: text for f, text in texts.items() if getattr(self, f) != getattr(default, f)}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "WatchSettings | None":
        """Return the settings; None if nothing is to be watched. Raise UsageError for a wrong value."""
        if not environment.get(FOLDER):
            return None
        given = {field: text for field, name in NAMES.items() if (text := environment.get(name, ""))}
        numbers = {field: _integer(NAMES[field], given[field]) for field in ("budget_us", "metrics_port", "operations") if field in given}
        abort_on = frozenset(filter(None, (each.strip() for each in given.get("abort_on", "").split(","))))
        shadow = _switch(NAMES["shadow"], given.get("shadow", "0"))
        return cls(Path(environment[FOLDER]), abort_on=abort_on, shadow=shadow, **numbers)


def settings_of_server(environment: Mapping[str, str]) -> WatchSettings | None:
    """Return the settings; None if nothing is to be watched, or if a value is wrong, which is logged. Never raises."""
    try:
        return WatchSettings.from_environment(environment)
    except UsageError as wrong:
        log.error("the cache is not watched: %s", wrong)
        return None


def _check(what: str, value: int, unit: str, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UsageError(f"{what} is {value}: give {unit} from {least} to {most}")


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise UsageError(f"{name} is {text!r}: give an integer") from error


def _switch(name: str, text: str) -> bool:
    if text not in SWITCH:
        raise UsageError(f"{name} is {text!r}: give 1, or 0, or leave it out")
    return SWITCH[text]
