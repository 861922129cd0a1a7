"""A batch of requests, end to end in one tensor on the device (`reference/batch.py` says what that is).

Everything goes through one buffer of 64-bit integers, so that a device is reached by one copy, whatever the number of requests:

    [0, n)                   lengths: tokens of each of the n requests
    [n, 2n + 1)              starts: where each begins among the tokens, and where the last one ends; summed up on the device
    [2n + 1, 2n + 1 + all)   tokens

Who owns the memory: a batch does. Its three tensors are views of one storage that no later call writes into, and that shares nothing
with what the requests were given in: they may be changed, or given again, as soon as `prepare` has returned. `torch.as_tensor` promises
less: it copies a list, but of a tensor or a buffer it makes a view, which the next step of the caller changes (C9).
"""

import ctypes
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from radixcheck.optimized.keys import TOKEN_BYTES, pack
from radixcheck.spec.values import BadKey

Tokens = Sequence[int]  # a list or tuple, each token of which is looked at; or an array of type "q" or "Q", which is taken as it is
_ROOM = 1 << 16  # integers that a staging buffer has at first
_TOKEN_MAX = 2**63 - 1  # on the device tokens are signed


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
        parts = _parts(requests)
        return _cut(torch.frombuffer(bytearray().join(parts), dtype=torch.int64), len(requests))


class StagedBatches:
    """For a device that memory has to be copied to: through one buffer on the host, pinned where that helps, which is used again.

    The copy runs beside the host. The buffer is not filled anew before it is done: until then `prepare` waits.
    """

    def __init__(self, device: torch.device | str) -> None:
        self._device = torch.device(device)
        self._copied: torch.cuda.Event | None = None  # the last copy
        self._stage(_ROOM)

    def prepare(self, requests: Sequence[Tokens]) -> DeviceBatch:
        """Fill the buffer, and copy what was filled at once."""
        parts = _parts(requests)
        used = sum(memoryview(part).nbytes for part in parts)
        if self._copied is not None:
            self._copied.synchronize()
        if used > len(self._memory):
            self._stage(2 * used // TOKEN_BYTES)
        at = 0
        for part in parts:
            data = memoryview(part).cast("B")
            self._memory[at : at + len(data)] = data
            at += len(data)
        whole = self._buffer[: used // TOKEN_BYTES].to(self._device, non_blocking=True, copy=True)
        if self._device.type == "cuda":
            self._copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._copied.record(torch.cuda.current_stream(self._device))
        return _cut(whole, len(requests))

    def _stage(self, integers: int) -> None:
        """A buffer for so many; the last copy from the one before is done."""
        self._buffer = torch.empty(integers, dtype=torch.int64, pin_memory=self._device.type == "cuda")
        # Tensors offer no buffer of their own without NumPy. `_buffer` keeps the memory alive as long as this view of it.
        self._memory = memoryview((ctypes.c_char * (integers * TOKEN_BYTES)).from_address(self._buffer.data_ptr())).cast("B")


def batches(device: torch.device | str) -> Batches:
    """What makes batches for this device."""
    return HostBatches() if torch.device(device).type == "cpu" else StagedBatches(device)


def _parts(requests: Sequence[Tokens]) -> "list[bytes | array[int]]":
    """The buffer's content in pieces: lengths, room for the starts, then the tokens of each request."""
    lengths = array("q", list(map(len, requests)))
    room = bytes((len(requests) + 1) * TOKEN_BYTES)
    return [lengths, room, *(requests if _are_buffers(requests) else map(_packed, requests))]


def _are_buffers(requests: Sequence[Any]) -> bool:
    """Whether all are arrays of 64-bit integers: then none needs a look of its own."""
    return set(map(type, requests)) <= {array} and {tokens.typecode for tokens in requests} <= {"q", "Q"}


def _packed(tokens: Tokens) -> "bytes | array[int]":
    if isinstance(tokens, array) and tokens.typecode in "qQ":
        return tokens
    data = pack(tokens)
    if len(tokens) and max(tokens) > _TOKEN_MAX:
        raise BadKey(f"token {max(tokens)} does not fit 63 bits")
    return data


def _cut(whole: Tensor, requests: int) -> DeviceBatch:
    tokens = 2 * requests + 1
    lengths, starts = whole[:requests], whole[requests:tokens]
    torch.cumsum(lengths, 0, out=starts[1:])
    return DeviceBatch(whole[tokens:], lengths, starts)
