"""Any JSON answer is either parsed or raises `ProtocolError`; no other exception is raised."""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixcheck.spec.values import CacheError, NoRoom, Sizes
from radixcheck.verification.protocol import Observation, SeenCopy, SeenEntry, SeenNode, SeenRequest
from radixcheck.verification.remote import parse_answers as answers
from radixcheck.verification.remote.parse_answers import RemoteError
from radixcheck.verification.remote.process import ProtocolError

SEEN: dict[str, Any] = {
    "now": 5,
    "nodes": [[1, None, [7, 7], [0, 1], ["a", None], [7], 1, 4], ["n", 1, [8], [2], ["a", None], None, 0, 5, 2.5, 1, 0, [3], 1]],
    **{"requests": [[3, 1, 2, [0, 1, 4]]], "heap": [[5, 0, "n", 1, True]], "leaves": ["n"], "leaf_count": 1},
    "copies": [[True, 1, "n", [3], [2]]],
    **{"host_heap": [[5, 0, "n", 1, True]], "host_queued": 0, "host_leaf_count": 1, "host_only": 0},
}
COPY = {"number": 0, "up": False, "sources": [2], "targets": [3]}
ANSWER: dict[str, Any] = {
    "protocol": 1,
    "supports": {"tree": True, "policies": ["lru"], "page_sizes": [1, 2], "attributes": ["time"], "without": ["peek"]},
    **{"length": 2, "slots": [0, 1], "name": "n", "sizes": [4, 2, 0], "seen": SEEN, "tickets": [0], "host_available": 3},
    "pool": [["take", [0, 1]], ["give", [2]], ["take_host", [3]], ["copy", COPY], ["wait", 0]],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("error", "text", "nodes", "x")), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to each part of a value."""
    yield here
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from places(value[key], (*here, key))


def replaced(value: Any, place: tuple[Any, ...], part: Any) -> Any:
    """A copy with another part at a place."""
    if not place:
        return part
    out = deepcopy(value)
    at = out
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = part
    return out


def read_all(answer: dict[str, Any]) -> tuple[object, ...]:
    """Everything that an answer can hold."""
    sizes, seen = answers.sizes(answer["sizes"]), answers.observation(answer["seen"])
    tier = answers.moves(answer), answers.numbers(answer, "tickets"), answers.host_available(answer["host_available"])
    return answers.number(answer, "length"), answers.slots(answer), answers.name(answer), *tier, sizes, seen


def test_each_part_of_an_answer_is_parsed() -> None:
    nodes = [
        SeenNode(1, None, [7, 7], [0, 1], ("a", None), [7], 1, 4),
        SeenNode("n", 1, [8], [2], ("a", None), None, 0, 5, 2.5, 1, 0, [3], 1),
    ]
    requests, heap, copies = {3: SeenRequest(1, 2, [0, 1, 4])}, [SeenEntry((5, 0), "n", 1, True)], [SeenCopy(True, 1, "n", [3], [2])]
    inside = Observation(5, nodes, requests, heap, frozenset({"n"}), 1, 0, copies, heap, 0, 1, 0)
    moves = [("take", [0, 1]), ("give", [2]), ("take_host", [3]), ("copy", COPY), ("wait", 0)]

    assert read_all(ANSWER) == (2, (0, 1), "n", moves, [0], 3, Sizes(4, 2, 0), inside)
    assert answers.supports(ANSWER).without == {"peek"}
    assert not answers.supports(ANSWER).here


@given(place=st.sampled_from(list(places(ANSWER))[1:]), part=JSON)
def test_any_part_of_an_answer_may_have_any_value(place: tuple[Any, ...], part: Any) -> None:
    answer = replaced(ANSWER, place, part)
    for read in (read_all, answers.supports):
        with suppress(ProtocolError, RemoteError, CacheError):
            read(answer)


@pytest.mark.parametrize("place", [place for place in places(SEEN) if place])
def test_no_part_of_an_observation_may_be_an_object(place: tuple[Any, ...]) -> None:
    with pytest.raises(ProtocolError):
        answers.observation(replaced(SEEN, place, {"x": []}))


def test_a_refusal_is_raised_as_its_own_type_and_any_other_error_is_not() -> None:
    assert type(answers.raised({"error": "NoRoom", "text": "full", "refused": True})) is NoRoom
    errors = ({"error": "NoRoom", "text": "full"}, {"error": "Key", "refused": True}, {"error": "KeyError", "text": "x", "refused": False})
    assert {type(answers.raised(error)) for error in errors} == {RemoteError}
    assert type(answers.raised({"error": "RecursionError"})) is RecursionError
