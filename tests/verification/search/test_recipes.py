"""Keys of the state machine: what a recipe makes of the known ones, and keys that leave an edge of the tree."""

import pytest

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config
from radixcheck.verification.operations import Op
from radixcheck.verification.search.generate import ELSEWHERE, at_a_limit, leaving_an_edge, twin
from radixcheck.verification.search.recipes import UNCHANGED, KeyMaker, Recipe
from radixcheck.verification.search.run import new_checker
from radixcheck.verification.subjects.reference_subject import reference_subject

KNOWN = Key((0, 0, 1, 1, 0, 0, 1), ("a", "b"))  # three pages of two, and a tail


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        *((Recipe(UNCHANGED, which=5), KNOWN), (Recipe("cut_key", kept=2), Key((0, 0, 1, 1), ("a", "b")))),
        (Recipe("skip_key", kept=1, skipped=1), Key((0, 0, 0, 0, 1), ("a", "b"))),
        (Recipe("extend_key", pages=(3,), tail=-1), Key((0, 0, 1, 1, 0, 0, 1, 3, 0), ("a", "b"))),
        (Recipe("extend_key", pages=(1,)), Key((0, 0, 1, 1, 0, 0, 1, 1), ("a", "b"))),
        (Recipe("new_key", namespace=3, pages=(0, 2)), Key((0, 0, 0, 2), ("x",))),
    ],
)
def test_a_recipe_makes_its_key(recipe: Recipe, expected: Key) -> None:
    keys = KeyMaker(2, [(), ("x",)], [KNOWN])
    assert keys.key(recipe) == expected
    assert keys.known == ([KNOWN] if recipe.change == UNCHANGED else [KNOWN, expected])


def test_a_key_that_leaves_an_edge_goes_on_like_what_lies_below() -> None:
    checker = new_checker(reference_subject, Config("lru", 1, 16), stride=1)
    ways = list[int]()

    def last(choices: int) -> int:
        ways.append(choices)
        return choices - 1

    assert leaving_an_edge(checker.oracle, last) is None
    for tokens in ((0, 1, 0), (0, 1, 0, 1, 1), (0, 1, 0, 0)):
        checker.step(Op("insert", Key(tokens)))

    # (0 1) parts from the edge 0 1 0 before its last 0, (0) before its 1: only what begins otherwise below leaves it there.
    assert leaving_an_edge(checker.oracle, lambda _: 0) == Key((0, 1, 1, 1))
    assert leaving_an_edge(checker.oracle, last) == Key((0, 0))
    assert ways == [2]


def test_a_key_that_goes_to_a_limit_needs_what_can_just_be_had_or_a_page_more() -> None:
    checker = new_checker(reference_subject, Config("lru", 2, 12), stride=1)
    assert at_a_limit(checker.oracle, lambda _: 0) is None
    checker.step(Op("insert", Key((0, 0, 1, 1, 0, 0))))  # three of six pages
    expected = {0: 4, 1: 5, 2: 6}  # more than the three that are free; all but the one that is matched; one more

    for limit, pages in expected.items():
        picks = iter((0, 0, limit))
        assert at_a_limit(checker.oracle, lambda _, picks=picks: next(picks)) == Key((0, 0) + (ELSEWHERE,) * (2 * pages))  # type: ignore[misc]

    assert checker.step(Op("start", Key((0, 0) + (ELSEWHERE,) * 12), 1)) == []
    assert 1 not in checker.oracle.model.state.held  # refused
    assert checker.step(Op("start", Key((0, 0) + (ELSEWHERE,) * 10), 1)) == []
    assert 1 in checker.oracle.model.state.held
    assert checker.oracle.model.state.evictable == 0


def test_a_twin_is_the_key_of_a_request_that_has_not_cached_its_last_pages() -> None:
    checker = new_checker(reference_subject, Config("lru", 2, 32), stride=1)
    assert twin(checker.oracle, lambda _: 0) is None
    checker.step(Op("insert", Key((0, 0))))
    checker.step(Op("start", Key((0, 0)), 1))  # all of it is cached
    assert twin(checker.oracle, lambda _: 0) is None
    checker.step(Op("start", Key((1, 1, 1)), 2))
    assert twin(checker.oracle, lambda _: 0) == Key((1, 1, 1))
    checker.step(Op("start", Key((0, 0, 1, 1)), 3))  # below a node that it holds: rather that one
    assert twin(checker.oracle, lambda choices: choices - 1) == Key((0, 0, 1, 1))
