"""The files of a watch. Each watched cache has its own, so that several processes can write into one folder.

    summary-NAME.json                 what was counted; replaced about once a second
    findings-NAME.jsonl               one finding a line, at once
    trace-NAME-NUMBER-PROPERTY.jsonl  a trace, which `radixcheck replay` repeats
    note-NAME.txt                     why a process does not watch its cache

NAME is the id of the process, with a number behind it if it is taken already.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from radixcheck.verification.core.atomic_write import write_atomically
from radixcheck.verification.watch.watch_results import Ended, Finding, ShadowSeen, WatchedCache, WatchOutcome

SUMMARY, FINDINGS, TRACE, NOTE = "summary-", "findings-", "trace-", "note-"
EVERY_SECONDS = 1.0  # between two writes of a summary
COUNTERS = ("calls", "departures", "found")


def claimed_name(folder: Path) -> str:
    """Make the folder, and in it the file of findings of one cache; return the name of its files. Raise OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        name = str(os.getpid()) + (f"-{number}" if number > 1 else "")
        try:
            findings_file(folder, name).open("x").close()
        except FileExistsError:
            continue
        return name
    raise AssertionError("the count has no end")


def findings_file(folder: Path, name: str) -> Path:
    """Return the path of the findings of a cache."""
    return folder / f"{FINDINGS}{name}.jsonl"


def trace_file(folder: Path, name: str, number: int, property_: str) -> Path:
    """Return the path of a trace."""
    return folder / f"{TRACE}{name}-{number}-{property_}.jsonl"


def write_summary(folder: Path, cache: WatchedCache) -> None:
    """Replace the summary of a cache atomically. Raise OSError."""
    write_atomically(folder / f"{SUMMARY}{cache.name}.json", json.dumps(cache.counts()) + "\n")


def write_note(folder: Path, sentence: str) -> None:
    """Write why this process does not watch its cache: the answer of `radixcheck watch` shows it. Raise OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / f"{NOTE}{os.getpid()}.txt", sentence + "\n")


def read_outcome(folder: Path, ended: Ended | None = None) -> WatchOutcome:
    """Return what the files of a folder say. Raise OSError if the folder cannot be read."""
    unread: list[str] = []
    caches = list[WatchedCache]()
    for path in sorted(folder.iterdir()):
        if path.name.startswith(SUMMARY) and path.suffix == ".json":  # not the part of one that was being written
            caches += _cache(path, unread)
    notes = tuple(path.read_text(errors="replace").strip() for path in sorted(folder.glob(f"{NOTE}*.txt")))
    return WatchOutcome(folder, tuple(caches), notes, ended, tuple(unread))


def _cache(path: Path, unread: list[str]) -> Iterator[WatchedCache]:
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
        shadow = {"shadow": ShadowSeen(**data["shadow"])} if "shadow" in data else {}
        cache = WatchedCache(**data | {name: Counter(data[name]) for name in COUNTERS} | shadow)
    except (OSError, ValueError, TypeError, KeyError) as error:
        unread.append(f"{path.name} cannot be read ({error})")
        return
    findings = tuple(_findings(findings_file(path.parent, cache.name), unread))
    counted = Counter(finding.property for finding in findings)
    yield replace(cache, findings=findings, found=cache.found | counted)


def _findings(path: Path, unread: list[str]) -> Iterator[Finding]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        unread.append(f"{path.name} cannot be read ({error.strerror})")
        return
    for number, line in enumerate(lines, 1):
        try:
            yield Finding.from_json(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            unread.append(f"{path.name}, line {number}: cannot be read ({error})")
