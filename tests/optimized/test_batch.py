"""Batches: the plain, the direct and the staged version give the same, and no memory is shared with what they were given."""

from array import array
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from launched import Launched

from radixcheck.optimized import TokenBuffer, batches
from radixcheck.optimized.batch import _ROOM, Batches, DeviceBatch, HostBatches, StagedBatches, Tokens
from radixcheck.optimized.keys import pack
from radixcheck.reference import batch as reference
from radixcheck.spec.values import BadKey

MAKERS: list[Callable[[], Batches]] = [HostBatches, lambda: StagedBatches("cpu")]
REQUESTS = st.lists(st.lists(st.integers(0, 2**63 - 1), max_size=9), max_size=9)


def strided(tokens: list[int]) -> memoryview:
    """Every other number of a buffer, so that it is not contiguous."""
    return memoryview(array("q", [number for token in tokens for number in (token, -1)]))[::2]


HOLDERS: list[Callable[[list[int]], Tokens]] = [
    *(list, tuple, strided, lambda tokens: array("q", tokens), lambda tokens: array("Q", tokens)),
    lambda tokens: memoryview(array("q", tokens)),
    lambda tokens: memoryview(array("Q", tokens).tobytes()).cast("L"),
    TokenBuffer,
]
NO_INTEGERS: list[Any] = [b"12345678", bytearray(3), array("d", [5]), memoryview(array("d", [5]))]


def plain(batch: DeviceBatch) -> tuple[list[int], ...]:
    return tuple(tensor.tolist() for tensor in batch)


@given(REQUESTS)
def test_all_versions_make_the_same_batch(requests: list[list[int]]) -> None:
    tokens, lengths = [token for request in requests for token in request], [len(request) for request in requests]
    expected = tokens, lengths, [0, *accumulate(lengths)]
    found = reference.prepare(requests)

    assert reference.flattened(requests) == tokens
    assert (found.tokens, found.lengths, found.starts) == expected
    for made in MAKERS:
        maker = made()
        for held in HOLDERS:
            assert plain(maker.prepare([held(request) for request in requests])) == expected
        mixed = [HOLDERS[i % len(HOLDERS)](request) for i, request in enumerate(requests)]
        assert plain(maker.prepare(mixed)) == expected


@pytest.mark.parametrize("held", [array("i", (1, 2)), memoryview(array("i", (1, 2))), memoryview(b"\x01\x02"), range(1, 3)])
def test_numbers_of_another_width_are_widened_and_may_have_63_bits(held: Tokens) -> None:
    widest = [1 << bit for bit in range(63)]
    assert plain(HostBatches().prepare([held, widest])) == ([1, 2, *widest], [2, 63], [0, 2, 65])


