"""Findings: their data, their scripts, which do not import this project, and how they are repeated."""

import ast
import sys
from pathlib import Path

import pytest
from commands import Command

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.values import Key
from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.engine_caches import PEERS
from radixcheck.verification.core.found import Config
from radixcheck.verification.findings.finding import CHOICE, FOLDER, MISUSE, WITHIN, Finding, comparisons, findings, searches, subjects
from radixcheck.verification.findings.finding_results import GONE, NOT_RUN, REPEATED
from radixcheck.verification.findings.repeat import repeat
from radixcheck.verification.operations import Op
from radixcheck.verification.runs.evidence_results import FindingsOutcome

ALL = findings()
SCRIPT_ONLY = {
    "unified-unlock-twice",
    "host-late-index",
    "host-room-in-vain",
    "hiradix-write-back-without-room",
    "hiradix-hits-at-every-walk",
    "hiradix-walk-refreshes-unused",
}  # what the adapters do not call, or declare as a choice
L5 = (Op("insert", Key((0, 1))), Op("match", Key((0,))))


@pytest.mark.parametrize("finding", ALL, ids=lambda finding: finding.id)
def test_the_data_of_a_finding_is_complete(finding: Finding) -> None:
    assert finding.broken in EVERY
    assert finding.config.policy in POLICIES
    assert finding.kind in (WITHIN, MISUSE, CHOICE)
    assert len(finding.trace) <= 6
    assert bool(finding.trace) == (finding.id not in SCRIPT_ONLY)
    assert finding.duty or finding.kind == WITHIN
    assert finding.sentence.endswith(".")
    assert all((finding.versions, finding.consequence, finding.report))


@pytest.mark.parametrize("finding", ALL, ids=lambda finding: finding.id)
def test_the_script_of_a_finding_does_not_import_this_project_and_is_short(finding: Finding) -> None:
    text = finding.script.read_text()
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]

    assert not [line for line in map(ast.unparse, imports) if "radixcheck" in line]
    assert text.count("\n") <= 50
    assert "sys.exit(" in text


def test_every_script_belongs_to_a_finding() -> None:
    assert {path.stem for path in (FOLDER / "scripts").glob("*.py")} == {finding.id for finding in ALL}


def test_findings_are_chosen_by_subject() -> None:
    assert {f.subject for f in findings("sglang-classic")} == {"sglang-classic"}
    assert set(subjects()) == {f.subject for f in ALL}
    assert all(c.operations > 0 for c in comparisons())
    assert {s.subject for s in searches()} == set(PEERS)
    assert all(s.operations > 1_000_000 for s in searches())


def written(tmp_path: Path, subject: str, script: str) -> Finding:
    """A finding about a cache of this project."""
    path = tmp_path / "script.py"
    path.write_text(script)
    return Finding(
        "it", subject, "A cache", "it does", "so", ("1",), "RECENCY", Config("lru", 1, 10), L5, "It.", "so", WITHIN, "", "none", path
    )


@pytest.mark.parametrize(
    ("subject", "script", "verdicts", "exit_status"),
    [
        ("base", "print('seen'); raise SystemExit(1)", (REPEATED, REPEATED), 0),
        ("reference", "print('not seen')", (GONE, GONE), 1),
        *(("base", "import nothing_of_this_name", (REPEATED, NOT_RUN), 3), ("base", "raise SystemExit(1)", (REPEATED, NOT_RUN), 3)),
        ("base", "print('odd'); raise SystemExit(7)", (REPEATED, NOT_RUN), 3),
    ],
)
def test_a_finding_is_repeated_or_gone(tmp_path: Path, subject: str, script: str, verdicts: tuple[str, str], exit_status: int) -> None:
    repeated = repeat(written(tmp_path, subject, script), None)
    assert (repeated.verdict, repeated.script) == verdicts
    assert FindingsOutcome((repeated,), (), ()).status == exit_status


def test_a_finding_of_a_subject_that_is_not_installed_is_not_run(tmp_path: Path) -> None:
    repeated = repeat(written(tmp_path, "sglang-classic", "print('seen'); raise SystemExit(1)"), sys.executable)
    assert (repeated.verdict, FindingsOutcome((repeated,), (), ()).status) == (NOT_RUN, 3)
    assert "sglang" in repeated.text


@pytest.mark.slow
def test_the_command_reports_what_could_not_be_run(command: Command) -> None:
    ran = command("findings", "--subject", "sglang-classic", "--json")
    assert ran.status == ran.json["status"] == 3
    assert {row["verdict"] for row in ran.json["findings"]} == {NOT_RUN}
