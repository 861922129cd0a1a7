"""SGLang's caches and ours at SGLang's own calls, in its environment: marked live, no engine is started."""

import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.live import engine_run
from radixcheck.verification.live.engine_calls import NAMES
from radixcheck.verification.live.launch import plugin_folder
from radixcheck.verification.remote.process import Process, SubjectLost

pytestmark = pytest.mark.live
POLICIES = ("lru", "lfu", "fifo", "filo", "mru", "slru", "priority")
REQUESTS = 300


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int, str], Any]:
    """What each cache did, by policy, page size and name."""
    path = plugin_folder(tmp_path_factory.mktemp("calls") / "path")
    drives = [
        {"name": name, "page_size": page, "policy": policy, "requests": REQUESTS, "pool": 6_400, "seed": 3}
        for policy, page, name in product(POLICIES, (1, 16), NAMES)
    ]
    process = Process((os.environ["RADIXCHECK_LIVE"], "-W", "ignore", str(Path(engine_run.__file__))))
    answer = process.ask({"do": "calls", "path": [str(path)], "drives": drives}, Timeout(1_200.0))
    process.lose(SubjectLost("is no longer needed"))
    return {(row["policy"], row["page_size"], row["cache"]): row for row in answer["rows"]}


@pytest.mark.parametrize("page_size", [1, 16])
@pytest.mark.parametrize("policy", POLICIES)
def test_with_l5_imitated_every_request_hits_as_with_the_caches_of_sglang(rows: dict[Any, Any], policy: str, page_size: int) -> None:
    classic, imitation = (rows[policy, page_size, name]["hits"] for name in ("classic", "radixcheck-l5"))

    assert sum(classic) > 0
    assert imitation == classic


def test_under_lru_the_default_cache_hits_as_the_classic_one(rows: dict[Any, Any]) -> None:
    for page_size in (1, 16):
        assert rows["lru", page_size, "default"]["hits"] == rows["lru", page_size, "classic"]["hits"]


def test_no_cache_loses_a_slot_or_keeps_a_lock(rows: dict[Any, Any]) -> None:
    assert {(row["lost"], row["protected"]) for row in rows.values()} == {(0, 0)}


def test_l5_shows_without_its_imitation(rows: dict[Any, Any]) -> None:
    assert rows["lru", 1, "radixcheck"]["hits"] != rows["lru", 1, "classic"]["hits"]
