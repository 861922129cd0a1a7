"""Findings as data. Each file has the name of a subject and holds its findings; `comparisons.toml` holds the results of comparing two
subjects, and `searches.toml` the results of long searches.

cache = "SGLang RadixCache"        # what the subject is, in the words of its project

[[finding]]
id = "short-name"                 # also the name of its script, scripts/<id>.py
title = "what the cache does"     # for the table of the README, where findings with the same title are one row
effect = "the effect on a user"   # the consequence, for the same table
versions = ["0.5.23"]             # of the package, in which it was found
property = "RECENCY"              # the first property of the catalogue that fails
policy = "lru"
page_size = 1                     # tokens
pool = 10                         # tokens
host_pool = 10                    # tokens, and mode = "write_back": of a host tier, if there is one
trace = [{ op = "insert", tokens = [0, 1] }, ...]  # operations.Op, as `--json` writes them; empty for a misuse that the adapters never make
sentence = "What the cache does, and what the specification requires."
consequence = "The effect on a user."
class = "within the contract"     # or "misuse": a caller violates a guard; or "another choice": it is intended
duty = ""                         # where the misuse is forbidden or the choice is documented, if anywhere
report = "none known"             # public reports, as owner/repository#number
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.core.engine_caches import PEERS
from radixcheck.verification.core.found import Config
from radixcheck.verification.operations import Op, Trace

FOLDER = Path(__file__).parent
COMPARISONS, SEARCHES = FOLDER / "comparisons.toml", FOLDER / "searches.toml"
WITHIN, MISUSE, CHOICE = "within the contract", "misuse", "another choice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One deviation of one subject."""

    id: str
    subject: str
    cache: str
    title: str
    effect: str
    versions: tuple[str, ...]
    broken: str  # property
    config: Config
    trace: Trace
    sentence: str
    consequence: str
    kind: str
    duty: str
    report: str
    script: Path  # a few lines that use only the package. Exit status 1: it shows the deviation; 0: it does not


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a long comparison of two subjects."""

    left: str
    right: str
    versions: tuple[str, ...]
    operations: int
    result: str

    @property
    def command(self) -> str:
        """Return the command that repeats it."""
        left, right = (f"{name}@PATH" if name in PEERS else name for name in (self.left, self.right))
        return f"radixcheck diff {left} {right} --operations {self.operations}"


@dataclass(frozen=True, slots=True)
class Search:
    """The result of a long search of one subject."""

    subject: str
    versions: tuple[str, ...]
    operations: int
    runs: int
    seeds: tuple[int, ...]
    result: str

    @property
    def command(self) -> str:
        """Return the command that repeats it."""
        return f"radixcheck verify {self.subject} --python PATH --seconds 2400 --seed {self.seeds[0]}"


def findings(subject: str | None = None) -> tuple[Finding, ...]:
    """Return all findings, or those of one subject, ordered by subject."""
    files = sorted(path for path in FOLDER.glob("*.toml") if path not in (COMPARISONS, SEARCHES))
    read = ((path.stem, _read(path)) for path in files if subject in (None, path.stem))
    return tuple(_finding(name, table["cache"], row) for name, table in read for row in table["finding"])


def comparisons() -> tuple[Comparison, ...]:
    """Return all comparisons."""
    rows = _read(COMPARISONS)["comparison"]
    return tuple(Comparison(row["left"], row["right"], tuple(row["versions"]), row["operations"], row["result"]) for row in rows)


def searches() -> tuple[Search, ...]:
    """Return all searches."""
    rows = _read(SEARCHES)["search"]
    return tuple(Search(r["subject"], tuple(r["versions"]), r["operations"], r["runs"], tuple(r["seeds"]), r["result"]) for r in rows)


def subjects() -> tuple[str, ...]:
    """Return the subjects that have a finding."""
    return tuple(dict.fromkeys(finding.subject for finding in findings()))


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


def _finding(subject: str, cache: str, row: dict[str, Any]) -> Finding:
    return Finding(
        row["id"],
        subject,
        cache,
        row["title"],
        row["effect"],
        tuple(row["versions"]),
        row["property"],
        Config(row["policy"], row["page_size"], row["pool"], host_pool=row.get("host_pool", 0), mode=row.get("mode", "")),
        tuple(map(Op.from_json, row["trace"])),
        row["sentence"],
        row["consequence"],
        row["class"],
        row["duty"],
        row["report"],
        FOLDER / "scripts" / f"{row['id']}.py",
    )
