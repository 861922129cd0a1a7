"""The KV events of SGLang's classic cache and of ours at SGLang's own calls, in its environment: marked live, no engine is started."""

import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.live import engine_run
from radixcheck.verification.live.launch import plugin_folder
from radixcheck.verification.remote.process import Process, SubjectLost

pytestmark = pytest.mark.live
SIZES = (4, 16)
NAMES = ("classic", "radixcheck", "radixcheck-l5")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Any]:
    """What the events of each cache say, by name and page size."""
    path = plugin_folder(tmp_path_factory.mktemp("events") / "path")
    about = {"policy": "lru", "requests": 160, "pool": 6_400, "seed": 3}
    drives = [{"name": name, "page_size": page, **about} for page, name in product(SIZES, NAMES)]
    process = Process((os.environ["RADIXCHECK_LIVE"], "-W", "ignore", str(Path(engine_run.__file__))))
    answer = process.ask({"do": "events", "path": [str(path)], "drives": drives}, Timeout(600.0))
    process.lose(SubjectLost("is no longer needed"))
    return {(row["cache"], row["page_size"]): row for row in answer["rows"]}


def test_the_events_of_each_cache_fold_to_what_it_has(rows: dict[Any, Any]) -> None:
    assert {where: (row["faults"], row["wrong"]) for where, row in rows.items()} == dict.fromkeys(product(NAMES, SIZES), ([], 0))
    assert all(row["kinds"]["Stored"] > 50 and row["kinds"]["Removed"] > 5 and row["kinds"]["Cleared"] == 1 for row in rows.values())


@pytest.mark.parametrize("page_size", SIZES)
def test_our_ids_are_those_of_the_classic_cache(rows: dict[Any, Any], page_size: int) -> None:
    classic, ours = (rows[name, page_size]["ids"] for name in ("classic", "radixcheck"))
    both = classic.keys() & ours.keys()

    assert len(both) > 500
    assert any("salt" in prefix for prefix in both)
    assert {prefix: ours[prefix] for prefix in both} == {prefix: classic[prefix] for prefix in both}


@pytest.mark.parametrize("page_size", SIZES)
def test_with_l5_imitated_the_same_pages_are_left(rows: dict[Any, Any], page_size: int) -> None:
    assert rows["radixcheck-l5", page_size]["resident"] == rows["classic", page_size]["resident"]
