"""Recordings: batches as a server sent them, in a file. Two forms are read; `radixcheck record` writes the first.

JSON lines, of which the first may be a header, and the last the mark of completeness. Empty lines are ignored.

    {"radixcheck": "events", "version": 1, "endpoint": "tcp://host:5557"}
    {"seq": 0, "topic": "kv", "payload": "k8tB..."}
    {"seq": 1, "content": [17.5, [{"type": "BlockRemoved", "block_hashes": [{"bytes": "00ff"}, 12]}]]}
    {"complete": 1}

    seq        the sequence number that the server gave the batch, from 0
    payload    the bytes that the server sent, in base64
    content    instead: the batch itself, as `batch_format` describes it; ids that are bytes are written as above, in hexadecimal
    complete   the last sequence number that the server had sent when the recording ended, as its replay socket said

msgpack: values one behind the other, each [topic, seq, payload] or [seq, payload]; `seq` is an integer, or the 8 bytes of the server.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.payload import StreamError, is_count, msgpack_package, short, unpack_reason, unpacked

MARK, VERSION = "events", 1
HEADER_MAX = 2**16  # bytes
LINE_MAX = 2**26  # bytes of one batch: a longer one is refused before it is read
SEQ_MAX = 2**63  # the last one of 8 bytes is the end of a replay
SEQ_BYTES = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """One batch as it came, not yet decoded."""

    where: str  # the place in its file, for messages
    seq: int
    payload: bytes | None  # None: it has a content
    content: Any = None
    topic: str = ""

    def value(self) -> Any:
        """Return the batch as a plain value. Raise StreamError."""
        return self.content if self.payload is None else unpacked(self.payload)


@dataclass(frozen=True, slots=True)
class Complete:
    """The mark of completeness: the last sequence number that the server had sent; -1: it had sent no batch."""

    last: int


Item = Frame | Complete


def is_recording(path: Path) -> bool:
    """Return whether the file begins with the header of a recording, of any version; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.readline(HEADER_MAX))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and data.get("radixcheck") == MARK


def read(path: Path) -> Iterator[Item]:
    """Yield the batches of a recording, in the order of the file. Raise StreamError where it cannot be read on, UsageError at once."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    with file:
        try:
            first = file.read(1)
            file.seek(0)
            yield from _lines(file) if first in b"{ \t\r\n" else _values(file)
        except OSError as error:
            raise StreamError(f"cannot be read: {error.strerror or error}") from error


def _lines(file: IO[bytes]) -> Iterator[Item]:
    """Yield the batches of JSON lines."""
    number = 0
    while line := file.readline(LINE_MAX + 1):
        number += 1
        where = f"line {number}"
        if not line.strip():
            continue
        try:
            item = _item(line, where)
        except StreamError as error:
            raise StreamError(f"{where} {error}") from error
        if item is not None:
            yield item


def _item(line: bytes, where: str) -> Item | None:
    """Return what a line holds; None: it is a header. Raise StreamError."""
    if len(line) > LINE_MAX:
        raise StreamError(f"is longer than {LINE_MAX:,} bytes")
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        cut = "" if line.endswith(b"\n") else ": the file is cut there"
        raise StreamError(f"is not JSON ({unpack_reason(error)}){cut}") from error
    match data:
        case {"radixcheck": mark, "version": version}:
            if mark != MARK or version != VERSION:
                raise StreamError(
                    f"is the header of {short(mark)}, version {short(version)}; this radixcheck reads {MARK}, version {VERSION}"
                )
            return None
        case {"complete": last}:
            if type(last) is not int or not -1 <= last < SEQ_MAX:
                raise StreamError(f"has {short(last)} for complete, not a sequence number")
            return Complete(last)
        case {"seq": seq, "payload": str() as text}:
            return Frame(where, _seq(seq), _payload(text), None, _topic(data))
        case {"seq": seq, "content": content}:
            return Frame(where, _seq(seq), None, _with_bytes(content), _topic(data))
        case _:
            raise StreamError(f"holds {short(data)}, not a batch with seq and payload, or seq and content")


def _payload(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError) as error:
        raise StreamError(f"has a payload that is not base64 ({unpack_reason(error)})") from error


def _topic(data: dict[str, Any]) -> str:
    topic = data.get("topic", "")
    if not isinstance(topic, str):
        raise StreamError(f"has the topic {short(topic)}, not a text")
    return topic


def _with_bytes(value: Any) -> Any:
    """Return the content of a line with bytes in the place of what stands for them. Raise StreamError."""
    try:
        if isinstance(value, dict) and value.keys() == {"bytes"}:
            return bytes.fromhex(value["bytes"])
        if isinstance(value, dict):
            return {name: _with_bytes(each) for name, each in value.items()}
        return list(map(_with_bytes, value)) if isinstance(value, list) else value
    except (ValueError, TypeError) as error:
        raise StreamError(f"has bytes that are not written in hexadecimal ({unpack_reason(error)})") from error
    except RecursionError as error:
        raise StreamError("is nested too deeply") from error


def _seq(value: Any) -> int:
    """Return a sequence number. Raise StreamError."""
    seq = int.from_bytes(value, "big") if isinstance(value, bytes) and len(value) == SEQ_BYTES else value
    if not is_count(seq) or seq >= SEQ_MAX:
        raise StreamError(f"has the sequence number {short(value)}, not an integer from 0")
    return int(seq)


def _values(file: IO[bytes]) -> Iterator[Item]:
    """Yield the batches of values of msgpack."""
    package = msgpack_package()
    values = package.Unpacker(file, strict_map_key=False, max_buffer_size=LINE_MAX)
    number = end = 0
    while True:
        where = f"value {number + 1}, at byte {end:,},"
        try:
            value = values.unpack()
        except package.OutOfData as error:
            file.seek(0, 2)
            if file.tell() > end:
                raise StreamError(f"{where} is cut: the file ends within it") from error
            return
        except (ValueError, TypeError, OverflowError, RecursionError, MemoryError, package.BufferFull) as error:
            raise StreamError(f"{where} is not a value of msgpack ({unpack_reason(error)})") from error
        match value:
            case [seq, bytes() as payload]:
                topic: Any = b""
            case [topic, seq, bytes() as payload]:
                pass
            case _:
                raise StreamError(f"{where} is {short(value)}, not [topic, seq, payload]")
        try:
            yield Frame(where, _seq(seq), payload, None, _text(topic))
        except StreamError as error:
            raise StreamError(f"{where} {error}") from error
        number, end = number + 1, values.tell()


def _text(topic: Any) -> str:
    if isinstance(topic, bytes):
        return topic.decode(errors="backslashreplace")
    if not isinstance(topic, str):
        raise StreamError(f"has the topic {short(topic)}, not a text")
    return topic


def header(endpoint: str) -> bytes:
    """Return the first line of a recording."""
    return _line({"radixcheck": MARK, "version": VERSION, "endpoint": endpoint})


def line_of(item: Item) -> bytes:
    """Return the line that holds a batch as the server sent it, or the mark of completeness."""
    if isinstance(item, Complete):
        return _line({"complete": item.last})
    if item.payload is None:
        return _line({"seq": item.seq, "topic": item.topic, "content": item.content})
    return _line({"seq": item.seq, "topic": item.topic, "payload": b64encode(item.payload).decode()})


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data).encode() + b"\n"
