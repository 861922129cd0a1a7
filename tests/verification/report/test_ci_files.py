"""What is written for continuous integration: JUnit XML and a summary in Markdown, from outcomes as JSON."""

import html
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report.junit import junit
from radixcheck.verification.report.step_summary import LENGTH_MAX, escaped, summary
from radixcheck.verification.report.verify_files import Files

TRACE = [{"op": "insert", "tokens": [1]}, {"op": "insert", "tokens": [1, 1]}, {"op": "evict", "amount": 1}]
CONFIG = {"policy": "lru", "page_size": 1, "pool": 6, "device": "cpu"}
HOSTILE = "x | y `z` <script>\n# h [a](http://b) @all $1$ **b** _i_ \x1b[31m \ud800 ~~s~~ \\| ![p](q)"


def row(id_: str, verdict: str, note: str = "", questions: str = "") -> dict[str, Any]:
    return {
        **{"id": id_, "kind": "state", "verdict": verdict, "checked": 9, "non_vacuous": 5},
        **{"questions": questions.split(), "note": note},
    }


def outcome(subject: str = "my:cache", text: str = "fails at k = [1 1]", **others: Any) -> dict[str, Any]:
    """One of each verdict, as `radixcheck verify --json` prints it."""
    properties = [
        row("EVICT_LEAF", "REFUTED", questions="Q1 C4 Q6"),
        row("ORDER", "TESTED"),
        row("HEAP_FULL", "NOT OBSERVABLE", "it shows no heap"),
        row("DETERMINISM", "NOT EXERCISED", "every check of it was vacuous"),
    ]
    picture = {"before": "root\n└─ [1]", "after": "root (empty)", "orphans": "slots 2 leak"}
    found = {"property": "EVICT_LEAF", "text": text, "config": CONFIG, "trace": TRACE, **picture}
    return {
        **{"subject": subject, "command": f"radixcheck verify '{subject}'", "status": 1, "operations": 5000, "runs": 70, "seconds": 4.5},
        **{"seed": 3, "policies": ["lru", "mru"], "page_sizes": [1, 16], "undecided": [], "properties": properties},
        **{"refuted": [found], "reference": None, "replay": None},
    } | others


def holding(**others: Any) -> dict[str, Any]:
    return outcome(properties=[row("ORDER", "TESTED")], refuted=[], status=0) | others


AGREES = {"left": "my:cache", "right": "reference", "status": 0, "operations": 900, "runs": 8, "differences": []}
DIFFERENCE = {
    **{"what": "victims", "departs": ["my:cache"], "declared": {}, "runs": 2, "config": CONFIG, "trace": TRACE},
    **{"left_answer": "frees 1", "right_answer": "frees 2", "specification": "frees 2"},
}
DECLARED = DIFFERENCE | {"what": "order of slots", "declared": {"my:cache": "it likes to"}}
CLEAN = {"trace": "sample", "status": 0, "unread": "", "requests": 300, "leaked": 0, "protected": 0, "fault": None}
FAULT = {"property": "COUNT", "text": "says 7", "request": 5, "step": 40, "operation": "finish r5"}


def cases(*outcomes: dict[str, Any]) -> dict[str, Element]:
    return {case.get("name", ""): case for case in fromstring(junit(outcomes)).iter("testcase")}


def tags(case: Element) -> list[str]:
    return [child.tag for child in case]


def test_each_verdict_becomes_what_a_server_of_continuous_integration_understands() -> None:
    root = fromstring(junit([outcome()]))
    suite, found = root[0], cases(outcome())

    assert {name: tags(case) for name, case in found.items()} == {
        **{"EVICT_LEAF": ["failure"], "ORDER": [], "HEAP_FULL": ["skipped"], "DETERMINISM": ["error"], "RULES": []}
    }
    assert suite.attrib == {
        **{"name": "radixcheck.my:cache", "time": "4.5"},
        **{"tests": "5", "failures": "1", "errors": "1", "skipped": "1"},
    }
    assert {case.get("classname") for case in found.values()} == {"radixcheck.my:cache"}
    said = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert (said["seed"], said["policies"], said["page_sizes"]) == ("3", "lru, mru", "1, 16")
    assert re.fullmatch(r"\d+\.\d+.*", said["version"] or "")


def test_a_failure_says_the_trace_and_the_trees() -> None:
    failure = cases(outcome())["EVICT_LEAF"][0]

    assert failure.get("message") == "fails at k = [1 1]"
    assert "EVICT_LEAF (Q1 C4 Q6): Only leaves are evicted" in (failure.text or "")
    assert "3 operations under lru, pages of 1, pool of 6:\n  1  insert [1]\n  2  insert [1 1]\n  3  evict 1" in (failure.text or "")
    assert "└─ [1]\nafter it:\nroot (empty)\nslots 2 leak" in (failure.text or "")


