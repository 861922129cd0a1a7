"""Batches: the quadratic, the linear and the staged version say the same, and nobody's memory is shared by surprise."""

from array import array
from collections.abc import Callable, Sequence
from itertools import accumulate

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_optimized import Launched

from radixcheck.optimized import batches
from radixcheck.optimized.batch import _ROOM, Batches, DeviceBatch, HostBatches, StagedBatches
from radixcheck.reference import batch as reference
from radixcheck.spec.values import BadKey

MAKERS: list[Callable[[], Batches]] = [HostBatches, lambda: StagedBatches("cpu")]
REQUESTS = st.lists(st.lists(st.integers(0, 2**63 - 1), max_size=9), max_size=9)


def plain(batch: DeviceBatch) -> tuple[list[int], ...]:
    """Tokens, lengths and starts."""
    return tuple(tensor.tolist() for tensor in batch)


@given(REQUESTS)
def test_all_versions_are_equal(requests: list[list[int]]) -> None:
    tokens, lengths = [token for request in requests for token in request], [len(request) for request in requests]
    expected = tokens, lengths, [0, *accumulate(lengths)]
    found = reference.prepared(requests)

    assert reference.flattened_quadratic(requests) == reference.flattened(requests) == tokens
    assert (found.tokens, found.lengths, found.starts) == expected
    for made in MAKERS:
        maker = made()
        buffers = [array("qQ"[i % 2], request) for i, request in enumerate(requests)]
        for held in (requests, [tuple(r) for r in requests], buffers, [*buffers[:3], *requests[3:]], [array("L", r) for r in requests]):
            assert plain(maker.prepare(held)) == expected


@pytest.mark.parametrize("made", MAKERS)
@pytest.mark.parametrize("sizes", [(), (0,), (0, 0, 0), (1,), (_ROOM - 3,), (_ROOM - 2,), (_ROOM // 2,) * 5, (3, 0, _ROOM, 1)])
def test_batches_of_any_size_are_prepared_one_after_the_other(made: Callable[[], Batches], sizes: Sequence[int]) -> None:
    maker = made()
    for first in (0, 1 << 40, 7):
        ends = [*accumulate(sizes)]
        requests = [array("q", range(first + end - size, first + end)) for size, end in zip(sizes, ends, strict=True)]

        batch = maker.prepare(requests)

        assert plain(batch) == (list(range(first, first + sum(sizes))), list(sizes), [0, *ends])


@pytest.mark.parametrize("made", MAKERS)
@pytest.mark.parametrize("bad", [[-1], [2**63], [2**64], ["a"], [1.5], [None]])
def test_what_is_no_token_is_refused_and_the_next_batch_is_right(made: Callable[[], Batches], bad: list[int]) -> None:
    maker = made()

    with pytest.raises(BadKey):
        maker.prepare([[1], bad])
    assert plain(maker.prepare([[5]])) == ([5], [1], [0, 1])


def test_what_is_no_token_is_refused_by_the_reference() -> None:
    with pytest.raises(BadKey):
        reference.prepared([[1], [-1]])


# Who owns the memory


def test_a_batch_is_nobodys_else(device: str) -> None:
    """Neither the next batch, nor a caller who uses his buffers again, changes it."""
    for maker in (batches(device), StagedBatches(device)):
        held = array("q", range(1000))
        batch = maker.prepare([held, [7]])
        held[0] = -5
        later = maker.prepare([array("q", range(5000, 6000)), [8]])

        assert plain(batch) == ([*range(1000), 7], [1000, 1], [0, 1000, 1001])
        assert plain(later) == ([*range(5000, 6000), 8], [1000, 1], [0, 1000, 1001])
        batch.tokens.fill_(-1)
        assert later.tokens[0] == 5000
        assert held[1] == 1


def test_as_tensor_copies_a_list_and_shares_a_tensor_or_a_buffer() -> None:
    """What C9 takes for one thing: only of a list is there always a copy."""
    listed, tensor, buffer = [1, 2], torch.tensor([1, 2]), array("q", (1, 2))
    made = torch.as_tensor(listed), torch.as_tensor(tensor), torch.frombuffer(buffer, dtype=torch.int64)

    listed[0], tensor[0], buffer[0] = 9, 9, 9

    assert [each[0].item() for each in made] == [1, 9, 9]


# What it costs


def test_a_batch_reaches_the_device_by_one_copy_whatever_its_size() -> None:
    """On the meta device nothing can be read back."""
    maker = StagedBatches("meta")
    for requests in ([[1]], [[1, 2]] * 50, [array("q", range(100))] * 200):
        with Launched() as mode:
            batch = maker.prepare(requests)

        assert mode.names == ["slice", "_to_copy", "slice", "slice", "slice", "cumsum", "slice"]
        assert {tensor.device.type for tensor in batch} == {"meta"}


def test_the_maker_is_chosen_by_the_device() -> None:
    assert isinstance(batches("cpu"), HostBatches)
    assert isinstance(batches("meta"), StagedBatches)
