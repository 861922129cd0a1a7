"""What the checker makes of the events that a cache shows, and of caches that show none or none that can be read."""

from collections.abc import Sequence
from typing import Any

import pytest

from radixcheck.spec.events.event_fold import EVENT_PROPERTIES
from radixcheck.spec.events.event_values import DEVICE, Cleared, Removed, Stored
from radixcheck.spec.values import Key
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.checker.plain_events import events
from radixcheck.verification.checker.plain_values import Unreadable
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.operations import Op
from radixcheck.verification.search.verify import judged
from radixcheck.verification.subjects.reference_subject import EmittingReference, ReferenceSubject, reference_subject

INSERT = Op("insert", Key((1, 2)))
STORED: Any = Stored(DEVICE, (), None, (7,), (1,))


def shown(found: Any) -> Any:
    """A factory of caches that show this in the place of their events."""

    class Showing(EmittingReference):
        def take_events(self) -> Any:
            return found

    return Showing.of


def first_step(factory: Any) -> list[tuple[str, str]]:
    return [(v.property, v.text) for v in Checker(factory, "lru", 1, 8).step(INSERT)]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "the events: expected a sequence"),
        ([("stored", 7)], "expected Stored, Removed or Cleared"),
        ([STORED._replace(medium="disk")], "`medium`: expected 'device' or 'host'"),
        ([STORED._replace(namespace=["a"])], "`namespace`: expected a tuple"),
        ([STORED._replace(parent=-1)], "`parent`: expected integers from 0"),
        ([STORED._replace(ids=(2**64,))], "`ids`: expected integers from 0"),
        ([STORED._replace(tokens=("1",))], "`tokens`: expected integers from 0"),
        ([Removed(DEVICE, (True,))], "`ids`: expected integers from 0"),
    ],
)
def test_events_that_cannot_be_read_are_a_violation(found: Any, words: str) -> None:
    with pytest.raises(Unreadable, match=words.replace("`", ".")):
        events(found)
    ((property_, text),) = first_step(shown(found))
    assert property_ == "REFINEMENT"
    assert words in text


@pytest.mark.parametrize(
    ("found", "property_"),
    [
        ([], "EVENT_REPLAY"),
        ([STORED], "EVENT_REPLAY"),
        ([STORED, Stored(DEVICE, (), 8, (9,), (2,))], "EVENT_PARENT"),
        ([STORED._replace(ids=(7, 7), tokens=(1, 2))], "EVENT_ID"),
        ([STORED, STORED], "EVENT_ORDER"),
        ([Removed(DEVICE, (7,))], "EVENT_ORDER"),
        ([Cleared()], "EVENT_REPLAY"),
    ],
)
def test_wrong_events_break_the_property_that_names_them(found: Sequence[Any], property_: str) -> None:
    assert property_ in {name for name, _ in first_step(shown(found))}


def test_after_wrong_events_the_run_goes_on_and_reports_them_once() -> None:
    checker = Checker(shown([]), "lru", 1, 8)
    assert [v.property for v in checker.step(INSERT)] == ["EVENT_REPLAY"]
    assert not checker.stopped
    assert checker.step(Op("match", Key((1, 2)))) == []


def test_only_a_cache_that_shows_events_is_judged_by_them() -> None:
    for factory, expected in ((reference_subject, Verdict.TESTED), (ReferenceSubject.of, Verdict.NOT_OBSERVABLE)):
        checker = Checker(factory, "lru", 1, 8)
        for op in (INSERT, Op("insert", Key((1, 2, 3))), Op("evict", amount=8)):
            assert checker.step(op) == []
        verdicts = {v.property.id: v for v in judged(RunResult(tally=checker.tally), checker.supports, white_box=True)}
        assert {verdicts[id_].verdict for id_ in EVENT_PROPERTIES} == {expected}
        assert {verdicts[id_].note for id_ in EVENT_PROPERTIES} == {"" if expected == Verdict.TESTED else "it shows no events"}


def test_a_long_run_asks_for_no_events() -> None:
    """There the cache runs as it is without them."""
    assert type(IncrementalChecker(reference_subject, "lru", 1, 8).engine.subject) is ReferenceSubject
