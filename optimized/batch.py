"""A batch of requests, end to end in one tensor on the device (`reference/batch.py` says what that is).

Everything goes through one buffer of 64-bit integers, so that a device is reached by one copy, whatever the number of requests:

    [0, all)                   tokens; first, because kernels ask that what they read begins at a multiple of 16 bytes
    [all, all + n)             lengths: tokens of each of the n requests
    [all + n, all + 2n + 1)    starts: where each begins among the tokens, and where the last one ends

Who owns the memory: a batch does. Its three tensors are views of one storage that no later call writes into, and that shares nothing
with what the requests were given in: they may be changed, or given again, as soon as `prepare` has returned. `torch.as_tensor` promises
less: it copies a list, but a tensor it hands on, as `torch.frombuffer` does with an array, and the caller's next step changes both (C9).
"""

import ctypes
import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from radixcheck.optimized.keys import TOKEN_BYTES, pack
from radixcheck.spec.values import BadKey

# A list or tuple, each token of which is looked at. Or an array of type "q" or "Q", or a memoryview of 8-byte integers, which is taken as
# it is, for a look at it would cost as much as its copy: that its numbers are tokens, of at most 63 bits, is for its owner to know.
Tokens = Sequence[int]
_ROOM = 1 << 16  # integers that a staging buffer has at first
_TOP_BYTE = 7 if sys.byteorder == "little" else 0  # of a token; on the device tokens are signed, so that its first bit must be 0
_WIDE = frozenset("qQlL")  # formats of integers, where they take 8 bytes


class DeviceBatch(NamedTuple):
    """The requests of one batch, end to end: 64-bit integers, on the device."""

    tokens: Tensor  # all of them
    lengths: Tensor  # one for each request
    starts: Tensor  # one more than requests: request i has tokens[starts[i] : starts[i + 1]]


class Batches(Protocol):
    """What makes batches for one device."""

    def prepare(self, requests: Sequence[Tokens]) -> DeviceBatch:
        """The batch of these requests, in this order. Raises `BadKey` for what is no token, or does not fit."""


class HostBatches:
    """For the CPU: what is put together is the batch already."""

    def prepare(self, requests: Sequence[Tokens]) -> DeviceBatch:
        """One pass over what the requests hold; no second copy."""
        return _cut(torch.frombuffer(_joined(requests), dtype=torch.int64), len(requests))


class StagedBatches:
    """For a device that memory has to be copied to: through one buffer on the host, pinned where that helps, which is used again.

    On CUDA the copy runs beside the host, in the current stream. The buffer is not filled anew before it is done: until then `prepare`
    waits. The buffer grows with the largest batch.
    """

    def __init__(self, device: torch.device | str) -> None:
        self._device = torch.device(device)
        self._beside = self._device.type == "cuda"  # elsewhere there is no event that says when a copy is done
        self._copied: torch.cuda.Event | None = None  # the last copy
        self._stage(_ROOM)

    def prepare(self, requests: Sequence[Tokens]) -> DeviceBatch:
        """Fill the buffer, and copy what was filled at once."""
        data = _joined(requests)  # while the last copy may still run; joining is faster than filling the buffer piece by piece
        if self._copied is not None:
            self._copied.synchronize()
        if len(data) > len(self._memory):
            self._stage(2 * len(data) // TOKEN_BYTES)
        self._memory[: len(data)] = data
        whole = self._buffer[: len(data) // TOKEN_BYTES].to(self._device, non_blocking=self._beside, copy=True)
        if self._beside:
            self._copied = torch.cuda.current_stream(self._device).record_event()
        return _cut(whole, len(requests))

    def _stage(self, integers: int) -> None:
        """A buffer for so many; the last copy from the one before is done."""
        self._buffer = torch.empty(integers, dtype=torch.int64, pin_memory=self._beside)
        # Tensors offer no buffer of their own without NumPy. `_buffer` keeps the memory alive as long as this view of it.
        self._memory = memoryview((ctypes.c_char * (integers * TOKEN_BYTES)).from_address(self._buffer.data_ptr())).cast("B")


def batches(device: torch.device | str) -> Batches:
    """What makes batches for this device."""
    return HostBatches() if torch.device(device).type == "cpu" else StagedBatches(device)


def _joined(requests: Sequence[Tokens]) -> bytearray:
    """The buffer's content."""
    lengths = [*map(len, requests)]
    starts = [*accumulate(lengths, initial=0)]
    tokens = [held if type(held) is array and held.typecode in "qQ" else _packed(held) for held in requests]
    data = bytearray().join([*tokens, array("q", lengths + starts)])
    assert len(data) == TOKEN_BYTES * (starts[-1] + 2 * len(lengths) + 1), "each request has as many tokens as it says"
    return data


def _packed(tokens: Tokens) -> bytes | memoryview:
    if type(tokens) is memoryview and tokens.format in _WIDE and tokens.itemsize == TOKEN_BYTES:
        return tokens if tokens.contiguous else tokens.tobytes()
    data = pack(tokens)
    if not data[_TOP_BYTE::TOKEN_BYTES].isascii():  # the fastest way to ask many bytes for their first bit
        raise BadKey(f"token {max(tokens)} does not fit 63 bits")
    return data


def _cut(whole: Tensor, requests: int) -> DeviceBatch:
    starts = len(whole) - requests - 1
    lengths = starts - requests
    return DeviceBatch(whole[:lengths], whole[lengths:starts], whole[starts:])
