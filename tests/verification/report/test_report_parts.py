"""What a report is put together from: references in sentences, plots, meanings of words, texts that must stay short."""

import re
from xml.etree import ElementTree

import pytest

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import Document, Items, Link, Mark, Paragraph, Section, Table, Terms, WebLink, mark
from radixcheck.verification.report.glossary import MEANINGS
from radixcheck.verification.report.html import html
from radixcheck.verification.report.markdown import LIMIT, markdown
from radixcheck.verification.report.plots import Bar, Line, bars, curves
from radixcheck.verification.report.references import References
from radixcheck.verification.review_6907.field_faults import FIELD_FAULTS
from radixcheck.verification.runs.mutants_job import kills

KNOWN = References(frozenset({"question-Q1", "property-COUNT", "claim-LAZY-mru", "claim-COUNT", "mutant-base", "source-spec-a.py"}))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("as Q1 and Q2 ask", [Link("question-Q1", "Q1")]),
        ("COUNT fails, and LAZY-mru", [Link("property-COUNT", "COUNT"), Link("claim-LAZY-mru", "LAZY-mru")]),
        ("the base class", []),
        ("in FB-49, not in FB-99", [WebLink(FIELD_FAULTS["FB-49"].url, "FB-49")]),
        ("mini-sglang#124 fixes it", [WebLink("https://github.com/sgl-project/mini-sglang/pull/124", "mini-sglang#124")]),
        ("a/b#7", [WebLink("https://github.com/a/b/pull/7", "a/b#7")]),
        ("unknown#7 and #8", []),
    ],
)
def test_names_in_a_sentence_are_references(text: str, found: list[Link | WebLink]) -> None:
    parts = list(KNOWN.split(text))

    assert [part for part in parts if not isinstance(part, str)] == found
    assert "".join(part if isinstance(part, str) else part.text for part in parts) == text


def test_a_bare_number_is_of_the_repository_before_it() -> None:
    urls = [part.url for part in KNOWN.split("(sglang#22062, #30106)") if isinstance(part, WebLink)]

    assert urls == [f"https://github.com/sgl-project/sglang/pull/{number}" for number in (22062, 30106)]


def test_code_is_a_reference_by_its_whole_name() -> None:
    assert KNOWN.inside("evict/COUNT") == "property-COUNT"
    assert KNOWN.inside("base") == "mutant-base"
    assert KNOWN.inside("spec/a.py") == "source-spec-a.py"
    assert KNOWN.inside("no-such") == ""


def page_of(*blocks: Paragraph | Table) -> str:
    return html(Document("a title", [Section("one", "One", blocks)]))


def test_a_page_links_names_where_they_stand_and_only_to_what_it_has() -> None:
    page = page_of(
        Table(("mutant", "why"), [(mark("mutant", "slow"), "it <breaks> COUNT")]), Paragraph(("See `slow`, ", Link("gone", "x")))
    )

    assert '<th id="mutant-slow">slow' in page
    assert 'See <a href="#mutant-slow">slow</a>, x</p>' in page
    assert "it &lt;breaks&gt; COUNT" in page


LINES = [Line("base", ((100, 20.0), (10_000, 4_000.0))), Line("floor <&>", ((100, 1.7), (10_000, 1.8)))]
BARS = [Bar("100 leaves", 6.5, 7.0, 7.5), Bar("one job", 0.5, 0.5, 0.5)]


@pytest.mark.parametrize(
    ("svg", "texts"),
    [
        (curves(LINES, "Costs", "leaves", "us", "a"), {"leaves", "us", "100", "10,000", "base", "floor <&>"}),
        (bars(BARS, "Ratios", "base / ours", "b"), {"100 leaves", "7.00x (6.50 to 7.50)", "0.500x", "one job", "base / ours"}),
    ],
)
def test_a_plot_has_text_as_text_and_the_colours_of_the_page(svg: str, texts: set[str]) -> None:
    root = ElementTree.fromstring(svg)
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]

    assert texts <= {(element.text or "").strip() for element in root.iter("text")}
    assert "var(--ink)" in svg
    assert re.findall(r"#[0-9a-f]{6}\b", svg) == []
    assert len(ids) == len(set(ids))
    assert len(svg) < 12_000


def test_two_plots_share_no_id() -> None:
    one, other = (set(re.findall(r'id="([^"]+)"', curves(LINES, "Costs", "leaves", "us", name))) for name in ("a", "b"))

    assert len(one) > 2
    assert one.isdisjoint(other)


def test_every_verdict_of_an_answer_has_its_meaning() -> None:
    of_answers = {Verdict.PROVED, Verdict.EXHAUSTED, Verdict.TESTED, Verdict.MEASURED, Verdict.REFUTED, Verdict.OPEN}
    undecided = {Verdict.NOT_EXERCISED, Verdict.NOT_OBSERVABLE, Verdict.UNDECIDED, Verdict.MISSING, Verdict.NOT_AS_EXPECTED}

    assert of_answers | undecided <= MEANINGS.keys()


def test_a_text_that_would_be_too_long_for_a_comment_leaves_out_what_is_minor() -> None:
    long = Table(("a", "b"), [("x" * 100, "y")] * 1_000, matrix=True)
    parts = (Paragraph("what matters"), Items(["a minor thing"], minor=True), Terms([(Mark("term", "page"), "slots")]))

    short, cut = (markdown(Document("t", [Section("s", "S", blocks)])) for blocks in (parts, (*parts, long)))

    assert "a minor thing" in short
    assert "- <a" in short
    assert "what matters" in cut
    assert "a minor thing" not in cut
    assert len(cut) < LIMIT


def test_a_report_runs_on_each_mutant_the_detector_that_must_find_it() -> None:
    (found,) = kills(("evict_decrements_twice",)).judged
    (directed,) = kills(("evict_scans_per_victim",)).judged

    assert ([cell.detector for cell in found.cells], found.verdict) == (["machine"], Verdict.KILLED)
    assert ([cell.detector for cell in directed.cells], directed.verdict) == ([directed.detector], Verdict.KILLED)
    assert directed.detector != "machine"
