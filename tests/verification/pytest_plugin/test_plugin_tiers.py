"""The pytest plugin with a cache that has a host tier: its fixtures and its marker pass the mode and the host pool."""

import pytest

from radixcheck.verification.core.catalogue import HOST_CHECKS, properties_of
from radixcheck.verification.pytest_plugin.items import requests
from radixcheck.verification.pytest_plugin.settings import Settings

LOADED = ("-p", "no:radixcheck", "-p", "radixcheck.verification.pytest_plugin", "-p", "no:cacheprovider")
TESTS = """
import pytest

OPERATIONS = [{"op": name, **more} for name, more in (
    ("insert", {"tokens": [1]}), ("complete", {}), ("poll", {}), ("evict", {"amount": 1}), ("load_back", {"tokens": [1]}),
)]

@pytest.mark.radixcheck(subject="reference-host", policies="lru", page_sizes=1, modes="write_back", host_pool=4)
def test_each(radixcheck_subject):
    assert radixcheck_subject.settings.modes == ("write_back",)
    assert radixcheck_subject.settings.host_pool == 4
    assert radixcheck_subject.new(8, 4, "write_back").host_available() == 4
    assert radixcheck_subject.new(8).sizes().available == 8
    radixcheck_subject.trace(OPERATIONS, pool=4, host_pool=4, mode="write_through")

def test_the_machine(radixcheck):
    radixcheck.state_machine("reference-host", policies=("lru",), page_sizes=(1, 2), modes=("write_through",), examples=60)

def test_a_trace_needs_the_tier(radixcheck):
    radixcheck.trace("reference-host", OPERATIONS)

def test_a_cache_without_it(radixcheck):
    radixcheck.trace("reference", OPERATIONS, host_pool=4, mode="write_through")

@pytest.mark.radixcheck(subject="reference", modes="write_back")
def test_a_mode_that_it_lacks(radixcheck_subject):
    pass
"""


def test_the_fixtures_and_the_marker_pass_mode_and_host_pool(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess(*LOADED, "-v")
    lines = result.stdout.str()

    result.assert_outcomes(passed=2, failed=2, errors=1)
    assert "operation 2 (complete copy 0) cannot be called on reference-host" in lines
    assert lines.count("does not support mode") >= 2


def test_there_are_items_for_the_properties_of_the_tier() -> None:
    (tiered,) = requests(Settings(("reference-host",), modes=("write_back",), host_pool=64))
    ids = {p.id for p in properties_of(tiered.subject.supports)}

    assert (tiered.bounds.modes, tiered.bounds.host_pool) == (("write_back",), 64)
    assert ids >= {p.id for p in HOST_CHECKS}
