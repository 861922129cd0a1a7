"""A search that did not do all that it should is undecided, and says what is missing."""

import pytest

from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.status import Status
from radixcheck.verification.runs.checked_bounds import bounds_for
from radixcheck.verification.runs.verify_job import VerifyRequest, search_subject
from radixcheck.verification.search.search_results import Bounds, Report
from radixcheck.verification.subjects.registry import resolve

WHOLE = {
    **{"subject": "x", "bounds": Bounds(("lru",), (1,)), "verdicts": (), "found": ()},
    **{"steps": 1, "runs": 1, "seconds": 0.0, "idle_rules": ()},
}


def report(**gaps: tuple[str, ...]) -> Report:
    return Report(**(WHOLE | gaps))  # type: ignore[arg-type]


def test_a_whole_search_holds() -> None:
    assert (report().status, report().gaps) == (Status.HOLDS, ())


@pytest.mark.parametrize(
    ("gap", "sentence"),
    [
        ({"idle_rules": ("chunk",)}, "rules that never fired: chunk"),
        ({"missing_edges": ("empty match", "short lock")}, "edges that were never taken: empty match, short lock"),
        ({"unfinished": ("the time was over",)}, "the time was over"),
    ],
)
def test_each_gap_leaves_it_undecided_and_is_named(gap: dict[str, tuple[str, ...]], sentence: str) -> None:
    assert (report(**gap).status, report(**gap).gaps) == (Status.UNDECIDED, (sentence,))


def test_a_search_that_reaches_its_ceiling_is_undecided_and_says_what_is_missing() -> None:
    subject = resolve("reference")
    outcome = search_subject(VerifyRequest(subject, bounds_for(subject, deadline=Deadline.after(0))))
    assert outcome.status == Status.UNDECIDED
    assert "parts of this round were missing: give more --seconds" in outcome.report.gaps[-1]
