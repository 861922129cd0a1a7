"""The pytest plugin: checks prefix caches in the test suite of their project. `verification/README.md` shows how to use it.

It is loaded in every run of pytest in its environment, so it imports nothing but pytest until it is used.
"""

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from radixcheck.verification.pytest_plugin.settings import PREFIX, add_options, settings
from radixcheck.verification.pytest_plugin.usage_errors import failed, uncollected, usage

if TYPE_CHECKING:
    from radixcheck.verification.pytest_plugin.kit import Case, Kit

MARKER = """radixcheck(subject=..., policies=..., page_sizes=..., seconds=..., seed=..., modes=..., host_pool=...): how the fixtures of \
this test search; radixcheck_subject is each of the subjects (factories or names), under one policy and page size at a time."""
REQUESTED = pytest.StashKey[tuple[list[Any], list[str]]]()  # the requests, one for each subject; the selected node ids


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line and of the ini file."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Check the settings, so that wrong use ends the run before anything is collected or passed to other processes."""
    config = session.config
    with usage(pytest.UsageError):
        wanted = settings(config)
        selected = [argument for argument in config.args if argument.startswith(PREFIX)]
        if selected and not wanted.subjects:
            raise pytest.UsageError(f"radixcheck: {selected[0]!r} needs its subject: give --radixcheck-subject")
        if wanted.subjects:
            if str(config.rootpath) not in sys.path:
                sys.path.insert(0, str(config.rootpath))  # a subject is often a module next to the ini file
            from radixcheck.verification.pytest_plugin.items import requests

            config.stash[REQUESTED] = requests(wanted), selected


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Return the subjects that are checked in addition to the tests."""
    wanted = settings(config)
    how = f"{wanted.seconds:g} s of search each, seed {wanted.seed}"
    return [f"radixcheck: {', '.join(wanted.subjects)}; {how}"] if wanted.subjects else []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Hide node ids of subjects from the collection of files."""
    given = session.config.args
    session.config.args = [argument for argument in given if not argument.startswith(PREFIX)]
    try:
        return (yield)
    finally:
        session.config.args = given


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the items of the subjects before `-k`, `-m` or `--lf` select items."""
    if REQUESTED in config.stash:
        from radixcheck.verification.pytest_plugin.items import items_of

        requests, selected = config.stash[REQUESTED]
        with usage(pytest.UsageError):
            items.extend(items_of(session, requests, selected))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test with the fixture `radixcheck_subject` by the subjects, policies and page sizes of its marker."""
    marker = metafunc.definition.get_closest_marker("radixcheck")
    if marker is None and "radixcheck_subject" not in metafunc.fixturenames:
        return
    with usage(uncollected):
        from radixcheck.verification.pytest_plugin.marked import cases

        found = cases(metafunc, marker)
    if found:
        metafunc.parametrize("radixcheck_subject", found, ids=str, indirect=True)


@pytest.fixture
def radixcheck(request: pytest.FixtureRequest) -> "Kit":
    """Return the kit, which checks caches by a factory or a name: `verify`, `state_machine` and `trace`."""
    with usage(failed):
        from radixcheck.verification.pytest_plugin.kit import Kit
        from radixcheck.verification.pytest_plugin.marked import marked_settings

        return Kit(marked_settings(request.config, request.node.get_closest_marker("radixcheck")))


@pytest.fixture
def radixcheck_subject(request: pytest.FixtureRequest) -> "Case":
    """Return one cache under one policy and page size of the marker: `new`, `verify`, `state_machine` and `trace`."""
    from radixcheck.verification.pytest_plugin.kit import Unsupported

    case: Case | Unsupported = request.param
    if isinstance(case, Unsupported):
        raise failed(f"radixcheck: {case.sentence}")
    return case
