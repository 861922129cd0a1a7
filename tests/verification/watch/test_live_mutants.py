"""Caches of SGLang and ours at the calls of SGLang's scheduler, watched, with and without faults: marked peers, no engine is started."""

import json
import os
import subprocess
from itertools import product
from typing import Any

import pytest
from cache_mutants import names_of
from places import PACKAGE, ROOT
from watched_drives import CACHES, fault_drives, place_of

pytestmark = pytest.mark.peers
PEERS_PYTHON = os.environ.get("RADIXCHECK_PEERS", "")  # the interpreter of an environment that has SGLang
DRIVES = ROOT / "tests" / "subjects" / "watched_drives.py"
POLICIES = ("lru", "lfu", "fifo", "filo", "mru", "slru", "priority")
BUDGET = 5_000  # microseconds: everything is checked at every call

# What a fault breaks, first or beside others, in each cache.
BREAKS = {
    "split_forgets_locks": "LOCK_COUNT",
    "split_leaves_upper_a_candidate": "LEAFSET",
    "split_files_under_wrong_key": "CHILD_KEY",
    "split_swaps_slots": "SLOT_PARTITION",
    "split_skips_parent": "PARENT",
    "lock_skips_a_node": "LOCK_COUNT",
    "unlock_counts_twice": "LOCK_COUNT",
    "unlock_leaves_no_candidate": "LEAFSET",
    "match_does_not_refresh": "RECENCY",
    "match_is_a_page_short": "MATCH_MAX",
    "match_answers_a_page_more": "MATCH_SOUND",
    "read_has_a_wrong_slot": "NO_UAF",
    "store_miscounts": "COUNT",
    "store_takes_a_slot_of_another": "SLOT_PARTITION",
    "duplicates_stay_in_the_row": "NO_UAF",
    "late_duplicates_are_freed_twice": "SLOT_PARTITION",
    "late_victim_is_not_freed": "SLOT_PARTITION",
    "evicts_the_last_accessed": "ORDER",
    "evicts_a_locked_leaf": "EVICT_UNLOCKED",
    "evicts_one_leaf_more": "EVICT_EXACT",
    "evict_answers_one_more": "EVICT_EXACT",
}


def driven(drives: list[dict[str, Any]]) -> list[dict[str, Any]]:
    command = [PEERS_PYTHON, "-W", "ignore", str(DRIVES), json.dumps(drives)]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """What was found of each fault, by cache and name."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in driven(fault_drives(BUDGET)):
        found.setdefault((row["cache"], row["mutant"]), []).append(row)
    return found


@pytest.mark.parametrize(("cache", "name"), [(cache, name) for cache in CACHES for name in names_of(cache)])
def test_a_fault_is_found_at_the_call_in_which_it_happens(rows: dict[Any, list[dict[str, Any]]], cache: str, name: str) -> None:
    for row in rows[cache, name]:
        assert place_of(row) == "at its call", row["findings"][:3]
        assert BREAKS[name] in {property_ for property_, call, *_ in row["findings"] if call == row["fault"]}


def test_every_fault_has_a_property() -> None:
    assert {name for cache in CACHES for name in names_of(cache)} == BREAKS.keys()


def test_a_cache_without_a_fault_has_no_finding() -> None:
    common = {"requests": 250, "pool": 4_096, "seed": 5, "budget": 500}
    drives = [{"cache": c, "policy": p, "page_size": s, **common} for c, p, s in product(CACHES, POLICIES, (1, 16))]

    rows = driven(drives)

    assert len(rows) == len(drives)
    for row in rows:
        assert (row["findings"], row["error"], row["on"]) == ([], "", True)
        assert row["calls"] > 5 * common["requests"]
        assert row["window_checks"] > row["nodes"]
