"""Exploration of caches with a host tier: which scopes they have, and planted faults with traces as short as any."""

from typing import Any

import pytest
from host_faults import DropsHostCopy, ForgetsHostLength, KeepsPins, NoPins, RunsAtOnce, SplitLosesHost, UndoesAlways

from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.explore.explore import explore
from radixcheck.verification.explore.scopes import SCOPES
from radixcheck.verification.protocol import MODES
from radixcheck.verification.runs.explore_job import explore_request
from radixcheck.verification.subjects.registry import resolve

TIERED = {scope.name for scope in SCOPES.values() if scope.mode}


def test_only_a_cache_with_the_tier_has_its_scopes() -> None:
    flat, tiered = (explore_request(resolve(name)).scopes for name in ("reference", "reference-host"))

    assert not TIERED & {scope.name for scope in flat}
    assert {scope.name for scope in tiered} == {scope.name for scope in flat} | TIERED
    assert {scope.mode for scope in tiered} == {"", *MODES}
    with pytest.raises(UsageError, match="does not declare the operations"):
        explore_request(resolve("reference"), ["tree write_back"])


def test_a_scope_says_its_bounds_on_both_tiers() -> None:
    assert SCOPES["tree write_back"].sentence == (
        "insert, match, peek, reset, evict one token or everything; keys aa, ab in pages; 0 locks; 2 pages; load_back, backup, poll, "
        "evict_host one token or everything, each copy arrives or fails; 2 on the host, write_back"
    )


@pytest.mark.parametrize(
    ("factory", "scope", "id_", "length"),
    [
        *((SplitLosesHost.of, "tree write_through", "HOST_PARTITION", 2), (DropsHostCopy.of, "tree write_through", "HOST_PARTITION", 4)),
        *((ForgetsHostLength.of, "tree write_through", "MATCH_TIERS", 6), (UndoesAlways.of, "tree write_through", "HOST_ARRIVAL", 7)),
        *((NoPins.of, "tree write_back", "PIN_COUNT", 3), (KeepsPins.of, "tree write_back", "PIN_COUNT", 5)),
        (RunsAtOnce.of, "requests write_back", "ARRIVED_BEFORE_READ", 5),
    ],
)
def test_a_planted_fault_of_a_tier_is_found_with_a_trace_as_short_as_any(factory: Any, scope: str, id_: str, length: int) -> None:
    explored = explore(factory, SCOPES[scope])

    assert {found.violation.property: len(found.trace) for found in explored.found}[id_] == length
