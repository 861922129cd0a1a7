"""Trace files: operations with the configuration under which they are performed, as JSON lines.

The first line is the header, each other line one operation, as `Op.to_json` writes it. Empty lines are ignored.

    {"radixcheck": "trace", "version": 1, "policy": "lru", "page_size": 1, "pool": 6, "subject": "base", "property": "ORDER"}
    {"op": "insert", "tokens": [1, 1], "namespace": ["adapter", 7]}
    {"op": "evict", "amount": 1}

    page_size, pool   tokens; the pool is a multiple of the page size
    device            default: cpu
    host_pool, mode   tokens, and when a node is copied to the host, of a cache with a host tier; default: it has none
    subject           the name, on the command line, of the cache with which the trace was recorded; default: empty
    property          the property that the trace breaks there; default: empty
    tokens            of a key, integers from 0
    namespace         of a key, a list of components: null, a boolean, a number, a string or a list of these
    holder            a request, a lock or a caller's slots, an integer from 0; of `complete`: which of the copies in flight; default: 0
    amount            tokens to evict, the token to decode, or how many of a caller's slots to free, the last ones (0: all); of `complete`
                      1: the copy fails; default: 0
    priority          an integer; default: 0
    loans             holders of a caller's slots: an insert uses their slots, in order, before it allocates the rest; a free gives all of
                      them back in one call; default: none

Unknown fields are refused: otherwise a misspelt field would be ignored. A list in a namespace becomes a tuple in the key, because
components are compared and hashed.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.atomic_write import write_atomically
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import HOST_OPERATIONS, REQUEST_OPERATIONS, TREE_OPERATIONS, Op, Trace, is_misuse
from radixcheck.verification.protocol import MODES

VERSION = 1
MARK = "trace"  # the value of the header's field "radixcheck"
HEADER_BYTES_MAX = 2**16
PAGES_MAX = 2**24  # of a pool: the checker's state of a larger one would not fit into memory
INTEGER_MAX = 2**63 - 1  # of tokens and holders: caches keep them in 64 bits

_HEADER = ("radixcheck", "version", "policy", "page_size", "pool", "device", "host_pool", "mode", "subject", "property")
_OPERATION = ("op", "tokens", "namespace", "holder", "amount", "priority", "loans")
_NAMES = tuple(dict.fromkeys((*TREE_OPERATIONS, *REQUEST_OPERATIONS, *HOST_OPERATIONS)))


@dataclass(frozen=True)
class Recorded:
    """The contents of a trace file."""

    config: Config
    trace: Trace
    subject: str = ""  # the name of the cache with which it was recorded; empty: unknown
    property: str = ""  # the property that it breaks there; empty: unknown


def is_trace(path: Path) -> bool:
    """Return whether the first line is a header of a trace, of any version; False for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            return bool(_object(file.readline(HEADER_BYTES_MAX)).get("radixcheck") == MARK)
    except (OSError, ValueError):
        return False


