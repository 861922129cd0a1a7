"""Where findings go: everything is in the files when it is needed, and nothing reaches the server."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from places import PACKAGE

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.traces import Recorded, read
from radixcheck.verification.operations import Op
from radixcheck.verification.watch.departures import Departure, Departures
from radixcheck.verification.watch.finding_sink import TRACES_MAX, WRITTEN_MAX, FindingSink
from radixcheck.verification.watch.watch_counts import WatchCounts
from radixcheck.verification.watch.watch_folder import read_outcome, write_note
from radixcheck.verification.watch.watch_results import Finding, LoggedTrace, WatchedCache
from radixcheck.verification.watch.watch_settings import WatchSettings

TRACE = Recorded(Config("lru", 1, 4), (Op("insert", Key((1, 2))), Op("evict", amount=1)), "optimized")
ORDER = Finding("ORDER", 7, "evict", "expected the oldest; found another")


class Ended(BaseException):
    """Stands for the end of the process."""


def end() -> NoReturn:
    raise Ended


def sink(folder: Path, abort_on: str = "", departures: Departures = Departures.among([], "", "")) -> FindingSink:  # noqa: B008  # frozen
    return FindingSink(WatchSettings(folder, abort_on=frozenset(filter(None, [abort_on]))), "radixcheck", "0.5.23", departures, end)


def only(folder: Path) -> WatchedCache:
    (cache,) = read_outcome(folder).caches
    return cache


def recorded(left_out: str = "", trace: Recorded = TRACE) -> Callable[[], LoggedTrace]:
    return lambda: LoggedTrace(trace, left_out)


def test_a_finding_is_in_its_file_with_its_trace_before_the_call_returns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = sink(tmp_path / "new" / "folder")

    assert one.found(ORDER, recorded()) is True
    (found,) = only(tmp_path / "new" / "folder").findings
    assert found == Finding("ORDER", 7, "evict", ORDER.text, f"trace-{os.getpid()}-1-ORDER.jsonl")
    assert read(tmp_path / "new" / "folder" / found.trace) == Recorded(TRACE.config, TRACE.trace, "optimized", "ORDER")
    assert "RADIXCHECK ORDER at call 7, evict: expected the oldest; found another" in caplog.messages
    one.close()


def test_counts_are_those_of_the_watch_when_it_is_closed(tmp_path: Path) -> None:
    one, counts = sink(tmp_path), WatchCounts()
    one.tick(counts)
    counts.calls["match"] += 3
    counts.nanoseconds, counts.longest, counts.skipped, counts.path_checks, counts.nodes = 6_000, 4_000, 1, 3, 9
    one.close()
    seen = only(tmp_path)

    assert (seen.calls, seen.us_per_call, seen.skipped_share, seen.nodes, seen.ended) == ({"match": 3}, 2.0, 0.25, 9, True)
    assert (seen.cache, seen.version, seen.python, seen.budget_us) == ("radixcheck", "0.5.23", sys.executable, 50)


def test_counts_are_written_while_the_server_runs(tmp_path: Path) -> None:
    one, counts = sink(tmp_path), WatchCounts()
    assert only(tmp_path).calls.total() == 0
    one.tick(counts)
    counts.calls["evict"] += 1
    one.flush()

    assert (only(tmp_path).calls.total(), only(tmp_path).ended) == (1, False)
    one.close()


def test_an_accepted_departure_is_counted_and_no_finding(tmp_path: Path) -> None:
    one = sink(tmp_path, "all", Departures.among([Departure("radixcheck", ("0.5.23",), "ORDER", "")], "radixcheck", "0.5.23"))

    assert one.found(ORDER) is False
    one.close()
    assert (only(tmp_path).departures, only(tmp_path).found, only(tmp_path).findings) == ({"ORDER": 1}, {}, ())


def test_later_findings_of_one_property_are_only_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = sink(tmp_path)
    for number in range(WRITTEN_MAX + 5):
        one.found(replace(ORDER, call=number // 2), recorded())
    one.found(Finding("COUNT", 8, "match", "another property"))
    one.close()
    seen = only(tmp_path)

    assert seen.found == {"ORDER": WRITTEN_MAX + 5, "COUNT": 1}
    assert len(seen.findings) == WRITTEN_MAX + 1
    assert len({each.trace for each in seen.findings} - {""}) == len(list(tmp_path.glob("trace-*"))) == TRACES_MAX
    assert sum(bool(each.trace) for each in seen.findings) == 2 * TRACES_MAX  # those of one call share one
    assert "RADIXCHECK later findings of ORDER are only counted" in caplog.messages


@pytest.mark.parametrize("property_", ["ORDER", "all"])
def test_a_finding_to_abort_on_ends_the_process_with_its_files_complete(property_: str, tmp_path: Path) -> None:
    one = sink(tmp_path, property_)

    with pytest.raises(Ended):
        one.found(ORDER, recorded())
    seen = only(tmp_path)
    assert (seen.aborted, seen.found, seen.findings[0].property) == ("ORDER", {"ORDER": 1}, "ORDER")
    assert (tmp_path / seen.findings[0].trace).is_file()


def test_a_finding_of_another_property_does_not_end_the_process(tmp_path: Path) -> None:
    one = sink(tmp_path, "COUNT")
    one.found(ORDER)
    one.close()

    assert only(tmp_path).aborted == ""


def test_a_process_that_is_ended_has_a_status_that_is_not_zero(tmp_path: Path) -> None:
    program = (
        "import os\nfrom radixcheck.verification.watch.departures import Departures\n"
        "from radixcheck.verification.watch.finding_sink import FindingSink\n"
        "from radixcheck.verification.watch.watch_results import Finding\n"
        "from radixcheck.verification.watch.watch_settings import settings_of_server\n"
        "FindingSink(settings_of_server(os.environ), 'radixcheck', '1', Departures()).found(Finding('ORDER', 1, 'evict', 'x'))\n"
    )
    settings = WatchSettings(tmp_path, abort_on=frozenset({"all"})).to_environment()
    ran = subprocess.run([sys.executable, "-c", program], env=os.environ | settings | {"PYTHONPATH": str(PACKAGE.parent)}, check=False)

    assert ran.returncode < 0
    assert [each.property for each in only(tmp_path).findings] == ["ORDER"]


def fails() -> LoggedTrace:
    raise RuntimeError("no trace today")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (fails, "there is no trace: RuntimeError('no trace today')"),
        (recorded(trace=Recorded(TRACE.config, (Op("match", Key((1,), (object(),))),))), "there is no trace: "),
        (recorded("4 of 9 nodes are left out"), "the trace is partial: 4 of 9 nodes are left out"),
    ],
)
def test_a_finding_says_why_its_trace_is_missing_or_partial(given: Any, why: str, tmp_path: Path) -> None:
    one = sink(tmp_path)
    one.found(ORDER, given)
    one.close()

    assert f"{ORDER.text} ({why}" in only(tmp_path).findings[0].text


def test_a_folder_that_cannot_be_written_is_one_line_in_the_log_and_the_watch_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    one = sink(tmp_path / "file" / "below")
    one.tick(WatchCounts())
    for _ in range(3):
        assert one.found(ORDER, recorded())
    one.close()

    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert len([each for each in errors if "cannot write into" in each]) == 1
    assert len([each for each in errors if each.startswith("RADIXCHECK ORDER")]) == 3


def test_a_folder_that_is_removed_later_does_not_reach_the_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = sink(tmp_path / "gone")
    for path in (tmp_path / "gone").iterdir():
        path.unlink()
    (tmp_path / "gone").rmdir()
    one.tick(WatchCounts(nodes=3))
    one.flush()
    assert one.found(ORDER, recorded())
    one.close()

    assert len([each for each in caplog.messages if "could not write" in each]) == 1


def test_several_caches_write_into_one_folder(tmp_path: Path) -> None:
    first, second = sink(tmp_path), sink(tmp_path)
    first.found(ORDER, recorded())
    second.found(Finding("COUNT", 1, "match", "x"), recorded())
    first.close()
    second.close()

    assert [(each.name, [f.property for f in each.findings]) for each in read_outcome(tmp_path).caches] == [
        (f"{os.getpid()}-2", ["COUNT"]),
        (f"{os.getpid()}", ["ORDER"]),
    ]


def test_a_file_that_cannot_be_read_leaves_the_watch_undecided(tmp_path: Path) -> None:
    one, counts = sink(tmp_path), WatchCounts()
    counts.calls["match"] += 1
    one.tick(counts)
    one.close()
    assert read_outcome(tmp_path).status == 0

    (tmp_path / f"findings-{os.getpid()}.jsonl").write_text('{"property": "ORD')
    (tmp_path / "summary-1.json").write_text(json.dumps({"name": "1"}))
    outcome = read_outcome(tmp_path)
    assert (outcome.status, len(outcome.unread)) == (3, 2)


def test_a_process_that_does_not_watch_its_cache_leaves_the_watch_undecided(tmp_path: Path) -> None:
    write_note(tmp_path, "this cache cannot be read")

    assert (read_outcome(tmp_path).status, read_outcome(tmp_path).undecided) == (3, "this cache cannot be read")
