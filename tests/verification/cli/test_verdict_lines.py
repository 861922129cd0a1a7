"""What `verify` says before it begins and at its end, and that a verdict is not lost with a file that cannot be written."""

import errno
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from commands import Command

from radixcheck.verification.core import traces
from radixcheck.verification.core.catalogue import CATALOGUE
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.operations import Op
from radixcheck.verification.report import console, plan_view, verify_view
from radixcheck.verification.report.verify_files import TraceFolder
from radixcheck.verification.report.wording import version
from radixcheck.verification.runs import verify_job
from radixcheck.verification.runs.run_results import VerifyOutcome
from radixcheck.verification.search.search_results import NOT_SHOWN, Bounds, PropertyVerdict, Report

IDS = ["NO_UAF", "ORDER", "EVICT_LEAF", "COUNT", "TIME_MONO"]
BOUNDS = Bounds(("lru",), (1, 2), operations=1_234, seed=7, stretch=False)
RIGHT = Report("mine:cache", BOUNDS, (PropertyVerdict(CATALOGUE["ORDER"], Verdict.TESTED, 3, 2),), (), 1_500, 12, 3.2, ())


def wrong(*ids: str) -> Report:
    """A report in which these properties are refuted."""
    found = tuple(Found(Violation(id_, "why"), (Op("reset"),), Config("lru", 1, 8)) for id_ in ids)
    verdicts = tuple(PropertyVerdict(CATALOGUE[id_], Verdict.REFUTED, 3, 2) for id_ in ids)
    return replace(RIGHT, found=found, verdicts=(*RIGHT.verdicts, *verdicts))


def last_line(report: Report) -> str:
    """The last line, however wide."""
    return str(verify_view.verify(VerifyOutcome(report, ()))[-1])


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (RIGHT, "mine:cache holds: 1 TESTED; 1,500 operations, seed 7, radixcheck "),
        (wrong("NO_UAF"), "mine:cache is refuted: 1 REFUTED (NO_UAF), 1 TESTED; 1,500 operations, seed 7, radixcheck "),
        (wrong(*IDS), "mine:cache is refuted: 5 REFUTED (NO_UAF, ORDER, EVICT_LEAF, COUNT and 1 more), 1 TESTED; "),
        (replace(RIGHT, unfinished=("the time was over",)), "mine:cache is undecided: 1 TESTED; 1,500 operations, seed 7, radixcheck "),
    ],
)
def test_the_last_line_can_be_quoted(report: Report, line: str) -> None:
    assert last_line(report).startswith(line)
    assert last_line(report).endswith(f"radixcheck {version()}")


def test_a_checkout_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def version_of(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version_of)

    assert version() == "of a checkout"


def test_the_price_of_a_hidden_inside_is_printed() -> None:
    hidden = PropertyVerdict(CATALOGUE["NO_UAF"], Verdict.NOT_OBSERVABLE, 0, 0, NOT_SHOWN)
    shown = console.plain(verify_view.last_lines(VerifyOutcome(replace(RIGHT, verdicts=(*RIGHT.verdicts, hidden)), ())))

    assert "1 more properties are checked of a cache that shows its inside: write observe() and locate()" in shown
    assert "observe()" not in console.plain(verify_view.last_lines(VerifyOutcome(RIGHT, ())))


def test_the_first_line_says_what_will_be_done() -> None:
    assert str(plan_view.plan("mine:cache", BOUNDS)) == (
        "verify mine:cache: 1,234 random operations under policy lru and 2 page sizes; "
        "if nothing is refuted, a comparison with the reference and a replay; ends within 120 s"
    )
    host = replace(BOUNDS, stretch=True, modes=("write_back",))
    assert "with and without a host tier (write_back); counts and values past thresholds;" in str(plan_view.plan("mine", host))


@pytest.fixture
def canned(monkeypatch: pytest.MonkeyPatch) -> Report:
    """What every search reports."""
    report = wrong("NO_UAF")
    monkeypatch.setattr(verify_job, "verify_subject", lambda request, progress: VerifyOutcome(report, ()))
    return report


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_plan_goes_to_standard_error_and_the_verdict_is_the_last_line(canned: Report, tmp_path: Path, command: Command) -> None:
    ran = command("verify", "reference", "--traces", tmp_path)

    assert ran.err.startswith("verify reference: 45,000 random operations under 7 policies")
    assert ran.out.splitlines()[-1] == last_line(canned)
    assert f"show it: radixcheck show {tmp_path}/reference-NO_UAF.jsonl" in ran.out


@pytest.mark.parametrize("option", ["--traces", "--junit", "--summary"])
def test_a_full_disk_does_not_lose_the_verdict(
    option: str, canned: Report, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "there"
    if option == "--summary":
        place = Path("/dev/full")
    monkeypatch.setattr(traces, "write_atomically", full)
    monkeypatch.setattr("radixcheck.verification.report.verify_files.write_atomically", full)
    ran = command("verify", "reference", option, place)

    assert ran.status == 1
    assert ran.out.splitlines()[-1] == last_line(canned)
    assert ran.err.splitlines()[-1].startswith(f"radixcheck: {option if option != '--traces' else place}")
    assert ran.err.splitlines()[-1].count("No space left on device") == 1


def test_a_right_cache_whose_file_cannot_be_written_is_wrong_use(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_job, "verify_subject", lambda request, progress: VerifyOutcome(RIGHT, ()))
    monkeypatch.setattr("radixcheck.verification.report.verify_files.write_atomically", full)

    assert command("verify", "reference", "--junit", tmp_path / "x.xml").status == 2


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("./a/b.py:cache", "a-b.py-cache-ORDER.jsonl"),
        ("as-submitted:pairs", "as-submitted-pairs-ORDER.jsonl"),
        ("/a.py:c", "a.py-c-ORDER.jsonl"),
    ],
)
def test_a_trace_file_is_named_after_the_subject_and_is_not_hidden(subject: str, name: str) -> None:
    assert TraceFolder(Path("t")).file(subject, "ORDER") == Path("t") / name
