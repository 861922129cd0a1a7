"""A batch of requests, end to end in one tensor on the device (`reference/batch.py` says what that is).

Everything goes through one buffer of 64-bit integers, so that a device is reached by one copy, whatever the number of requests:

    [0, all)                   tokens; first, because kernels ask that what they read begins at a multiple of 16 bytes
    [all, all + n)             lengths: tokens of each of the n requests
    [all + n, all + 2n + 1)    starts: where each begins among the tokens, and where the last one ends; summed up on the device

Who owns the memory: a batch does. Its three tensors are views of one storage that no later call writes into, and that shares nothing
with what the requests were given in: they may be changed, or given again, as soon as `prepare` has returned. `torch.as_tensor` promises
less: it copies a list, but a tensor it hands on, as `torch.frombuffer` does with an array, and the caller's next step changes both (C9).
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
from radixcheck.spec.values import BadKey

# A list or tuple, each token of which is looked at. Or an array or a contiguous memoryview of 8-byte integers, which is taken as it is,
# for a look at it would cost as much as its copy: that its numbers are tokens, of at most 63 bits, is for its owner to know.
Tokens = Sequence[int]
_ROOM = 1 << 16  # integers that a staging buffer has at first
_TOP_BYTE = 7 if sys.byteorder == "little" else 0  # of a token; on the device tokens are signed, so that its first bit must be 0
_WIDE = frozenset(code for code in "qQlL" if array(code).itemsize == TOKEN_BYTES)  # what arrays and views call 8-byte integers
_typecode = attrgetter("typecode")


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
        return _cut(torch.frombuffer(bytearray().join(_parts(requests)), dtype=torch.int64), len(requests))


class StagedBatches:
    """For a device that memory has to be copied to: through one buffer on the host, pinned where that helps, which is used again.

    On CUDA the copy runs beside the host, in the current stream. The buffer is not filled anew before it is done: until then `prepare`
    waits. The buffer grows with the largest batch.
    """

    def __init__(self, device: torch.device | str) -> None:
        self._device = torch.device(device)
        self._asynchronous = self._device.type == "cuda"  # elsewhere there is no event that says when a copy is done
        self._copied: torch.cuda.Event | None = None  # the last copy
        self._stage(_ROOM)

    def prepare(self, requests: Sequence[Tokens]) -> DeviceBatch:
        """Fill the buffer, and copy what was filled at once."""
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
        """A buffer for so many; the last copy from the one before is done."""
        self._buffer = torch.empty(integers, dtype=torch.int64, pin_memory=self._asynchronous)
        # Tensors offer no buffer of their own without NumPy. `_buffer` keeps the memory alive as long as this view of it.
        self._memory = memoryview((ctypes.c_char * (integers * TOKEN_BYTES)).from_address(self._buffer.data_ptr())).cast("B")


def batches(device: torch.device | str) -> Batches:
    """What makes batches for this device."""
    return HostBatches() if torch.device(device).type == "cpu" else StagedBatches(device)


def _parts(requests: Sequence[Tokens]) -> "list[array[int] | Packed | memoryview]":
    """The buffer's content in pieces: the tokens of each request, lengths, room for the starts."""
    lengths = array("q", list(map(len, requests)))
    room = bytes(TOKEN_BYTES * (len(requests) + 1))
    return [*(requests if _are_arrays(requests) else map(_packed, requests)), lengths, room]


def _are_arrays(requests: Sequence[object]) -> "TypeGuard[Sequence[array[int]]]":
    """Whether all are arrays of 8-byte integers: then none needs a look of its own."""
    try:
        return _WIDE.issuperset(map(_typecode, requests))
    except AttributeError:  # nothing but an array has a type code
        return False


def _packed(tokens: Tokens) -> Packed | memoryview:
    if isinstance(tokens, array | memoryview):
        view = memoryview(tokens)
        if view.format in _WIDE and view.contiguous and view.ndim == 1:
            return view
    data = pack(tokens)
    assert len(data) == TOKEN_BYTES * len(tokens), "a request has as many tokens as it says"
    if not data[_TOP_BYTE::TOKEN_BYTES].isascii():  # the fastest way to ask many bytes for their first bit
        raise BadKey(f"token {max(tokens)} does not fit 63 bits")
    return data


def _cut(whole: Tensor, requests: int) -> DeviceBatch:
    at = len(whole) - 2 * requests - 1
    tokens, lengths, starts = whole[:at], whole[at : at + requests], whole[at + requests :]
    torch.cumsum(lengths, 0, out=starts[1:])
    return DeviceBatch(tokens, lengths, starts)
