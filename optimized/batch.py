"""A batch of requests, end to end in one tensor on the device (`reference/batch.py` is the readable version).

One buffer of 64-bit integers holds everything, so that a batch takes one copy to the device, whatever the number of requests:

    [0, all)                   tokens; first, because kernels need inputs that begin at a multiple of 16 bytes
    [all, all + n)             lengths: tokens of each of the n requests
    [all + n, all + 2n + 1)    starts: where each begins among the tokens, and where the last one ends; computed on the device

A batch owns its memory. Its three tensors are views of one storage that no later call writes into, and that shares nothing with the
containers of the requests: these may be changed, or used again, as soon as `prepare` has returned. `torch.as_tensor` guarantees less: it
copies a list, but shares the memory of a tensor, as `torch.frombuffer` does of an array, so that the caller's next step changes both (C9).
"""

import ctypes
import sys
from array import array
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple, Protocol, TypeGuard

import torch
from torch import Tensor

from radixcheck.optimized.keys import TOKEN_BYTES, Packed, pack
from radixcheck.spec.values import BadKey, shown

# A list or tuple, each token of which is checked. Or an array or a contiguous memoryview of 8-byte integers, which is not checked: a check
# would cost as much as the copy. Its owner must make sure that its numbers are tokens of at most 63 bits.
Tokens = Sequence[int]
_ROOM = 1 << 16  # integers that a staging buffer has at first
_TOP_BYTE = 7 if sys.byteorder == "little" else 0  # of a token; on the device tokens are signed, so that its first bit must be 0
_WIDE = frozenset(code for code in "qQlL" if array(code).itemsize == TOKEN_BYTES)  # the type codes of 8-byte integers in arrays and views
_typecode = attrgetter("typecode")


class DeviceBatch(NamedTuple):
    """The requests of one batch, end to end: tensors of int64 and one dimension, on the device."""

    tokens: Tensor  # of all requests
    lengths: Tensor  # tokens of each request
    starts: Tensor  # one more than there are requests: request i has tokens[starts[i] : starts[i + 1]]


class Batches(Protocol):
    """The maker of batches for one device."""

    def prepare(self, requests: Sequence[Tokens]) -> DeviceBatch:
        """Return the batch of these requests, in this order. Raises BadKey for a token that is not an integer from 0 to 2**63 - 1."""


class HostBatches:
    """For the CPU: the joined buffer is the batch already."""

    def prepare(self, requests: Sequence[Tokens]) -> DeviceBatch:
        """Return the batch; tokens are copied once. Raises BadKey."""
        return _cut(torch.frombuffer(bytearray().join(_parts(requests)), dtype=torch.int64), len(requests))


class StagedBatches:
    """For other devices: copies through one buffer on the host, which is used again, and pinned for CUDA.

    On CUDA the copy is asynchronous, in the current stream. `prepare` waits until the last copy is done before it fills the buffer again.
    The buffer grows with the largest batch.
    """

    def __init__(self, device: torch.device | str) -> None:
        self._device = torch.device(device)
        self._asynchronous = self._device.type == "cuda"  # other devices have no event for the end of a copy
        self._copied: torch.cuda.Event | None = None  # the last copy
        self._stage(_ROOM)

    def prepare(self, requests: Sequence[Tokens]) -> DeviceBatch:
        """Return the batch; tokens are copied twice: into the buffer, and to the device. Raises BadKey."""
        parts = [memoryview(part).cast("B") for part in _parts(requests)]
        used = sum(map(len, parts))
        if self._copied is not None:
            self._copied.synchronize()
        if used > len(self._memory):
            self._stage(2 * used // TOKEN_BYTES)
        at = 0
        for part in parts:
            end = at + len(part)
            self._memory[at:end] = part
            at = end
        whole = self._buffer[: used // TOKEN_BYTES].to(self._device, non_blocking=self._asynchronous, copy=True)
        if self._asynchronous:
            self._copied = torch.cuda.current_stream(self._device).record_event()
        return _cut(whole, len(requests))

    def _stage(self, integers: int) -> None:
        """Make a buffer for this many integers. The last copy from the old buffer must be done."""
        self._buffer = torch.empty(integers, dtype=torch.int64, pin_memory=self._asynchronous)
        # Tensors offer no buffer of their own without NumPy. `_buffer` keeps the memory alive as long as this view of it.
        self._memory = memoryview((ctypes.c_char * (integers * TOKEN_BYTES)).from_address(self._buffer.data_ptr())).cast("B")


def batches(device: torch.device | str) -> Batches:
    """Return the maker of batches for this device."""
    return HostBatches() if torch.device(device).type == "cpu" else StagedBatches(device)


def _parts(requests: Sequence[Tokens]) -> "list[array[int] | Packed | memoryview]":
    """Return the content of the buffer in parts: the tokens of each request, the lengths, space for the starts."""
    try:
        lengths = array("q", list(map(len, requests)))
    except TypeError as wrong:
        raise BadKey(f"expected the tokens of each request, found {shown(requests)}") from wrong
    room = bytes(TOKEN_BYTES * (len(requests) + 1))
    return [*(requests if _are_arrays(requests) else map(_packed, requests)), lengths, room]


def _are_arrays(requests: Sequence[object]) -> "TypeGuard[Sequence[array[int]]]":
    """Return whether all are arrays of 8-byte integers: then none has to be packed."""
    try:
        return _WIDE.issuperset(map(_typecode, requests))
    except AttributeError:  # only arrays have a type code
        return False


def _packed(tokens: Tokens) -> Packed | memoryview:
    if isinstance(tokens, array | memoryview):
        view = memoryview(tokens)
        if view.format in _WIDE and view.contiguous and view.ndim == 1:
            return view
    data = pack(tokens)
    assert len(data) == TOKEN_BYTES * len(tokens), "a request has as many tokens as its length says"
    if not data[_TOP_BYTE::TOKEN_BYTES].isascii():  # the fastest way to test the first bit of many bytes
        raise BadKey(f"token {max(tokens)} does not fit 63 bits")
    return data


def _cut(whole: Tensor, requests: int) -> DeviceBatch:
    at = len(whole) - 2 * requests - 1
    tokens, lengths, starts = whole[:at], whole[at : at + requests], whole[at + requests :]
    torch.cumsum(lengths, 0, out=starts[1:])
    return DeviceBatch(tokens, lengths, starts)