def read(path: Path) -> Recorded:
    """Return the contents of a trace file. Raise UsageError with the line, what is wrong with it, and the fix."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give the path of a trace") from error
    return _parsed(str(path), lines)


def write(path: Path, recorded: Recorded) -> None:
    """Write a trace file atomically. Raise UsageError if that is not possible, or if reading the file would give another trace.

    A component of a namespace may be any object; JSON has few types.
    """
    lines = _lines(str(path), recorded)
    if _parsed(str(path), lines) != recorded:
        raise UsageError(
            f"{path}: not written: a namespace changes when it is read back from JSON; use strings, numbers and tuples of these"
        )
    try:
        write_atomically(path, b"".join(line + b"\n" for line in lines).decode())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); give another file") from error


def _lines(file: str, recorded: Recorded) -> list[bytes]:
    config = recorded.config.to_json()
    header = {"radixcheck": MARK, "version": VERSION, **config, "subject": recorded.subject, "property": recorded.property}
    try:
        return [json.dumps(each, allow_nan=False).encode() for each in (header, *(op.to_json() for op in recorded.trace))]
    except (TypeError, ValueError) as error:
        raise UsageError(f"{file}: not written: a namespace has no form in JSON ({error}); use strings and numbers") from error


def _parsed(file: str, lines: Iterable[bytes]) -> Recorded:
    header, *rest = lines
    numbered = [(number, line) for number, line in enumerate(rest, 2) if line.strip()]
    config, subject, property_ = _at(file, 1, header, _header)
    return Recorded(
        config, tuple(_at(file, number, line, lambda text: operation(_object(text))) for number, line in numbered), subject, property_
    )


def _at(file: str, number: int, line: bytes, parse: Callable[[bytes], Any]) -> Any:
    """Return the parsed line. Raise UsageError with the file and the line number."""
    try:
        return parse(line)
    except ValueError as error:
        raise UsageError(f"{file}, line {number}: {error}") from error


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON ({error}); write one object a line") from error
    if not isinstance(data, dict):
        raise ValueError(f"holds {type(data).__name__}, not an object; write one object a line")
    return data


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is not a number in JSON")


def _header(line: bytes) -> tuple[Config, str, str]:
    """Return configuration, subject and property. Raise ValueError."""
    fix = f'begin the file with {{"radixcheck": "{MARK}", "version": {VERSION}, "policy": .., "page_size": .., "pool": ..}}'
    try:
        data = _object(line)
    except ValueError as error:
        raise ValueError(f"is not the header of a trace: {fix}") from error
    if data.get("radixcheck") != MARK:
        raise ValueError(f"is not the header of a trace: {fix}")
    version = _integer(data, "version", least=1)
    if version > VERSION:
        raise ValueError(f"version {version} is newer than {VERSION}, the latest that this radixcheck reads: install a newer radixcheck")
    _known(data, _HEADER, "a header")
    policy = _text(data, "policy")
    if policy not in POLICIES:
        raise ValueError(f"unknown policy {policy!r}: choose from {', '.join(POLICIES)}")
    page_size, pool = _integer(data, "page_size", least=1), _integer(data, "pool", least=1)
    _check_pool("pool", pool, page_size)
    device, host_pool, mode = _text(data, "device", "cpu"), _integer(data, "host_pool", least=0), _text(data, "mode", "")
    _check_pool("host pool", host_pool, page_size)
    if mode and mode not in MODES:
        raise ValueError(f"unknown mode {mode!r}: choose from {', '.join(MODES)}")
    if host_pool and not mode:
        raise ValueError(f"has a host_pool and no field mode: choose from {', '.join(MODES)}")
    return Config(policy, page_size, pool, device, host_pool, mode), _text(data, "subject", ""), _text(data, "property", "")


def _check_pool(name: str, tokens: int, page_size: int) -> None:
    if tokens % page_size:
        raise ValueError(f"a {name} of {tokens} tokens is not a multiple of the page size {page_size}: give a multiple")
    if tokens // page_size > PAGES_MAX:
        raise ValueError(f"a {name} of {tokens // page_size:,} pages is too large to be checked: give at most {PAGES_MAX:,}")


def operation(data: Mapping[str, Any]) -> Op:
    """Return the operation that an object in JSON describes. Raise ValueError."""
    _known(data, _OPERATION, "an operation")
    name = _text(data, "op")
    if name not in _NAMES and not is_misuse(name):
        raise ValueError(f"unknown operation {name!r}: choose from {', '.join(_NAMES)}")
    tokens = data.get("tokens", [])
    if not isinstance(tokens, list) or not all(type(token) is int and 0 <= token <= INTEGER_MAX for token in tokens):
        raise ValueError(f"tokens is {_short(tokens)}: give a list of integers from 0")
    namespace = data.get("namespace", [])
    if not isinstance(namespace, list):
        raise ValueError(f"namespace is {_short(namespace)}: give a list of its components")
    loans = data.get("loans", [])
    if not isinstance(loans, list) or not all(type(loan) is int and 0 <= loan <= INTEGER_MAX for loan in loans):
        raise ValueError(f"loans is {_short(loans)}: give a list of holders, integers from 0")
    given = {"holder": _integer(data, "holder", 0), "amount": _integer(data, "amount", 0), "loans": loans}
    priority = _integer(data, "priority", -INTEGER_MAX, 0)
    return Op.from_json({"op": name, "tokens": tokens, "namespace": _hashable(namespace), **given, "priority": priority})


def _known(data: Mapping[str, Any], fields: tuple[str, ...], of: str) -> None:
    unknown = next((name for name in data if name not in fields), None)
    if unknown is not None:
        raise ValueError(f"unknown field {unknown!r}: the fields of {of} are {', '.join(fields)}")


def _integer(data: Mapping[str, Any], name: str, least: int, default: int = 0) -> int:
    """Return an integer field. A required field has `least` 1, so that its absence raises ValueError as well."""
    value = data.get(name, default)
    if name not in data and least > 0:
        raise ValueError(f"has no field {name}: give an integer from {least}")
    if type(value) is not int or not least <= value <= INTEGER_MAX:
        raise ValueError(f"{name} is {_short(value)}: give an integer" + (f" from {least}" if least > -INTEGER_MAX else ""))
    return value


def _text(data: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = data.get(name, default)
    if not isinstance(value, str):
        raise ValueError(f"has no field {name}: give a string" if name not in data else f"{name} is {_short(value)}: give a string")
    return value


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        raise ValueError(f"namespace holds the object {_short(value)}: give strings, numbers, booleans, null or lists of these")
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
