"""Traces in the format of the Mooncake paper: JSON lines, in which a hash id stands for one block of the input.

Equal ids mean equal blocks after equal prefixes. The tokens of a block are not recorded: a replay gives each id distinct tokens, which
preserves what requests share.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

BLOCK = 512  # tokens of the recorded input in a block
Line = TypeVar("Line", bytes, str, bytes | str)
ID_MAX = 2**40  # the tokens of a larger id would not fit into 64 bits

_COUNTS = ("timestamp", "input_length", "output_length")


class TraceError(Exception):
    """A trace cannot be used: the file, the line (0: the whole file) and the reason."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}" if line else f"{file}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """One recorded request."""

    timestamp: int  # milliseconds
    input_length: int  # tokens, as recorded
    output_length: int  # tokens, as recorded
    hash_ids: tuple[int, ...]  # one for each block of the input, in order


@dataclass(frozen=True, slots=True)
class Recorded:
    """The requests that were read. `error`: why reading stopped, and at which line; the requests before it can be used."""

    file: str
    requests: tuple[TraceRequest, ...]
    error: TraceError | None = None


def read(path: Path | str, limit: int = 0) -> Recorded:
    """Return at most `limit` requests of a trace (0: all). Raise nothing: an error is part of the result."""
    file = str(path)
    try:
        with open(path, "rb") as lines:
            return parse(file, lines, limit)
    except OSError as error:
        return Recorded(file, (), TraceError(file, 0, f"cannot be read: {error.strerror or error}"))


def add_lines(
    file: str, lines: Iterable[Line], limit: int, request: Callable[[Line], TraceRequest], requests: list[TraceRequest]
) -> TraceError | None:
    """Add the requests of these lines, up to `limit` in all (0: all). Empty lines are ignored. Return why it stopped, or None.

    `request` raises ValueError for an invalid line.
    """
    for number, line in enumerate(lines, 1):
        if limit and len(requests) == limit:
            break
        if not line.strip():
            continue
        try:
            requests.append(request(line))
        except ValueError as error:
            return TraceError(file, number, str(error))
    return None


def parse(file: str, lines: Iterable[bytes | str], limit: int = 0) -> Recorded:
    """Return the requests of these lines, up to the first invalid line. Empty lines are ignored."""
    requests: list[TraceRequest] = []
    error = add_lines(file, lines, limit, request_of, requests)
    if error is not None:
        return Recorded(file, tuple(requests), error)
    if not requests:
        return Recorded(file, (), TraceError(file, 0, "holds no request"))
    return Recorded(file, tuple(requests))


def object_of(line: bytes | str) -> dict[str, Any]:
    """Return the object of a line. Raise ValueError with the reason."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise ValueError(f"is not JSON ({reason})") from error
    if not isinstance(data, dict):
        raise ValueError(f"holds {type(data).__name__}, not an object with a request's fields")
    return data


def request_of(line: bytes | str) -> TraceRequest:
    """Return the request of a line. Raise ValueError with the reason."""
    data = object_of(line)
    timestamp, input_length, output_length = (_count(data, name) for name in _COUNTS)
    ids = _field(data, "hash_ids")
    if not isinstance(ids, list) or not ids:
        raise ValueError("hash_ids is not a list with at least one id")
    wrong = next((i for i in ids if not is_count(i) or i >= ID_MAX), None)
    if wrong is not None:
        raise ValueError(f"hash_ids holds {wrong!r}, which is not an integer from 0 to {ID_MAX - 1}")
    return TraceRequest(timestamp, input_length, output_length, tuple(ids))


def _field(data: dict[str, Any], name: str) -> Any:
    if name not in data:
        raise ValueError(f"has no field {name}")
    return data[name]


def _count(data: dict[str, Any], name: str) -> int:
    value = _field(data, name)
    if not is_count(value):
        raise ValueError(f"{name} is {value!r}, not an integer >= 0")
    count: int = value
    return count


def is_count(value: Any) -> bool:
    """Return whether this is an integer from 0; a boolean is not."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def prompt(request: TraceRequest, tokens_per_id: int) -> tuple[int, ...]:
    """Return the tokens of a request's input: hash id i becomes [i * n, (i + 1) * n) with n tokens per id; different ids share no token.

    >>> prompt(TraceRequest(0, 1024, 1, (3, 5)), 2)
    (6, 7, 10, 11)
    """
    n = tokens_per_id
    return tuple(chain.from_iterable(range(i * n, i * n + n) for i in request.hash_ids))


def output_length(request: TraceRequest, tokens_per_id: int, recorded_per_id: int = BLOCK) -> int:
    """Return the number of tokens to generate, at least one, if a block of the input has `tokens_per_id` tokens, and had `recorded_per_id`.

    >>> output_length(TraceRequest(0, 1024, 500, (3, 5)), 16), output_length(TraceRequest(0, 1024, 2, (3, 5)), 16)
    (15, 1)
    """
    return max(1, request.output_length * tokens_per_id // recorded_per_id)
