"""A counterexample as text: the page `verification/report/README.md` shows what the commands print, word for word."""

from collections.abc import Sequence

import pytest
from hiding import BLACK_BOX, Hiding
from places import PACKAGE

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Setup
from radixcheck.verification.report import console, verify_view
from radixcheck.verification.report.wording import WRONG, legend, operation_lines, trace_lines, trees
from radixcheck.verification.runs.run_results import found_json
from radixcheck.verification.runs.scene import UNREADABLE, scene
from radixcheck.verification.search.attribution import attributed
from radixcheck.verification.search.run import replay
from radixcheck.verification.subjects.registry import resolve

PAGE = (PACKAGE / "verification/report/README.md").read_text(encoding="utf-8")
LEAF = (Op("insert", Key((1,))), Op("insert", Key((1, 1))), Op("evict", amount=1))
TOUCHED = (Op("insert", Key((0,))), Op("insert", Key((1,))), Op("match", Key((0,))), Op("evict", amount=1))


def hidden(name: str) -> Factory:
    def factory(setup: Setup) -> object:
        return Hiding(MUTANTS[name].factory(setup), BLACK_BOX)

    return factory


def found_in(factory: Factory, config: Config, trace: Sequence[Op]) -> list[Found]:
    return attributed(factory, list(replay(factory, config, trace).found.values()))


def block(factory: Factory, config: Config, trace: Sequence[Op]) -> str:
    found = found_in(factory, config, trace)
    return console.plain(verify_view.fault(found, scene(factory, found[0])))


def test_the_page_shows_a_counterexample_of_a_cache_that_shows_its_inside() -> None:
    assert f"```\n{block(resolve('as-submitted:pairs'), Config('lru', 1, 6), LEAF)}\n```\n" in PAGE


def test_the_page_shows_a_counterexample_of_a_black_box() -> None:
    assert f"```\n{block(hidden('evict_ignores_touch'), Config('lru', 1, 3), TOUCHED)}\n```\n" in PAGE


def test_a_black_box_has_the_trees_of_the_specification_and_a_white_box_its_own() -> None:
    black, white = hidden("evict_ignores_touch"), MUTANTS["evict_ignores_touch"].factory
    config = Config("lru", 1, 3)
    of_black, of_white = (scene(f, found_in(f, config, TOUCHED)[0]) for f in (black, white))

    assert of_black is not None
    assert of_white is not None
    assert (of_black.specified, of_white.specified) == (True, False)
    assert of_black.before == of_white.before  # until then it is right
    assert of_black.after == of_white.expected
    assert of_white.after != of_white.expected
    assert of_black.answers == of_white.answers == ("0 present, slots 0", "0 present, slots 1", "1 token, slots 0", "freed 1")


def test_where_the_tree_is_right_it_is_not_shown_twice() -> None:
    config, trace = Config("lru", 1, 4), (Op("insert", Key((0, 1))), Op("match", Key((0,))))
    factory = MUTANTS["match_returns_root"].factory
    found = found_in(factory, config, trace)[0]

    assert [title for title, _ in trees(found_json(found, scene(factory, found)))] == ["before the last one:", "after it:"]


def test_a_cache_that_cannot_be_observed_any_more_has_the_tree_before_and_the_expected_one() -> None:
    found = found_in(resolve("faulty:shows_nothing"), Config("lru", 1, 6), (*LEAF, *LEAF))[0]
    shown = scene(resolve("faulty:shows_nothing"), found)

    assert shown is not None
    assert shown.after == UNREADABLE
    assert shown.expected.startswith("root")


def test_the_wrong_operation_is_marked_and_it_need_not_be_the_last() -> None:
    trace = (Op("insert", Key((1,))), Op("insert", Key((2,))), Op("peek", Key((1,))), Op("evict", amount=1))
    found = found_in(hidden("peek_touches"), Config("lru", 1, 6), trace)

    assert (found[0].violation.property, found[0].wrong) == ("PEEK_PURE", 3)
    marked = [line for line in operation_lines(found_json(found[0])) if line.endswith(WRONG)]
    assert marked == [f"  3  peek [1]{WRONG}"]


def test_the_wrong_operation_is_shown_among_equal_ones_and_in_a_long_trace() -> None:
    key = Key((1,))
    equal = (Op("insert", key), *(Op("match", key), Op("lock", key, 1), Op("unlock", key, 1)) * 6)
    long = tuple(Op("insert", Key((token,))) for token in range(100))
    kept = {at: operation_lines(found_json(Found(Violation("HEAP_BOUND", ""), long, Config("lru", 1, 6), at=at))) for at in (1, 50, 100)}
    folded = operation_lines(found_json(Found(Violation("HEAP_BOUND", ""), equal, Config("lru", 1, 6))))

    assert [line for line in folded if line.endswith(WRONG)] == [f" 19  unlock h1{WRONG}"]
    assert [[line for line in lines if line.endswith(WRONG)] for lines in kept.values()] == [
        [f"{at:>3}  insert [{at - 1}]{WRONG}"] for at in (1, 50, 100)
    ]
    assert [line.strip() for line in kept[50][21:24]] == [".. 29 more lines ..", f"50  insert [49]{WRONG}", ".. 30 more lines .."]


def test_an_old_result_without_a_wrong_operation_is_shown_as_it_was() -> None:
    told = found_json(Found(Violation("ORDER", "it fails"), LEAF, Config("lru", 1, 6)))
    del told["wrong"]

    assert trace_lines(told) == ["3 operations under lru, pages of 1, pool of 6:", "  1  insert [1]", "  2  insert [1 1]", "  3  evict 1"]


@pytest.mark.parametrize(
    ("ops", "expected"),
    [
        ([Op("insert", Key((4, 4, 4)))], []),
        ([Op("insert", Key((4,) * 7))], ["(4*7 is token 4, 7 times in a row)"]),
        (
            [Op("start", Key((1,)), 3), Op("lock", Key((1,)), 7), Op("alloc", Key((1,)), 9)],
            ["(r3 is a request; h7 is a lock; h9 is a caller that has slots)"],
        ),
    ],
)
def test_what_names_stand_for_is_said_where_they_stand(ops: list[Op], expected: list[str]) -> None:
    assert legend(ops) == expected
