"""A whole report, of small budgets but real results: its files say the same, and its page can be read by everybody, in a real browser."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from commands import Command

from radixcheck.verification.core.progress import silent
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report.drawing import drawn
from radixcheck.verification.report.mutants_view import kill_line
from radixcheck.verification.report.report_files import write
from radixcheck.verification.report.step_summary import summary
from radixcheck.verification.review_6907.answers import ANSWERS, BENCH, PROVE
from radixcheck.verification.review_6907.questions import QUESTIONS, THREAD
from radixcheck.verification.review_6907.short_answers import SHORT_ANSWERS
from radixcheck.verification.runs.answer_results import answer_by
from radixcheck.verification.runs.collect import Collector
from radixcheck.verification.runs.findings_job import recorded_findings
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.store import store
from radixcheck.verification.runs.stored_results import Results as Stored


class Page(HTMLParser):
    """What is checked of a page without a browser."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []  # within the page
        self.web: list[str] = []  # to pages outside, which a reader may follow
        self.outside: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        link = given.get("href") if tag == "a" else None
        self.links += [link] if link and link.startswith("#") else []
        self.web += [link] if link and link.startswith("https://") else []
        loaded = [name for name, value in attrs if name in ("src", "href") and not (value or "").startswith("#")]
        self.outside += [f"{tag} {name}" for name in loaded if link is None or link not in self.web]


@pytest.mark.slow
def test_the_page_needs_nothing_else_and_every_reference_leads_somewhere(report_folder: Path) -> None:
    page = Page((report_folder / "report.html").read_text())

    assert page.outside == []
    assert not page.tags & {"link", "img", "iframe"}
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert len(page.links) > 50


def test_the_page_and_the_markdown_link_the_thread_of_each_question(report_folder: Path) -> None:
    page, markdown = Page((report_folder / "report.html").read_text()), (report_folder / "report.md").read_text()

    assert set(page.web) >= {question.url for question in QUESTIONS.values()}
    assert page.web.count(THREAD) >= sum(question.url == THREAD for question in QUESTIONS.values())
    assert all(f"({question.url})" in markdown for question in QUESTIONS.values())


def test_every_picture_has_words_for_who_cannot_see_it(report_folder: Path) -> None:
    svgs = re.findall(r"<svg.*?</svg>", (report_folder / "report.html").read_text(), re.S)

    assert len(svgs) > 10
    for svg in svgs:
        root = ElementTree.fromstring(svg)
        named = (root.attrib["aria-labelledby"]).split()
        words = [element for element in root if element.tag in ("title", "desc")]
        assert [element.attrib["id"] for element in words] == named
        assert all((element.text or "").strip() for element in words)


def test_pictures_show_what_is_evicted_cut_off_lost_and_stale(report_folder: Path) -> None:
    text = (report_folder / "report.html").read_text()

    for word in ("evicted", "cut off", "lost: slots", "stale: its node has children", "locked 1", ">new<", "rc-struck"):
        assert word in text, word


def test_all_files_say_the_same(report_folder: Path) -> None:
    answers = json.loads((report_folder / "report.json").read_text())["answers"]
    markdown, page = ((report_folder / f"report.{kind}").read_text() for kind in ("md", "html"))

    assert [each["id"] for each in answers] == [answer.id for answer in ANSWERS]
    for each in answers:
        assert re.search(rf"### {each['id']}  \*\*{each['verdict']}\*\*", markdown)
        assert re.search(rf'>{each["id"]}  <b class="verdict \w+">{each["verdict"]}</b>', page)
    assert '<b class="verdict bad">REFUTED</b>' in page
    assert '<b class="verdict good">TESTED</b>' in page
    assert '<b class="verdict undecided">OPEN</b>' in page
    assert len(markdown) < 60_000
    assert ElementTree.parse(report_folder / "junit.xml").getroot().tag == "testsuites"
    results = json.loads((report_folder / "report.json").read_text())["results"]
    assert (report_folder / "summary.md").read_text() == summary([results["optimized"]], results["mutants"])


def test_the_mutants_stand_in_every_file(report_folder: Path) -> None:
    sentence = "1 of 1 mutants killed by the property that must catch them"

    assert all(sentence in (report_folder / f"{name}").read_text() for name in ("report.html", "report.md", "summary.md"))
    assert '<testcase classname="radixcheck.mutants" name="evict_internal"' in (report_folder / "junit.xml").read_text()


