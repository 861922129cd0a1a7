"""The settings of the pytest plugin: options of the command line, else of the ini file. This module imports nothing but pytest."""

from dataclasses import dataclass
from typing import Any

import pytest

from radixcheck.verification.core.usage import UsageError

PREFIX = "radixcheck::"  # of node ids that belong to no file

SECONDS_MIN = 0.1
NUMBER_MAX = 2**31
SUBJECT = "a cache to check: a name of `radixcheck subjects`, module:factory, exec:COMMAND or module:factory@PYTHON"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to search. Empty policies, page sizes or modes: all that a subject supports."""

    subjects: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    page_sizes: tuple[int, ...] = ()
    seconds: float = 5  # of search, for each subject
    seed: int = 0
    modes: tuple[str, ...] = ()  # of a host tier
    host_pool: int | None = None  # tokens; None: several small ones


def add_options(parser: pytest.Parser) -> None:
    """Add each option, for the command line and for the ini file."""
    group = parser.getgroup("radixcheck", "prefix caches, checked against their specification")
    group.addoption("--radixcheck-subject", action="append", metavar="NAME", help=f"{SUBJECT} (repeatable)")
    group.addoption("--radixcheck-policy", action="append", metavar="POLICY", help="an eviction policy (repeatable; default: all)")
    group.addoption("--radixcheck-page-size", action="append", metavar="TOKENS", help="a page size (repeatable; default: all)")
    group.addoption("--radixcheck-seconds", metavar="SECONDS", help="of search for each subject (default: 5)")
    group.addoption("--radixcheck-seed", metavar="N", help="of the random choices (default: 0)")
    parser.addini("radixcheck_subject", f"{SUBJECT}, one a line", type="linelist", default=[])
    parser.addini("radixcheck_policy", "eviction policies (default: all)", type="args", default=[])
    parser.addini("radixcheck_page_size", "page sizes in tokens (default: all)", type="args", default=[])
    parser.addini("radixcheck_seconds", "seconds of search for each subject (default: 5)", default="5")
    parser.addini("radixcheck_seed", "of the random choices (default: 0)", default="0")


def settings(config: pytest.Config) -> Settings:
    """Return the settings of this run. Raise UsageError."""
    sizes = tuple(number("--radixcheck-page-size", each, int, 1) for each in _option(config, "page_size"))
    seconds = number("--radixcheck-seconds", _option(config, "seconds"), float, SECONDS_MIN)
    seed = number("--radixcheck-seed", _option(config, "seed"), int, 0)
    return Settings(tuple(_option(config, "subject")), tuple(_option(config, "policy")), sizes, seconds, seed)


def number(what: str, given: Any, kind: Any, least: float) -> Any:
    """Return the value as a number of this kind. Raise UsageError."""
    try:
        found = kind(given)
    except (TypeError, ValueError):
        found = None
    if found is None or not least <= found < NUMBER_MAX:
        words = {int: "a whole number", float: "a number"}[kind]
        raise UsageError(f"{what} {given!r} is not valid: give {words}, {least:g} or greater")
    return found


def _option(config: pytest.Config, name: str) -> Any:
    return config.getoption(f"radixcheck_{name}") or config.getini(f"radixcheck_{name}")
