"""The arguments of the marker `radixcheck` of a test."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.pytest_plugin.kit import Case, Unsupported
from radixcheck.verification.pytest_plugin.settings import SECONDS_MIN, Settings, number, settings
from radixcheck.verification.runs.checked_bounds import bounds_for
from radixcheck.verification.subjects.registry import names_of, resolve

NAMES = ("subject", "policies", "page_sizes", "seconds", "seed", "modes", "host_pool")


def marked_settings(config: pytest.Config, marker: pytest.Mark | None) -> Settings:
    """Return the settings of a test: those of its marker, else those of the options. Raise UsageError."""
    found = settings(config)
    if marker is None:
        return found
    for name in marker.kwargs:
        if name not in NAMES:
            raise UsageError(f"the marker radixcheck has no argument {name!r}: it has {', '.join(NAMES)}")
    if marker.args:
        raise UsageError(f"the marker radixcheck takes its arguments by name: subject=..., and not {marker.args[0]!r}")
    given = dict(marker.kwargs)
    given.pop("subject", None)
    for name, kind, least in (("seconds", float, SECONDS_MIN), ("seed", int, 0), ("host_pool", int, 1)):
        if name in given:
            given[name] = number(name, given[name], kind, least)
    for name in {"policies", "modes"} & set(given):
        given[name] = tuple(_listed(given[name]))
    if "page_sizes" in given:
        given["page_sizes"] = tuple(number("page size", size, int, 1) for size in _listed(given["page_sizes"]))
    return replace(found, **given)


def cases(metafunc: pytest.Metafunc, marker: pytest.Mark | None) -> list[Case | Unsupported]:
    """Return each subject under each policy and page size, or why it has none; an empty list for a test without `radixcheck_subject`.

    Raise UsageError.
    """
    found, names = marked_settings(metafunc.config, marker), metafunc.fixturenames
    if "radixcheck_subject" in names:
        given = marker.kwargs.get("subject", found.subjects) if marker else found.subjects
        return list(_cases(_listed(given), found))
    if marker not in metafunc.definition.own_markers:  # it is that of a class or a file, for those of its tests that take it
        return []
    if "radixcheck" not in names:
        raise UsageError("the marker radixcheck does nothing for a test that has neither radixcheck_subject nor radixcheck as an argument")
    if marker and "subject" in marker.kwargs:
        raise UsageError("the marker radixcheck names a subject, but the test does not take it: add the argument radixcheck_subject")
    return []


def _cases(subjects: Sequence[Any], found: Settings) -> Iterator[Case | Unsupported]:
    if not subjects:
        raise UsageError("radixcheck_subject needs a subject: @pytest.mark.radixcheck(subject=...), or --radixcheck-subject")
    for given in subjects:
        if not (isinstance(given, str) or callable(given)):
            raise UsageError(f"{given!r} is not a subject: give a factory, or a name as for --radixcheck-subject")
        for one in names_of(given) if isinstance(given, str) else (given,):
            name = one if isinstance(one, str) else getattr(one, "__name__", type(one).__name__)
            try:
                subject = resolve(one)
                name = subject.name
                tier: dict[str, Any] = {"modes": found.modes, "host_pool": found.host_pool}
                bounds = bounds_for(subject, found.policies, found.page_sizes, seed=found.seed, **tier)
            except UsageError as wrong:  # fails this test, and not the collection of its file
                yield Unsupported(name, str(wrong))
            else:
                yield from (Case(subject, policy, size, found) for size in bounds.page_sizes for policy in bounds.policies)


def _listed(given: Any) -> Sequence[Any]:
    return given if isinstance(given, list | tuple) else (given,)