def changed(folder: Path, verdict: str) -> ReportData:
    """The data of a report in which a mutant has this verdict."""
    results = json.loads((folder / "report.json").read_text())["results"]
    (only,) = results["mutants"]["mutants"]
    matrix = results["mutants"] | {"status": 3 if verdict == "UNDECIDED" else 1, "mutants": [only | {"verdict": verdict}]}
    right = {"optimized": results["optimized"] | {"status": 0}, "mutants": matrix}
    stored = Stored(results | right)
    return ReportData(("optimized",), False, stored, answer_by(stored, ()), (), recorded_findings().to_json(), {})


@pytest.mark.parametrize(("verdict", "status"), [("SURVIVED", 1), ("ANOTHER DETECTOR", 1), ("ANOTHER PROPERTY", 1), ("UNDECIDED", 3)])
def test_a_mutant_that_was_not_killed_as_it_must_be_stands_in_every_file_and_sets_the_status(
    report_folder: Path, tmp_path: Path, verdict: str, status: int
) -> None:
    data = changed(report_folder, verdict)
    write(tmp_path, data)
    texts = {name: (tmp_path / name).read_text() for name in ("report.html", "report.md", "junit.xml", "summary.md")}

    assert data.status == json.loads((tmp_path / "report.json").read_text())["status"] == status
    assert all(verdict in text and "evict" in text for text in texts.values())
    assert f"0 of 1 mutants killed by the property that must catch them, 1 {verdict}" in kill_line(data.kill_matrix).plain
    first = texts["report.md"].partition("## Questions")[0]
    assert f"0 of 1 mutants killed by the property that must catch them, 1 {verdict}: `evict_internal` **{verdict}**." in first
    assert (
        ElementTree.fromstring(texts["junit.xml"]).find(f".//testcase[@name='evict_internal']/{'error' if status == 3 else 'failure'}")
        is not None
    )


def test_what_a_refuted_claim_rests_on_is_reported_as_missing_where_it_was_not_run(report_folder: Path) -> None:
    """Only a few conditions were decided here: an answer that needs others has no verdict."""
    answers = {each["id"]: each for each in json.loads((report_folder / "report.json").read_text())["answers"]}

    assert answers["C11"]["verdict"] == "MISSING"
    assert {e["found"] for e in answers["C1"]["evidence"] if e["source"] == PROVE} == {"MISSING"}
    assert answers["C9"]["verdict"] == "TESTED"


def test_the_status_is_that_of_the_cache_under_review(report_folder: Path, command: Command) -> None:
    """It stands in the place of the change: what its results say is the answer."""
    results, out = report_folder.parent / "results", report_folder.parent / "other"

    ran = command("report", "--subject", "base", "--results", results, "--out", out, "--json")

    assert ran.status == 1
    first = {each["id"]: each for each in ran.json}["C3"]["evidence"][0]
    assert (first["source"], first["found"], first["expected"]) == ("base", "REFUTED", "")
    page = (out / "report.html").read_text()
    assert "<title>radixcheck report: base</title>" in page
    assert '<p class="lead bad"><b class="verdict bad">REFUTED</b> <a href="#cache-base">base</a> is refuted' in page
    assert not re.search("as-submitted|leaf-set|optimized|hiradix|sglang-python", page), "it is about that cache alone"


def test_the_head_has_the_verdict_on_the_change_and_a_row_for_each_question(report_folder: Path) -> None:
    page = (report_folder / "report.html").read_text()
    head = page.partition('<section id="legend"')[0]

    assert f'<p class="lead bad"><b class="verdict bad">REFUTED</b> <a href="{THREAD}">sglang#6907</a> is not right as submitted' in head
    answers = head.partition('<section id="answers">')[2]
    for question in QUESTIONS.values():
        assert f'<a href="#question-{question.id}">{question.id}</a> {question.sentence}' in answers
    assert answers.count("Not decided: ") == answers.count(">MISSING</b>") > 10
    assert SHORT_ANSWERS["C9"].short in answers
    assert SHORT_ANSWERS["Q1"].short not in answers


def test_costs_stand_in_tables_and_plots_with_their_spread(report_folder: Path) -> None:
    page = (report_folder / "report.html").read_text()
    plots = re.findall(r'<svg class="plot".*?</svg>', page, re.S)

    assert len(plots) == 3
    assert any("100x (80.0 to 110)" in plot for plot in plots)
    assert "<td>100x (80.0 to 110)" in page
    assert "var(--bad)" in "".join(plots)


def test_what_was_measured_without_other_caches_is_not_shown_as_measured_with_them(tmp_path: Path) -> None:
    """The interpreter that has them is no part of the sources."""
    store(tmp_path / "bench.json", {"claims": []})

    assert Collector(tmp_path, None, drawn, silent).collect([BENCH]).stored[BENCH]["claims"] == []
    with pytest.raises(UsageError, match="no-such-python"):
        Collector(tmp_path, "no-such-python", drawn, silent).collect([BENCH])
