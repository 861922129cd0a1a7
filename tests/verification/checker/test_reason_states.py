"""A reason speaks of the states that its formula was evaluated on."""

from functools import partial
from typing import Any

from choosing import WRONG
from heaped_host import heaped
from hiding import Hiding

from radixcheck.spec.run.host_choices import SPLIT_TIMES
from radixcheck.spec.values import Key
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.operations import Op
from radixcheck.verification.search.run import replay
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject

TIERED = Config("mru", 1, 4, host_pool=8, mode="write_back")
STALE = "the entry of the leaf at [1] has the key (-1, 1), later than that of the leaf now, (-2, 2): it surfaces too late"


def op(name: str, *tokens: int, amount: int = 0) -> Op:
    return Op(name, Key(tokens), amount=amount)


def found(factory: Any, *trace: Op) -> list[Violation]:
    return [each.violation for each in replay(factory, TIERED, trace).found.values()]


def test_an_entry_of_the_heap_of_host_leaves_is_that_of_the_host() -> None:
    trace = (op("insert", 1), op("evict", amount=1), op("poll"), op("match", 1))

    assert found(partial(heaped, fault="touch"), *trace) == [Violation("HOST_HEAP_STALE", STALE)]


def test_a_formula_of_a_state_that_was_not_abstracted_has_the_figures_of_the_specification() -> None:
    def without_entries(setup: Any) -> Any:
        return Hiding(MUTANTS["touch_without_push"].factory(setup), ("observe_entry",))

    checker = IncrementalChecker(without_entries, "mru", 1, 6, stride=1)
    steps = [checker.step(each) for each in (op("insert", 1), op("match", 1), *[op("peek", 1)] * 140)]

    assert [violation for step in steps for violation in step] == [Violation("HEAP_STALE", STALE)]


def test_after_a_split_that_counts_as_an_access_the_time_before_is_that_of_the_split() -> None:
    (keeps_times,) = [each for each in WRONG if each.choices == (SPLIT_TIMES,) and each.make is ReferenceHostSubject]
    text = "[0 1] has the time 1 of last use, expected 1.5: this match does not use it"

    assert found(keeps_times.declaring(SPLIT_TIMES), op("insert", 0, 1), op("match", 0)) == [Violation("RECENCY", text)]
