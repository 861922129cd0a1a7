"""A recorded trace of operations as a file, which `replay`, `show` and the shrinker share: JSON lines.

The first line says under what it was recorded; each other line is one operation, as `Op.to_json` writes it:

    {"radixcheck": "trace", "version": 1, "policy": "lru", "page_size": 1, "pool": 6, "subject": "base", "property": "RECENCY"}
    {"op": "insert", "tokens": [0, 1]}
    {"op": "insert", "tokens": [0]}

`page_size` and `pool` are in tokens; `subject` (the cache that was run), `property` (that it broke) and `device` may be missing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.operations import REQUEST_OPERATIONS, TREE_OPERATIONS, Op, Trace
from radixcheck.verification.refinement.misuse import is_misuse
from radixcheck.verification.search.run import Config
from radixcheck.verification.subjects.registry import ELSEWHERE, UsageError

FORMAT, VERSION = "trace", 1
FIELDS = {"op": str, "tokens": list, "namespace": list, "holder": int, "amount": int, "priority": int}


@dataclass(frozen=True, slots=True)
class Recorded:
    """Operations, and under what they were recorded."""

    config: Config
    trace: Trace
    subject: str = ""  # empty: not said
    property: str = ""  # that the last operation breaks; empty: not said

    def named(self, given: str, default: str) -> str:
        """The subject to run: the given one, or the one that was recorded, in the given environment.

        >>> Recorded(Config("lru", 1, 6), (), "base").named("@python3", "optimized")
        'base@python3'
        """
        return given if given and not given.startswith(ELSEWHERE) else (self.subject or default) + given


def is_trace(path: Path) -> bool:
    """Whether the first line says so. What cannot be read is none."""
    try:
        with path.open(encoding="utf-8") as file:
            first = json.loads(file.readline())
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and first.get("radixcheck") == FORMAT


def read(path: Path) -> Recorded:
    """A whole file. Raises `UsageError`, with one sentence that names the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'it is no text'}); give a trace file") from error
    rows = [(number, _object(path, number, line)) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows or rows[0][1].get("radixcheck") != FORMAT:
        raise UsageError(f'{path}: is no trace: its first line must be {{"radixcheck": "trace", "version": {VERSION}, ...}}')
    head = rows[0][1]
    return Recorded(
        _config(path, head), tuple(_op(path, *row) for row in rows[1:]), str(head.get("subject", "")), str(head.get("property", ""))
    )


def write(path: Path, recorded: Recorded) -> None:
    """Whole, or what was there before. Raises `UsageError`."""
    c = recorded.config
    head = {"radixcheck": FORMAT, "version": VERSION, "policy": c.policy, "page_size": c.page_size, "pool": c.pool, "device": c.device}
    head |= {"subject": recorded.subject, "property": recorded.property}
    text = "".join(json.dumps(row) + "\n" for row in (head, *(op.to_json() for op in recorded.trace)))
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); give another file") from error


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise _wrong(path, number, f"is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise _wrong(path, number, "is no JSON object")
    return found


def _wrong(path: Path, number: int, what: str) -> UsageError:
    return UsageError(f"{path}: line {number} {what}: mend it, or record the trace again")


def _config(path: Path, head: dict[str, Any]) -> Config:
    if head.get("version") != VERSION:
        raise _wrong(path, 1, f"says version {head.get('version')!r}, and this is version {VERSION}")
    policy, size, pool, device = (head.get(name, 0) for name in ("policy", "page_size", "pool", "device"))
    if policy not in POLICIES:
        raise _wrong(path, 1, f"has the policy {policy!r}, which is none of {', '.join(POLICIES)}")
    if not _count(size, 1) or not _count(pool, 1) or pool % size:
        raise _wrong(path, 1, f"has pages of {size!r} tokens and a pool of {pool!r}: the pool must be whole pages, and at least one")
    return Config(policy, size, pool, str(device or "cpu"))


def _op(path: Path, number: int, row: dict[str, Any]) -> Op:
    for name, value in row.items():
        if name not in FIELDS:
            raise _wrong(path, number, f"has a field {name!r}: there are {', '.join(FIELDS)}")
        if type(value) is not FIELDS[name]:
            raise _wrong(path, number, f"has {name} {value!r}, which is no {FIELDS[name].__name__}")
    operation = str(row.get("op"))
    if operation not in (*TREE_OPERATIONS, *REQUEST_OPERATIONS) and not is_misuse(operation):
        raise _wrong(
            path, number, f"has the operation {operation!r}: there are {', '.join(dict.fromkeys(TREE_OPERATIONS + REQUEST_OPERATIONS))}"
        )
    if not all(_count(token, 0) for token in row.get("tokens", ())) or not _count(row.get("amount", 0), 0):
        raise _wrong(path, number, "has a token or an amount that is no number from 0 on")
    if not all(isinstance(part, str | int) for part in row.get("namespace", ())):
        raise _wrong(path, number, "has a namespace that is not of strings and integers")
    return Op.from_json(row)


def _count(value: object, least: int) -> bool:
    return type(value) is int and value >= least


def file_of(folder: Path, subject: str, property_: str) -> Path:
    """Where the trace of a refuted property is written.

    >>> file_of(Path("traces"), "as-submitted:pairs", "EVICT_LEAF").name
    'as-submitted-pairs-EVICT_LEAF.jsonl'
    """
    plain = "".join(c if c.isalnum() or c in "-._" else "-" for c in subject)
    return folder / f"{plain[:80]}-{property_}.jsonl"


def write_all(folder: Path, subject: str, found: Sequence[Recorded]) -> list[Path]:
    """One file for each; their paths. Raises `UsageError`."""
    paths = [file_of(folder, subject, one.property) for one in found]
    for path, one in zip(paths, found, strict=True):
        write(path, one)
    return paths
