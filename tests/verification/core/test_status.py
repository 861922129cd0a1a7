"""Statuses: plain integers in JSON, and one order of severity."""

import json

from radixcheck.verification.core.status import Status, Verdict, worst


def test_a_status_and_a_verdict_are_plain_in_json() -> None:
    assert json.dumps([*Status, Verdict.NOT_EXERCISED]) == '[0, 1, 2, 3, "NOT EXERCISED"]'


def test_a_refutation_is_worse_than_an_undecided_result_and_that_is_worse_than_wrong_use() -> None:
    assert worst([Status.HOLDS, Status.WRONG_USE]) is Status.WRONG_USE
    assert worst([2, 3, 0]) is Status.UNDECIDED
    assert worst(Status) is Status.REFUTED


def test_no_result_is_undecided() -> None:
    assert worst([]) is Status.UNDECIDED
