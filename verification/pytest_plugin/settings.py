"""What the options, and where they are silent the ini file, ask of the pytest plugin. It needs nothing but pytest."""

from dataclasses import dataclass
from typing import Any

import pytest

from radixcheck.verification.core.usage import UsageError

PREFIX = "radixcheck::"  # of node ids that belong to no file

SECONDS_MIN = 0.1
MOST = 2**31
SUBJECT = "a cache to check: a name of `radixcheck subjects`, module:factory, exec:COMMAND or module:factory@PYTHON"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to search; what is empty means everything that a subject supports."""

    subjects: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    page_sizes: tuple[int, ...] = ()
    seconds: float = 5  # of search, for each subject
    seed: int = 0


def add_options(parser: pytest.Parser) -> None:
    """Each option, and its like in the ini file."""
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
    """The settings of this run. Raises `UsageError`."""
    sizes = tuple(number("--radixcheck-page-size", each, int, 1) for each in _asked(config, "page_size"))
    seconds = number("--radixcheck-seconds", _asked(config, "seconds"), float, SECONDS_MIN)
    seed = number("--radixcheck-seed", _asked(config, "seed"), int, 0)
    return Settings(tuple(_asked(config, "subject")), tuple(_asked(config, "policy")), sizes, seconds, seed)


def number(what: str, given: Any, kind: Any, least: float) -> Any:
    """What was given, as a number of this kind. Raises `UsageError`."""
    try:
        found = kind(given)
    except (TypeError, ValueError):
        found = None
    if found is None or not least <= found < MOST:
        words = {int: "a whole number", float: "a number"}[kind]
        raise UsageError(f"{what} {given!r} makes no sense: give {words}, {least:g} or greater")
    return found


def _asked(config: pytest.Config, name: str) -> Any:
    return config.getoption(f"radixcheck_{name}") or config.getini(f"radixcheck_{name}")
