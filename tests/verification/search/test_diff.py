"""Two caches side by side: equal ones agree, and each kind of difference is found, named, and blamed on the one that departs."""

import re
from dataclasses import replace

import pytest
from commands import Command

from radixcheck.spec.values import Key, Match, Row
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.diff import along, compare
from radixcheck.verification.search.search_results import Comparison, Kind
from radixcheck.verification.subjects.historical import base_subject, pairs_subject
from radixcheck.verification.subjects.model_subject import model_subject
from radixcheck.verification.subjects.optimized_subject import optimized_subject
from radixcheck.verification.subjects.reference_subject import ReferenceSubject, reference_subject
from radixcheck.verification.subjects.registry import resolve

SMALL = Config("lru", 1, 10)
PAGED = Config("lru", 2, 12)


class Silent(ReferenceSubject):
    """It evicts a page more than requested."""

    def evict(self, tokens: int) -> int:
        return super().evict(tokens + self.page_size if tokens else 0)


class Generous(Silent):
    """It declares that."""

    supports = Supports(choices={"victims of an eviction": "a page in reserve"})


class Shuffled(ReferenceSubject):
    """It hands out the right slots in the wrong order."""

    def match(self, key: Key) -> Match[list[int]]:
        found = super().match(key)
        starts = reversed(range(0, len(found.slots), self.page_size))
        return Match(found.length, [slot for i in starts for slot in found.slots[i : i + self.page_size]], found.node)


class Crashing(ReferenceSubject):
    """It cannot do what it has done once."""

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        if self.requests:
            raise KeyError(request)
        return super().start(request, key, priority)


def compared(left: Factory, right: Factory, config: Config = SMALL, runs: int = 8) -> Comparison:
    return sum((compare(left, right, config, seed) for seed in range(runs)), Comparison())


@pytest.mark.parametrize("config", [SMALL, PAGED, Config("slru", 2, 20), Config("priority", 1, 16)])
@pytest.mark.parametrize("other", [model_subject, optimized_subject])
def test_right_caches_agree_with_each_other_and_with_the_specification(other: Factory, config: Config) -> None:
    outcome = compared(reference_subject, other, config, runs=2)
    assert (outcome.differences, outcome.diverged) == ((), 0)
    assert outcome.steps > 500


def test_a_kind_names_what_differs_and_who_departs() -> None:
    outcome = compared(reference_subject, base_subject, runs=20)

    assert set(outcome.kinds) == {Kind("victims of an eviction", ("right",))}
    (found,) = outcome.differences
    assert found.runs > 1
    assert "freed [" in found.left
    assert found.left == found.specification != found.right


def test_two_wrong_caches_have_kinds_of_their_own() -> None:
    outcome = compared(base_subject, pairs_subject, runs=30)
    assert {side for kind in outcome.kinds for side in kind.departs} == {"left", "right"}
    assert len(outcome.kinds) > 1
    assert outcome.diverged < outcome.runs / 2  # mostly they leave the specification each in its own way


WRONG = [(Shuffled, "contents of match"), (Crashing, "crash in start"), (Silent, "victims of an eviction")]
DIFFERING = [
    *(("match_stops_inside_edge", "length of what is cached"), ("abort_frees_padding", "misuse of the pool in abort")),
    *(("evict_keeps_size", "sizes in"), ("refused_start_keeps_page", "sizes in start")),
]


@pytest.mark.parametrize(("wrong", "what"), WRONG)
def test_what_is_compared(wrong: type[ReferenceSubject], what: str) -> None:
    outcome = compared(wrong.of, reference_subject, PAGED)
    assert {(kind.what, kind.departs) for kind in outcome.kinds} == {(what, ("left",))}


@pytest.mark.parametrize(("mutant", "what"), DIFFERING)
def test_mutants_differ_from_the_reference(mutant: str, what: str) -> None:
    outcome = compared(reference_subject, MUTANTS[mutant].factory, PAGED, runs=30)
    assert any(kind.what.startswith(what) and kind.departs == ("right",) for kind in outcome.kinds)


def test_what_a_cache_declares_is_no_fault() -> None:
    declared, silent = (compared(reference_subject, kind.of) for kind in (Generous, Silent))
    assert [d.declared for d in declared.differences] == [{"right": "a page in reserve"}]
    assert declared.faults == ()
    assert [d.is_declared for d in silent.faults] == [False]


def test_outcomes_add_up_and_keep_the_shorter_trace() -> None:
    outcomes = (compare(reference_subject, base_subject, SMALL, seed) for seed in range(30))
    one, two, *_ = (outcome for outcome in outcomes if outcome.differences)
    both = one + two

    assert both.steps == one.steps + two.steps
    assert both.differences[0].runs == 2
    assert len(both.differences[0].trace) == min(len(o.differences[0].trace) for o in (one, two))
    assert replace(both, kinds={}).faults == ()


def test_the_command_shows_each_kind_once_with_a_small_trace(command: Command) -> None:
    ran = command("diff", "reference", "base", "--operations", "2000", "--page-size", "1", "--page-size", "2")
    out = ran.words

    assert ran.status == 1
    assert "not compared: base has no namespaces" in out
    assert "not compared: base has no policy lfu, fifo, filo, mru, slru, priority" in out
    assert "victims of an eviction base departs from the specification" in out
    assert re.search(r"; \d operations under lru, pages of [12], pool of", out)
    assert out.count("victims of an eviction") == 1
    assert "reference and base differ in one kind of answer" in out


def test_along_given_operations_the_first_difference_is_found_and_shortened() -> None:
    heard: list[str] = []
    noise = tuple(Op("insert", Key((2, k % 3, k % 2))) for k in range(8))
    trace = (*noise, Op("reset"), Op("insert", Key((0, 1))), Op("insert", Key((1,))), Op("match", Key((0,))), Op("evict", amount=1))

    outcome = along(resolve("reference"), resolve("base"), Config("lru", 1, 20), trace, lambda share, what: heard.append(what))

    assert set(outcome.kinds) == {Kind("victims of an eviction", ("right",))}
    assert len(outcome.differences[0].trace) <= 4
    assert heard[-1] == "looking for fewer operations"


def test_two_caches_are_compared_along_the_sample(command: Command) -> None:
    ran = command("diff", "reference", "model", "--sample", "--limit", "60")

    assert ran.status == 0
    assert "reference and model agree over" in ran.words
    assert "policy lru x page sizes 16" in ran.words
    assert command("diff", "reference", "model", "--sample", "--trace", "some.jsonl").status == 2
