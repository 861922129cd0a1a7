"""The formats of requests that a replay reads, each JSON lines with one request a line. The first request decides which one it is.

    Mooncake        timestamp, input_length, output_length, hash_ids
    Qwen-Bailian    the same, with chat_id; the timestamp in seconds; a hash id stands for 16 tokens
    request log     tokens, a list of integers, or text; then, if any, output_length (default 1). One token of the replay for each token, or
                    for each byte of the text in UTF-8: which tokens a model makes of it is not known here

How many tokens a hash id stands for is inferred from the lengths: a request has as many ids as blocks, of which the last may be partial (in
Qwen-Bailian it may be left out). A request whose length does not fit ends the reading. A replay may give an id another number of tokens,
and then states both.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.trace_replay.mooncake import (
    BLOCK,
    ID_MAX,
    TraceError,
    TraceRequest,
    add_lines,
    is_count,
    object_of,
    request_of,
)

MOONCAKE, BAILIAN, LOG = "Mooncake", "Qwen-Bailian", "request log"
BAILIAN_BLOCK = 16  # tokens
PEEKED_MAX = 2**26  # bytes of the first request
ACCEPTED = (
    "a trace of operations (verify --traces), requests as JSON lines (Mooncake: hash_ids; Qwen-Bailian: chat_id, hash_ids; "
    "a log: tokens or text), or a recording of KV events (radixcheck record)"
)
SEPARATING = ("namespace", "extra_key", "cache_salt", "lora_id", "lora_name", "lora")  # fields of a log that keep prefixes apart

_OF_MOONCAKE = ("timestamp", "input_length", "output_length", "hash_ids")


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests that were read. `error`: why reading stopped, and at which line; the requests before it can be used."""

    file: str
    format: str
    requests: tuple[TraceRequest, ...]
    per_id: int  # tokens of the recorded input that one id stands for
    error: TraceError | None = None


def format_of(path: Path) -> str:
    """Return the format of a file of requests. Raise TraceError if it cannot be read or has none of these formats."""
    try:
        with path.open("rb") as lines:
            first = next((line for line in iter(lambda: lines.readline(PEEKED_MAX), b"") if line.strip()), b"")
    except OSError as error:
        raise TraceError(str(path), 0, f"cannot be read: {error.strerror or error}") from error
    found = _format(first)
    if found is None:
        raise TraceError(str(path), 0, f"{'has no known format' if first else 'holds no request'}; give {ACCEPTED}")
    return found


def _format(line: bytes) -> str | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    if "chat_id" in data and "hash_ids" in data:
        return BAILIAN
    if "hash_ids" not in data and ("tokens" in data or "text" in data):
        return LOG
    return MOONCAKE if any(name in data for name in _OF_MOONCAKE) else None


def read_requests(path: Path, limit: int = 0) -> Requests:
    """Return at most `limit` requests of a file (0: all). Raise TraceError if it has no known format."""
    file, format_ = str(path), format_of(path)
    lengths = Lengths(BAILIAN_BLOCK if format_ == BAILIAN else None)
    parse = {MOONCAKE: request_of, BAILIAN: _bailian, LOG: _logged}[format_]

    def measured(line: bytes) -> TraceRequest:
        request = parse(line)
        lengths.add(request)
        return request

    requests: list[TraceRequest] = []
    error = None
    try:
        with path.open("rb") as lines:
            error = add_lines(file, lines, limit, parse if format_ == LOG else measured, requests)
    except OSError as failed:
        error = TraceError(file, 0, f"cannot be read: {failed.strerror or failed}")
    return Requests(file, format_, tuple(requests), 1 if format_ == LOG else lengths.block, error)


class Lengths:
    """How many tokens an id can stand for, after the requests so far."""

    def __init__(self, fixed: int | None = None) -> None:
        self._fixed = fixed
        self._least, self._most = 1, ID_MAX

    def add(self, request: TraceRequest) -> None:
        """Note a request. Raise ValueError if its length does not fit its ids."""
        length, ids = request.input_length, len(request.hash_ids)
        if self._fixed is not None:
            if abs(ids * self._fixed - length) >= self._fixed:
                raise ValueError(f"input_length {length} does not fit {ids} hash_ids of {self._fixed} tokens")
            return
        least, most = max(self._least, -(-length // ids)), min(self._most, (length - 1) // (ids - 1) if ids > 1 else ID_MAX)
        if length < ids or least > most:
            known = "" if (self._least, self._most) == (1, ID_MAX) else f"; those before have {self._words()} tokens an id"
            raise ValueError(f"input_length {length} does not fit {ids} hash_ids{known}")
        self._least, self._most = least, most

    def _words(self) -> str:
        if self._most == ID_MAX:
            return f"at least {self._least}"
        return f"{self._least}" if self._least == self._most else f"{self._least} to {self._most}"

    @property
    def block(self) -> int:
        """The tokens that an id stands for: those of the paper if they fit, else the only number, else a power of two, else the least."""
        if self._fixed is not None:
            return self._fixed
        if self._least <= BLOCK <= self._most:
            return BLOCK
        power = 1 << (self._least - 1).bit_length()
        return power if power <= self._most else self._least


def _bailian(line: bytes) -> TraceRequest:
    """Return the request of a line. Raise ValueError with the reason."""
    data = object_of(line)
    time = data.get("timestamp")
    if isinstance(time, bool) or not isinstance(time, int | float) or not 0 <= time < ID_MAX:
        raise ValueError(f"timestamp is {time!r}, not a number of seconds" if "timestamp" in data else "has no field timestamp")
    return request_of(json.dumps({**{name: data[name] for name in _OF_MOONCAKE if name in data}, "timestamp": round(time * 1_000)}))


def _logged(line: bytes) -> TraceRequest:
    """Return the request of a line. Raise ValueError with the reason."""
    data = object_of(line)
    wrong = next((name for name in SEPARATING if data.get(name) not in (None, "", [])), None)
    if wrong is not None:
        raise ValueError(f"has the field {wrong}, which keeps prefixes apart, and is not replayed; make a log for each")
    if ("tokens" in data) == ("text" in data):
        raise ValueError("has not one of the fields tokens and text")
    tokens = _tokens(data["tokens"]) if "tokens" in data else _bytes(data["text"])
    if not tokens:
        raise ValueError("has an empty prompt")
    output = data.get("output_length", 1)
    if not is_count(output):
        raise ValueError(f"output_length is {output!r}, not an integer >= 0")
    return TraceRequest(0, len(tokens), output, tokens)


def _tokens(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise ValueError(f"tokens is {type(value).__name__}, not a list of integers")
    wrong = next((token for token in value if not is_count(token) or token >= ID_MAX), None)
    if wrong is not None:
        raise ValueError(f"tokens holds {wrong!r:.60}, which is not an integer from 0 to {ID_MAX - 1}")
    return tuple(value)


def _bytes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, str):
        raise ValueError(f"text is {type(value).__name__}, not a text")
    return tuple(value.encode(errors="surrogatepass"))
