"""The store of KV on two tiers: every bit arrives in the right slot and layer, and the launches are as few as stated."""

import warnings
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
import torch
from launched import launched
from torch import Tensor

from radixcheck.optimized.kv_store import KVBuffers, check_move, runs_of

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.int8, torch.uint8, torch.float8_e4m3fn, torch.float8_e5m2, torch.int64]
SLOTS, HOST_SLOTS = 48, 64


def bits(tensor: Tensor) -> Tensor:
    """The bytes of a tensor, on the CPU."""
    return tensor.cpu().contiguous().view(-1).view(torch.uint8)


def fill(tensors: Sequence[Tensor], seed: int) -> None:
    """Give every item bits of its own, those of NaN among them."""
    generator = torch.Generator().manual_seed(seed)
    for tensor in tensors:
        drawn = torch.randint(0, 256, (tensor.numel() * tensor.itemsize,), dtype=torch.uint8, generator=generator)
        tensor.copy_(drawn.view(tensor.dtype).view(tensor.shape))


def pages(random: Random, count: int, slots: int, page_size: int) -> Tensor:
    """The slots of so many pages, drawn from all."""
    starts = torch.tensor(random.sample(range(slots // page_size), count)) * page_size
    return (starts.unsqueeze(1) + torch.arange(page_size)).view(-1)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("layers", "item"), [(1, ()), (2, (3,)), (3, (2, 4)), (2, (8, 2, 2))])
@pytest.mark.parametrize("page_size", [1, 2, 16])
def test_every_bit_arrives_in_its_slot_and_layer_and_nothing_else_changes(
    device: str, dtype: torch.dtype, layers: int, item: tuple[int, ...], page_size: int
) -> None:
    random = Random(f"{dtype} {layers} {page_size}")
    slot_bytes = layers * torch.Size(item).numel() * dtype.itemsize
    for piece_slots in (1, 5, SLOTS + HOST_SLOTS):
        store = KVBuffers(layers, SLOTS, HOST_SLOTS, item, dtype, device, piece_bytes=piece_slots * slot_bytes)
        fill(store.device, 1)
        fill(store.host, 2)
        for pages_each in (1, 2, 3):
            on_device, on_host = pages(random, pages_each, SLOTS, page_size), pages(random, pages_each, HOST_SLOTS, page_size)
            before = [layer.to("cpu", copy=True) for layer in (*store.device, *store.host)]

            store.backup(on_device.to(device), on_host)
            back = pages(random, pages_each, SLOTS, page_size)
            store.load(on_host, back.to(device))
            on_device_now = [layer.cpu() for layer in store.device]  # waits for the device

            for layer in range(layers):
                before[layers + layer][on_host] = before[layer][on_device]
                assert torch.equal(bits(store.host[layer]), bits(before[layers + layer]))
                before[layer][back] = before[layer][on_device]
                assert torch.equal(bits(on_device_now[layer]), bits(before[layer]))


def test_a_layer_is_a_tensor_of_slots_on_each_tier(device: str) -> None:
    store = KVBuffers(3, 8, 16, (2, 5), torch.bfloat16, device)

    assert [(layer.shape, layer.dtype, layer.device.type) for layer in store.device] == [((8, 2, 5), torch.bfloat16, device)] * 3
    assert [(layer.shape, layer.dtype, layer.device.type) for layer in store.host] == [((16, 2, 5), torch.bfloat16, "cpu")] * 3
    assert all(layer.is_contiguous() for layer in store.device)
    assert {layer.is_pinned() for layer in store.host} == {device != "cpu"}
    assert not any(bool(layer.count_nonzero()) for layer in (*store.device, *store.host))


def test_all_layers_of_a_run_of_host_slots_are_one_block() -> None:
    store = KVBuffers(3, 8, 16, (2,), torch.int16)
    for number, layer in enumerate(store.host):
        layer[4:8] = torch.arange(4, dtype=torch.int16).unsqueeze(1) * 10 + number

    block = store._host[4:8]

    assert block.is_contiguous()
    assert block.view(-1).view(torch.int16).tolist() == [slot * 10 + layer for slot in range(4) for layer in range(3) for _ in range(2)]


@pytest.mark.parametrize(
    ("item", "dtype", "width"), [((8,), torch.float16, 16), ((4,), torch.float16, 8), ((3,), torch.float32, 4), ((3,), torch.int16, 2)]
)
def test_items_are_moved_in_the_widest_words_that_they_are_made_of(item: tuple[int, ...], dtype: torch.dtype, width: int) -> None:
    assert KVBuffers(1, 2, 2, item, dtype)._rows.itemsize == width
    assert KVBuffers(1, 2, 2, (*item, 3), torch.int8)._rows.itemsize == {8: 8, 4: 4, 3: 1}[item[0]]


# Costs


@pytest.mark.parametrize(
    ("host_slots", "piece_slots", "pieces", "transfers"),
    [
        (range(8, 24), 64, 1, 1),
        ([*range(8, 16), *range(32, 40)], 64, 1, 2),
        (range(0, 32, 2), 64, 1, 16),
        (range(8, 24), 16, 1, 1),
        (range(8, 24), 15, 2, 2),
        ([*range(8, 16), *range(32, 40)], 5, 4, 5),
    ],
)
def test_a_batch_takes_two_kernels_for_each_piece_and_one_transfer_for_each_run(
    device: str, host_slots: Sequence[int], piece_slots: int, pieces: int, transfers: int
) -> None:
    """For all layers. The counters agree with the tensor operations that torch was given."""
    store = KVBuffers(3, 32, 64, (2,), torch.float32, device, piece_bytes=piece_slots * 24)
    warnings.simplefilter("error")  # torch warns where it must resize an output
    on_device, on_host = torch.randperm(32)[: len(host_slots)].to(device), torch.tensor(host_slots)

    for move, kernel in (
        (lambda: store.backup(on_device, on_host), "index_select"),
        (lambda: store.load(on_host, on_device), "index_copy_"),
    ):
        kernels, moved = store.kernels, store.transfers
        names = launched(move).split()
        assert (store.kernels - kernels, store.transfers - moved) == (2 * pieces, transfers)
        assert (names.count("add"), names.count(kernel), names.count("copy_")) == (pieces, pieces, transfers)


def staging(store: KVBuffers) -> Tensor:
    assert store._staging is not None
    return store._staging


def test_the_staging_buffer_stays_within_its_bound_and_is_used_again() -> None:
    store = KVBuffers(2, 64, 64, (3,), torch.float32, piece_bytes=10 * 24 + 23)
    everything = torch.arange(64)

    store.backup(everything, everything)
    first = staging(store)
    store.load(everything, everything)

    assert first.nbytes == 10 * 24
    assert staging(store) is first


def test_a_store_smaller_than_a_piece_stages_no_more_than_it_holds() -> None:
    store = KVBuffers(1, 4, 6, (2,), torch.float32)

    store.backup(torch.tensor([0]), torch.tensor([0]))

    assert staging(store).nbytes == 6 * 8


@pytest.mark.parametrize("slots", [[], [3], [3, 4], [4, 3], [0, 1, 2, 9, 11, 12], [5, 5], [7, 6, 5]])
def test_runs_are_maximal_and_cover_the_slots_in_order(slots: list[int]) -> None:
    found = runs_of(torch.tensor(slots)) if slots else []

    assert [first + i for first, start, end in found for i in range(end - start)] == slots
    assert [start for _, start, _ in found[1:]] == [end for _, _, end in found[:-1]]
    assert all(slots[start] != slots[start - 1] + 1 for _, start, _ in found[1:])


# Wrong use

GOOD: dict[str, Any] = {"layers": 2, "slots": 4, "host_slots": 4, "item": (2,), "dtype": torch.float16}
BAD_SIZES: list[tuple[dict[str, Any], str]] = [
    ({"layers": 0}, "expected layers to be at least 1, found 0"),
    ({"slots": -1}, "expected slots to be at least 1, found -1"),
    ({"host_slots": 0}, "expected host_slots to be at least 1, found 0"),
    ({"host_slots": 1.5}, "expected an integer, found 1.5"),
    ({"item": (2, 0)}, "expected item to be at least 1, found 0"),
    ({"dtype": "float16"}, "expected a dtype of torch, found 'float16'"),
    ({"piece_bytes": 7}, "a piece of 7 bytes does not hold a slot of 8"),
]


@pytest.mark.parametrize(("changed", "sentence"), BAD_SIZES)
def test_wrong_sizes_are_refused_with_a_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        KVBuffers(**GOOD | changed)


def row(*slots: int, dtype: torch.dtype = torch.int64) -> Tensor:
    return torch.tensor(slots, dtype=dtype)


BAD_SLOTS: list[tuple[Any, Any, str]] = [
    (row(0, 1), row(0), "expected as many slots of the device as of the host, at least one, found 2 and 1"),
    (row(), row(), "expected as many slots of the device as of the host, at least one, found 0 and 0"),
    (row(0), row(4), "expected slots of the host from 0 to 3, found 4"),
    (row(0, 1), row(0, 4), "expected slots of the host from 0 to 3, found 4"),
    (row(0, 1), row(-1, 3), "expected slots of the host from 0 to 3, found -1"),
    (row(0, dtype=torch.int32), row(0), "expected slots as a tensor of int64, of one dimension"),
    (row(0), row(0, dtype=torch.int32), "expected slots as a tensor of int64, of one dimension"),
    (row(0).view(1, 1), row(0), "expected slots as a tensor of int64, of one dimension"),
    (row(0), row(0)[0], "expected slots as a tensor of int64, of one dimension"),
    ([0], row(0), r"expected slots as a tensor of int64, of one dimension, on cpu, found \[0\]"),
    (row(0).to("meta"), row(0), "expected slots as a tensor of int64, of one dimension, on cpu"),
]


@pytest.mark.parametrize(("on_device", "on_host", "sentence"), BAD_SLOTS)
def test_wrong_slots_are_refused_and_nothing_is_issued(on_device: Any, on_host: Any, sentence: str) -> None:
    store = KVBuffers(**GOOD)
    for call in (store.backup, lambda device_slots, host_slots: store.load(host_slots, device_slots)):
        with pytest.raises(ValueError, match=sentence):
            call(on_device, on_host)
    assert (store.kernels, store.transfers) == (0, 0)


def test_nothing_is_read_from_the_device() -> None:
    """On the meta device nothing can be read back."""
    store = KVBuffers(2, 8, 8, (2,), torch.float16, "meta")
    on_device = row(3, 1).to("meta")

    check_move(store, on_device, row(0, 1))
    store.load(row(0, 1), on_device)

    assert (store.kernels, store.transfers) == (2, 1)
