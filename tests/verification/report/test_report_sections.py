"""What the sections of a report say of stored results that are wrong, cut off or not decided."""

import re
from pathlib import Path
from typing import Any

import pytest
from places import ROOT

from radixcheck.spec.values import Key
from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.operations import Op
from radixcheck.verification.report.blocks import Document, Section
from radixcheck.verification.report.drawing import drawn
from radixcheck.verification.report.html import html
from radixcheck.verification.report.markdown import markdown
from radixcheck.verification.report.sections import (
    benchmark_section,
    counterexamples_section,
    exploration_section,
    invariants_section,
    proofs_section,
)
from radixcheck.verification.report.wording import WRONG
from radixcheck.verification.review_6907.answers import ANSWERS, Answer
from radixcheck.verification.runs.answer_results import answer_by
from radixcheck.verification.runs.collect import Collector
from radixcheck.verification.runs.report_data import Counterexample, ReportData
from radixcheck.verification.runs.report_job import ReportRequest, gather
from radixcheck.verification.runs.run_results import found_json
from radixcheck.verification.runs.stored_results import Results

PROOFS: dict[str, Any] = {"cells": [], "pictures": {}, "operations": []}


def data_of(counterexamples: tuple[Counterexample, ...] = (), answers: tuple[Answer, ...] = (), **stored: Any) -> ReportData:
    """The data of a report on the cache `a`. `stored`: results by source."""
    results = Results({"prove": PROOFS, "mutants": {"status": 0}, "a": {"status": 0, "properties": []}} | stored)
    return ReportData(("a",), False, results, answer_by(results, answers), counterexamples, {}, {})


def pages(section: Section) -> tuple[str, str]:
    document = Document("a report", [section])
    return html(document), markdown(document)


def test_a_counterexample_lists_every_operation_and_marks_the_wrong_one() -> None:
    trace = tuple(Op("insert", Key((token,))) for token in range(10))
    told = found_json(Found(Violation("ORDER", "it fails"), trace, Config("lru", 1, 16), at=3))
    page, text = pages(counterexamples_section.section(data_of((Counterexample("a", (told,), ()),))))

    for shown in (page, text):
        assert all(f"{i:>3}  insert [{i - 1}]" in shown for i in range(1, 11))
        assert f"  3  insert [2]{WRONG.replace('<', '&lt;') if shown is page else WRONG}" in shown


def condition(name: str, verdict: str, transition: str = "", sentence: str = "", expected: str = "PROVED") -> dict[str, Any]:
    formula = name.partition("/")[2] or name
    return {"name": name, "formula": formula, "transition": transition, "sentence": sentence, "verdict": verdict, "expected": expected}


@pytest.mark.parametrize("verdict", ["PROVED", "UNKNOWN"])
def test_a_property_is_proved_only_if_each_of_its_conditions_is(verdict: str) -> None:
    cells = [condition("evict/COUNT", "PROVED", "evict"), condition("grow/COUNT", verdict, "grow")]
    page, _ = pages(invariants_section.section(data_of(prove=PROOFS | {"cells": cells})))

    assert page.count("Proved: kept by") == page.count("Proved: kept by 2 transitions.") == (verdict == "PROVED")


def test_a_condition_of_trust_counts_only_if_it_is_as_expected_and_is_shown_if_not() -> None:
    cells = [
        condition(f"NEVER-{step}", verdict, step, "It can be taken.", "REFUTED") for step, verdict in (("a", "REFUTED"), ("b", "UNKNOWN"))
    ]
    proofs = PROOFS | {"cells": cells, "solver": "a solver", "seeds": [0], "seconds": 1.0}
    page, _ = pages(proofs_section.section(data_of(prove=proofs)))

    assert "not vacuous: 1 steps can be taken" in page
    assert "NEVER-b" in page
    assert "NEVER-a" not in page


def refuted(name: str, *trace: Op, ends_process: bool = False) -> dict[str, Any]:
    """A property that a trace refutes, as stored."""
    return found_json(Found(Violation(name, "it fails"), trace, Config("lru", 1, 6), ends_process))


def data_from(monkeypatch: pytest.MonkeyPatch, subject: str, **stored: Any) -> ReportData:
    """The data of a report on this subject from these results; those of the solver and the mutants are right."""
    kept = {"prove": PROOFS | {"solver": "a solver"}, "mutants": {"status": 0}} | stored
    monkeypatch.setattr(Collector, "collect", lambda self, needed: Results(kept))
    return gather(ReportRequest(ANSWERS, (subject,), Path(), None, drawn))


def test_what_an_exploration_refutes_is_shown_and_decides_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (Op("insert", Key((token,))) for token in range(3))
    tested = [{"id": id_, "verdict": "TESTED", "checked": 9, "non_vacuous": 5, "note": ""} for id_ in EVERY]
    checked = {"status": 0, "properties": tested, "refuted": [refuted("COUNT", first)]}
    explored = [{"refuted": [refuted("COUNT", second), refuted("ORDER", second)]}, {"refuted": [refuted("ORDER", third)]}]
    for status in (0, 1, 3):
        of_exploration: dict[str, Any] = {"explore reference": {"status": status, "explorations": explored}}
        data = data_from(monkeypatch, "reference", reference=checked, **of_exploration)

        assert data.status == status
        shown = [(each.refuted[0]["property"], each.frames[-1].operation) for each in data.counterexamples]
        assert shown == [("COUNT", "insert [0]"), ("ORDER", "insert [1]")]


def test_a_cache_that_ends_its_process_does_not_end_that_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    name, match = "hostile:exits_in_match", Op("match", Key((1, 2, 3)))
    checked = {"status": 1, "properties": [], "refuted": [refuted("REFINEMENT", match, ends_process=True)]}
    (shown,) = data_from(monkeypatch, name, **{name: checked}).counterexamples

    assert [frame.operation for frame in shown.frames] == ["", "match [1 2 3]"]
    assert shown.frames[-1].broken


def test_an_exploration_that_was_cut_off_is_not_said_to_have_taken_every_sequence() -> None:
    _, text = pages(exploration_section.section(data_of()))

    assert "Where the verdict is EXHAUSTED, every sequence" in text


def test_a_figure_stands_in_the_column_of_its_number_of_leaves() -> None:
    def job(leaves: int, **caches: float) -> dict[str, Any]:
        figures = {cache: {"evict p50": {"median": median}} for cache, median in caches.items()}
        arguments = {"pool": "stub", "page_size": 1, "victims": 1, "leaves": leaves}
        return {"job": f"{leaves} leaves", "scenario": "decode", "arguments": arguments, "figures": figures}

    about = {"clock": "a clock", "repetitions": 1, "machine": "one", "cores": 2, "load before": 0.0}
    jobs = [job(10_000, late=5.0, both=7.0), job(100, both=3.5)]
    stored: dict[str, Any] = {"claims": [], "jobs": jobs, "missing": {}, "about": about}
    _, text = pages(benchmark_section.section(data_of(bench=stored)))

    assert "| `late` |  | 5.00 |  |" in text
    assert "| `both` | 3.50 | 7.00 | 2.00x |" in text


def test_every_anchor_that_the_page_looks_up_is_decoded() -> None:
    script = (ROOT / "verification" / "report" / "templates" / "page.js").read_text()
    looked_up = re.findall(r"getElementById\((.*hash.*)\);", script)

    assert len(looked_up) == 2
    assert all(each.startswith("decodeURIComponent(") for each in looked_up)
