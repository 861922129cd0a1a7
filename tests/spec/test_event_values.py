"""Ids of pages: each stands for a whole prefix under its namespace."""

from array import array
from collections import namedtuple

import pytest

from radixcheck.spec.events.event_values import page_id
from radixcheck.spec.values import TOKEN_MAX, Namespace

PAGES = [
    (parent, namespace, tokens)
    for parent, namespace in [
        (None, ()),
        (None, ("a",)),
        (None, ("a", "b")),
        (None, ("ab",)),
        (None, ("(a,),b",)),
        (0, ()),
        (1, ()),
        (256, ()),
    ]
    for tokens in [(1,), (1, 2), (2, 1), (0,), (0, 0), (TOKEN_MAX,)]
]
Salted = namedtuple("Salted", "salt")


def test_pages_that_differ_have_ids_that_differ() -> None:
    ids = {page_id(*page) for page in PAGES}

    assert len(ids) == len(PAGES)
    assert all(0 <= id_ < 2**64 for id_ in ids)


def test_the_namespace_counts_in_the_first_page_alone() -> None:
    """Behind it the parent's id stands for it."""
    assert page_id(7, ("a",), (1, 2)) == page_id(7, ("b",), (1, 2))
    assert page_id(None, ("a",), (1, 2)) != page_id(None, ("b",), (1, 2))


@pytest.mark.parametrize(
    ("one", "other"), [((1,), (True,)), ((1,), (1.0,)), (("a", (2, 3)), ("a", (2.0, 3))), (((5,),), (Salted(5),)), ((0.0,), (-0.0,))]
)
def test_equal_namespaces_have_equal_ids(one: Namespace, other: Namespace) -> None:
    assert one == other
    assert page_id(None, one, (1,)) == page_id(None, other, (1,))


@pytest.mark.parametrize(
    ("one", "other"), [((1,), ("1",)), ((None,), ("None",)), ((("a", "b"),), ("a", "b")), ((0.5,), ("0.5",)), ((), ("",))]
)
def test_namespaces_that_look_alike_have_other_ids(one: Namespace, other: Namespace) -> None:
    assert page_id(None, one, (1,)) != page_id(None, other, (1,))


def test_tokens_of_any_sequence_give_the_same_id() -> None:
    assert page_id(None, (), [1, True, 3]) == page_id(None, (), (1, 1, 3)) == page_id(None, (), array("Q", (1, 1, 3)))
    assert page_id(None, ("\ud800",), (1,)) != page_id(None, ("\ud801",), (1,))  # halves of surrogate pairs are no UTF-8
