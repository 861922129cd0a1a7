"""The README's table of findings is that of the data: a row for each title, with the caches and versions that have it."""

import re
from collections.abc import Iterable

import pytest
from places import ROOT

from radixcheck.verification.findings.finding import CHOICE, MISUSE, WITHIN, Finding, findings

KINDS = {WITHIN: "fault", MISUSE: "misuse", CHOICE: "choice"}  # in the order of the table
HEAD = "| cache | version | what departs | consequence | kind | upstream |"


def threads(report: str) -> list[str]:
    """The public threads that a report names, as links."""
    named = re.findall(r"([\w.-]+)/([\w.-]+)#(\d+)", report)
    return [f"[{name}#{number}](https://github.com/{owner}/{name}/issues/{number})" for owner, name, number in named]


def joined(texts: Iterable[str]) -> str:
    """Texts without repetitions."""
    return ", ".join(dict.fromkeys(texts))


def caches(group: Iterable[Finding]) -> str:
    """The caches that have a finding, each engine named once."""
    by_engine: dict[str, list[str]] = {}
    for engine, _, cache in (each.cache.partition(" ") for each in group):
        by_engine.setdefault(engine, []).append(cache)
    return "; ".join(f"{engine} {joined(names)}" for engine, names in by_engine.items())


def rows() -> list[str]:
    """The rows of the table, without its head."""
    by_title: dict[str, list[Finding]] = {}
    for finding in sorted(findings(), key=lambda each: [*KINDS].index(each.kind)):
        by_title.setdefault(finding.title, []).append(finding)
    return [
        f"| {caches(group)} | {joined(version for each in group for version in each.versions)} "
        f"| {title} | {group[0].effect} | {KINDS[group[0].kind]} "
        f"| {joined(link for each in group for link in threads(each.report)) or '-'} |"
        for title, group in by_title.items()
    ]


def test_the_table_of_the_readme_is_that_of_the_findings() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    start = lines.index(HEAD) + 2

    expected = rows()
    assert lines[start : start + len(expected) + 1] == [*expected, ""]


def test_findings_with_one_title_have_one_effect() -> None:
    assert len({(each.title, each.effect) for each in findings()}) == len(rows())


@pytest.mark.parametrize(("report", "links"), [("none known", 0), ("a/b#1 fixes it, c/d-e#22 too", 2), ("b#1 and #2", 0)])
def test_a_thread_is_named_with_its_owner(report: str, links: int) -> None:
    assert len(threads(report)) == links


def test_no_report_names_a_thread_without_its_owner() -> None:
    assert [each.id for each in findings() if len(re.findall(r"#\d+", each.report)) != len(threads(each.report))] == []