@pytest.mark.parametrize(
    ("changed", "case", "tag", "message"),
    [
        ({"undecided": ["rules that never fired: chunk"]}, "RULES", "error", "never fired: chunk"),
        ({"reference": AGREES}, "AGREEMENT", "", ""),
        ({"reference": AGREES | {"differences": [DECLARED]}}, "AGREEMENT", "", ""),
        ({"reference": AGREES | {"status": 1, "differences": [DECLARED, DIFFERENCE]}}, "AGREEMENT", "failure", "900 operations: victims"),
        ({"reference": AGREES | {"status": 3, "operations": 0}}, "AGREEMENT", "error", "were not compared"),
        ({"replay": CLEAN}, "REPLAY", "", ""),
        ({"replay": CLEAN | {"status": 1, "fault": FAULT}}, "REPLAY", "failure", "COUNT: says 7"),
        ({"replay": CLEAN | {"status": 1, "leaked": 16}}, "REPLAY", "failure", "16 tokens leaked"),
        ({"replay": CLEAN | {"status": 2, "unread": "line 3 is broken"}}, "REPLAY", "error", "line 3 is broken"),
        ({"replay": CLEAN | {"status": 3, "requests": 0}}, "REPLAY", "error", "nothing was replayed"),
    ],
)
def test_rules_agreement_and_replay_are_cases_of_their_own(changed: dict[str, Any], case: str, tag: str, message: str) -> None:
    found = cases(holding(**changed))[case]

    assert tags(found) == ([tag] if tag else [])
    assert message in "".join(child.get("message", "") for child in found)


def test_several_subjects_are_several_suites_and_the_whole_counts_them() -> None:
    root = fromstring(junit([outcome("a:b"), outcome("c:d")]))

    assert [suite.get("name") for suite in root] == ["radixcheck.a:b", "radixcheck.c:d"]
    assert (root.get("tests"), root.get("failures"), root.get("time")) == ("10", "2", "9.0")


def test_a_summary_says_what_is_refuted_what_was_not_covered_and_what_repeats_it() -> None:
    said = html.unescape(re.sub(r"</?code>", "", summary([outcome(reference=AGREES, replay=CLEAN)])))

    assert "### ❌ my:cache is refuted" in said
    assert "1 REFUTED, 1 TESTED, 1 NOT OBSERVABLE, 1 NOT EXERCISED. 5,000 operations in 70 runs, policies lru, mru" in said
    assert "| Q1 C4 Q6 | insert [1]<br>insert [1 1]<br>evict 1 |" in said
    assert "- NOT OBSERVABLE (it shows no heap): HEAP_FULL" in said
    assert "- NOT EXERCISED (every check of it was vacuous): DETERMINISM" in said
    assert "✅ my:cache and reference agree over 900 operations" in said
    assert "✅ replay of 300 requests: holds" in said
    assert "Again: radixcheck verify 'my:cache'" in said


def test_a_cache_that_holds_has_no_table_and_what_did_not_run_is_not_covered() -> None:
    said = summary([holding()])

    assert "✅" in said
    assert "| property |" not in said
    assert "- Not run: the replay of a trace, the comparison with the reference" in said


def test_what_a_subject_says_is_never_read_as_markdown_or_xml() -> None:
    hostile = outcome(subject=HOSTILE, text=HOSTILE)
    said = summary([hostile])
    table = [line for line in said.splitlines() if line.startswith("| **")]
    outside = re.sub(r"<code>[a-zA-Z0-9 ,;/%()&#-]*</code>", "", said)

    assert len(table) == 1
    assert table[0].count("|") == 4
    assert not set("`@$[~\\\x1b") & set(outside)
    assert "script" not in outside
    assert fromstring(junit([hostile]))[0].get("failures") == "1"


@pytest.mark.parametrize("number", [1, 3, 40])
def test_a_summary_stays_short_and_says_how_much_it_leaves_out(number: int) -> None:
    long = outcome(text="|" * 500)
    long["refuted"] = [long["refuted"][0] | {"trace": TRACE * 30}] * 30
    said = summary([long] * number)

    assert len(said) <= LENGTH_MAX
    assert "(84 more)" in html.unescape(said)
    assert "more refuted properties are in the report" in said
    assert ("more subjects, for which there is no room" in said) == (number == 40)


def test_what_is_refuted_comes_before_what_is_undecided_and_what_holds() -> None:
    said = summary([holding(subject="good"), holding(subject="unknown", status=3), outcome("bad")])

    assert re.findall(r"### \S+ <code>(\w+)</code>", said) == ["bad", "unknown", "good"]


def test_words_are_cut_at_a_length() -> None:
    assert escaped("a" * 20, 5) == "<code>aaaa&#8230;</code>"


def test_files_are_checked_before_and_leave_nothing_behind(tmp_path: Path) -> None:
    Files(tmp_path / "a.xml", tmp_path / "b.md").check()
    assert list(tmp_path.iterdir()) == []

    with pytest.raises(UsageError, match=r"--junit .*: cannot be written"):
        Files(tmp_path / "absent" / "a.xml", None).check()
    with pytest.raises(UsageError, match=r"--summary .*: cannot be written \(Is a directory\)"):
        Files(None, tmp_path).check()


def test_a_file_that_stands_there_is_replaced_whole_and_a_summary_is_appended(tmp_path: Path) -> None:
    files = Files(tmp_path / "a.xml", tmp_path / "b.md")
    files.write([outcome()])
    files.write([holding()])

    assert (tmp_path / "a.xml").read_text() == junit([holding()])
    assert (tmp_path / "b.md").read_text() == summary([outcome()]) + summary([holding()])
    assert len(list(tmp_path.iterdir())) == 2
