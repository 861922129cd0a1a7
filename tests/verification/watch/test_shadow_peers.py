"""The shadow beside SGLang's caches and ours, under overlapping requests, in the environment of the tests marked peers. No engine runs."""

import json
import os
import subprocess
from collections import Counter
from functools import cache
from itertools import product
from typing import Any

import pytest
from places import PACKAGE, TESTS

from radixcheck.optimized.heap import POLICIES

pytestmark = pytest.mark.peers
CACHES = ("classic", "python", "radixcheck", "default")  # default: with its core in Rust
IN_RUST = ("match_is_a_page_short", "evict_answers_one_more", "late_duplicates_are_freed_twice")  # faults of the part in Python
PAGES = (1, 16)
REQUESTS, LONG, FAULTY = 100, 1_000, 150
FAULTS = {  # and at which opportunity
    **{
        "match_is_a_page_short": 6,
        "store_miscounts": 6,
        "evicts_the_last_accessed": 6,
        "evicts_one_leaf_more": 6,
        "evict_answers_one_more": 6,
    },
    **{"late_duplicates_are_freed_twice": 1, "hit_counts_twice": 6},
}


@cache
def driven(drives: str) -> list[dict[str, Any]]:
    """What `shadowed_drives.py` found."""
    command = [os.environ["RADIXCHECK_PEERS"], "-W", "ignore", str(TESTS / "subjects" / "shadowed_drives.py"), drives]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent), "CUDA_VISIBLE_DEVICES": ""}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2_000:]
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]


def drives(caches: tuple[str, ...], policies: tuple[str, ...], requests: int, **others: Any) -> str:
    """Drives of each of these caches, at each page size."""
    return json.dumps([drive(*each, requests, **others) for each in product(caches, PAGES, policies)])


def drive(cache: str, page_size: int, policy: str, requests: int, **others: Any) -> dict[str, Any]:
    """One drive."""
    return {"cache": cache, "page_size": page_size, "policy": policy, "requests": requests, "pool": 6_400, "seed": 3, **others}


def exercised(row: dict[str, Any]) -> None:
    """Nothing was left out, and there was something to compare."""
    assert (row["error"], row["on"], row["left_out"], row["rebuilds"]) == ("", True, 0, 0), row
    assert row["victims"] > 20
    assert row["hits"] > 5_000
    assert row["calls"].keys() == {"match", "lock", "unlock", "checkpoint", "evict"}


def test_beside_each_cache_there_is_no_difference_under_lru_in_a_thousand_requests() -> None:
    rows = driven(drives(CACHES, ("lru",), LONG))

    assert [row["findings"] for row in rows] == [[]] * len(CACHES) * len(PAGES)
    for row in rows:
        exercised(row)
        calls = sum(row["calls"].values())
        times = f"{row['live_us']:.1f} us alone, shadow {row['shadow_us']:.1f} us, longest {row['longest_us'] / 1_000:.1f} ms"
        print(f"\n{row['cache']}, pages of {row['page_size']}: {calls:,} calls, {row['victims']:,} victims; a call: {times}")


def test_beside_each_cache_there_is_no_difference_under_any_policy() -> None:
    rows = driven(drives(CACHES, tuple(POLICIES), REQUESTS))

    assert [row["findings"] for row in rows] == [[]] * len(CACHES) * len(PAGES) * len(POLICIES)
    for row in rows:
        exercised(row)


@pytest.mark.parametrize("cache_name", ["classic", "python", "default"])
def test_a_shadow_that_does_not_imitate_sglang_differs_and_names_the_choice(cache_name: str) -> None:
    rows = driven(drives((cache_name,), ("lru",), 600, plain=True))

    assert all(row["findings"] for row in rows)
    texts = [text for row in rows for property_, _, _, text in row["findings"] if property_ == "REFINEMENT"]
    assert all("match-refreshes-unused (L5)" in text for text in texts)


@pytest.mark.parametrize(
    ("cache_name", "fault"), [(cache, fault) for cache in CACHES for fault in FAULTS if cache != "default" or fault in IN_RUST]
)
def test_a_fault_of_a_real_cache_is_reported_at_its_call_and_once(cache_name: str, fault: str) -> None:
    each = [
        drive(cache_name, page, "lfu", FAULTY, mutant=name, at=at)
        for name, at in FAULTS.items()
        if cache_name != "default" or name in IN_RUST
        for page in PAGES
    ]
    rows = [row for row in driven(json.dumps(each)) if row["mutant"] == fault]

    assert len(rows) == len(PAGES)
    for row in rows:
        assert row["fault"] > 0, row
        properties = Counter(property_ for property_, *_ in row["findings"])
        assert properties["REFINEMENT"] == 1, row["findings"]
        assert row["findings"][0][1] == row["fault"]