@pytest.mark.parametrize("made", MAKERS)
@pytest.mark.parametrize("sizes", [(), (0,), (0, 0, 0), (1,), (_ROOM - 3,), (_ROOM - 2,), (_ROOM // 2,) * 5, (3, 0, _ROOM, 1)])
def test_batches_of_any_size_are_prepared_in_turn(made: Callable[[], Batches], sizes: Sequence[int]) -> None:
    maker = made()
    for first in (0, 1 << 40, 7):
        ends = [*accumulate(sizes)]
        requests = [array("q", range(first + end - size, first + end)) for size, end in zip(sizes, ends, strict=True)]
        assert plain(maker.prepare(requests)) == (list(range(first, first + sum(sizes))), list(sizes), [0, *ends])


def test_the_reference_refuses_a_bad_token() -> None:
    with pytest.raises(BadKey):
        reference.prepare([[1], [-1]])


@pytest.mark.parametrize("made", MAKERS)
@pytest.mark.parametrize("bad", [[-1], [2**63], [5, 2**63, 5], [5, 5, 2**64 - 1], [2**64], ["a"], [1.5], [None], *NO_INTEGERS])
def test_a_bad_token_is_refused_and_the_next_batch_is_right(made: Callable[[], Batches], bad: Tokens) -> None:
    maker = made()
    with pytest.raises(BadKey):
        maker.prepare([[1], bad])
    assert plain(maker.prepare([[5]])) == ([5], [1], [0, 1])


def test_the_numbers_of_a_buffer_are_not_checked() -> None:
    """A check would cost as much as the copy."""
    signed, unsigned = array("q", (-1, 5)), array("Q", (2**64 - 1, 5))
    for held in (signed, unsigned, memoryview(signed), memoryview(unsigned)):
        assert plain(HostBatches().prepare([held])) == ([-1, 5], [2], [0, 2])


def test_bytes_are_refused_as_a_key() -> None:
    """Each byte, or every eight bytes, would be read as a token."""
    with pytest.raises(BadKey, match="memoryview"):
        pack(b"12345678")


def test_a_request_with_a_wrong_length_is_detected() -> None:
    class Growing(list[int]):
        def __len__(self) -> int:
            return 1

    with pytest.raises(AssertionError, match="as many tokens"):
        HostBatches().prepare([Growing((1, 2)), [3]])


# Ownership of memory


def occupy(device: str) -> None:
    """Give an asynchronous device work that it does before the next copy."""
    if device == "cuda":
        busy = torch.eye(4096, device=device)
        for _ in range(100):
            busy = busy @ busy


@pytest.mark.parametrize("view", [lambda tokens: tokens, memoryview])
def test_a_batch_shares_memory_with_nothing_else(device: str, view: Callable[[Tokens], Tokens]) -> None:
    """Neither the next batch, nor a caller that uses its buffers again, changes it."""
    for maker in (batches(device), StagedBatches(device)):
        held = array("q", range(1000))
        occupy(device)
        batch = maker.prepare([view(held), [7]])
        held[0] = -5
        later = maker.prepare([view(array("q", range(5000, 6000))), [8]])

        assert plain(batch) == ([*range(1000), 7], [1000, 1], [0, 1000, 1001])
        assert plain(later) == ([*range(5000, 6000), 8], [1000, 1], [0, 1000, 1001])
        batch.tokens.fill_(-1)
        assert plain(batch)[1:] == ([1000, 1], [0, 1000, 1001])
        assert later.tokens[0] == 5000
        assert held[1] == 1


def test_a_batch_is_one_storage_on_its_device_and_its_tokens_come_first(device: str) -> None:
    batch = batches(device).prepare([[1, 2], [3]])
    assert {tensor.device.type for tensor in batch} == {device}
    assert len({tensor.untyped_storage().data_ptr() for tensor in batch}) == 1
    assert [tensor.storage_offset() for tensor in batch] == [0, 3, 5]


def test_as_tensor_copies_numbers_or_shares_the_memory_of_the_caller() -> None:
    """C9 does not distinguish these: a list or an array is copied; a tensor is shared, as is an array with `frombuffer`."""
    listed, numbers, tensor, buffer = [1, 2], array("q", (1, 2)), torch.tensor([1, 2]), array("q", (1, 2))
    made = torch.as_tensor(listed), torch.as_tensor(numbers), torch.as_tensor(tensor), torch.frombuffer(buffer, dtype=torch.int64)

    listed[0], numbers[0], tensor[0], buffer[0] = 9, 9, 9, 9

    assert [each[0].item() for each in made] == [1, 1, 9, 9]


# Costs


@pytest.mark.parametrize(("name", "kind", "copies"), [("meta", StagedBatches, ["slice", "_to_copy"]), ("cpu", HostBatches, [])])
def test_a_batch_of_any_size_takes_one_copy_to_the_device_and_none_on_the_host(name: str, kind: type[Batches], copies: list[str]) -> None:
    """On the meta device nothing can be read back."""
    maker = batches(name)
    assert isinstance(maker, kind)
    for requests in ([[1]], [[1, 2]] * 50, [array("q", range(100))] * 200):
        with Launched() as mode:
            batch = maker.prepare(requests)
        assert mode.names == [*copies, "slice", "slice", "slice", "slice", "cumsum"]
        assert {tensor.device.type for tensor in batch} == {name}
