"""The examples that begin the specification are true."""

import doctest

import pytest
from places import ROOT

from radixcheck.spec import Key, Model, signature

REQUEST = 1


@pytest.mark.parametrize(("page", "examples"), [("README.md", 5), ("host/README.md", 8), ("events/README.md", 5)])
def test_the_examples_of_the_readmes_are_true(page: str, examples: int) -> None:
    result = doctest.testfile(str(ROOT / "spec" / page), module_relative=False)
    assert (result.failed, result.attempted) == (0, examples)


def test_the_example_of_the_signature_is_true() -> None:
    cache = Model(page_size=2, capacity=16)
    cache.insert(Key((1, 2, 3, 4, 5, 6)), cache.alloc(6))
    cache.insert(Key((1, 2, 3, 4, 7, 8)), cache.alloc(6))
    cache.start(REQUEST, Key((1, 2, 3, 4, 7, 8, 9)))
    s, of = cache.machine.state, cache.positions.of
    keys = {"eps": (), "a": (1, 2), "b": (1, 2, 3, 4), "c": (1, 2, 3, 4, 5, 6), "d": (1, 2, 3, 4, 7, 8), "e": (1, 2, 3, 4, 7, 8, 9)}
    names = {name: of(Key(tokens)) for name, tokens in keys.items()}
    called = {position: name for name, position in names.items()}

    assert {name: s.page.get(q) for name, q in names.items()} == {"eps": None, "a": 0, "b": 1, "c": 2, "d": 5, "e": None}
    assert {called[n] for n in s.node} == {"b", "c", "d"}
    assert {called[q]: called[n] for q, n in s.end.items()} == {"a": "b", "b": "b", "c": "c", "d": "d"}
    assert {called[n]: called[p] for n, p in s.up.items()} == {"b": "eps", "c": "b", "d": "b"}
    assert (called[s.at[REQUEST]], called[s.tok[REQUEST]]) == ("d", "e")
    assert {called[q]: page for (h, q), page in s.row.items() if h == REQUEST} == {"a": 0, "b": 1, "d": 5, "e": 6}


def test_the_table_of_the_signature_lists_these_positions() -> None:
    table = signature.__doc__ or ""

    for line in (
        "a         [1 2]              page 0    no       b                inside the node that ends at b",
        "b         [1 2 3 4]          page 1    yes      b       eps",
        "c         [1 2 3 4 5 6]      page 2    yes      c       b",
        "d         [1 2 3 4 7 8]      page 5    yes      d       b",
        "row(h, a), row(h, b), row(h, d) are pages 0, 1 and 5 of the tree; row(h, e) is page 6, which h owns",
    ):
        assert line in table
