"""The store of a campaign: a folder to which files are added, and in which no file of a shard is ever changed.

    plan.json             what is checked, with which sources, since when
    shards/000000.json    the result of a shard, with a digest of its content
    findings/             the smallest trace of each refuted property  } made anew from the shards
    summary.json          the page of results                          } at the end of each run

A file is complete or not there at all: it is written beside its place and then renamed. So whatever is killed, and whenever, the store is
in order. A shard whose file is there is not performed again. Two folders of one plan, filled on different machines, are merged by copying
the files in `shards/` together: of two files with one name either will do.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.campaign.packed import packed, unpacked
from radixcheck.verification.campaign.shard import Campaign, Shard, digest_of
from radixcheck.verification.campaign.shard_result import ShardResult
from radixcheck.verification.core.atomic_write import write_atomically, write_durably
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.core.usage import UsageError

MARK, VERSION = "campaign", 2
PLAN, SHARDS, FINDINGS, SUMMARY = "plan.json", "shards", "findings", "summary.json"
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Header:
    """What the file `plan.json` says."""

    campaign: Campaign
    sources: str  # the digest of the package's sources
    cache: str  # that of the subject: of its own sources, and its version
    kept: tuple[Recorded, ...] = ()  # traces that are replayed before all else
    commit: str = ""  # of the checkout; empty: unknown
    date: str = ""  # on which the campaign was begun

    @property
    def plan(self) -> dict[str, Any]:
        """What two stores must share to be of one plan."""
        kept = [packed(each) for each in self.kept]
        return {"campaign": self.campaign.to_json(), "sources": self.sources, "cache": self.cache, "kept": kept}

    @property
    def digest(self) -> str:
        """A digest of the plan."""
        return digest_of(self.plan)

    def to_text(self) -> str:
        """Return it as JSON."""
        about = {"radixcheck": MARK, "version": VERSION, "commit": self.commit, "date": self.date}
        return json.dumps({**about, "plan": self.digest, **self.plan}, indent=1) + "\n"

    @classmethod
    def from_text(cls, text: str) -> "Header":
        """Return the header that `to_text` wrote. Raise ValueError."""
        try:
            data = json.loads(text)
            if (data["radixcheck"], data["version"]) != (MARK, VERSION):
                raise ValueError(f"it is not version {VERSION} of the plan of a campaign")
            kept = tuple(map(unpacked, data["kept"]))
            campaign = Campaign.from_json(data["campaign"])
            header = cls(campaign, data["sources"], data["cache"], kept, data["commit"], data["date"])
            if header.digest != data["plan"]:
                raise ValueError("its content is not what its digest says")
            return header
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is not the plan of a campaign ({error!r})") from error


class Store:
    """The store in one folder."""

    def __init__(self, folder: Path, header: Header) -> None:
        self.folder, self.header = folder, header

    @classmethod
    def read(cls, folder: Path) -> "Store":
        """Return the store in a folder. Raise UsageError if there is none."""
        file = folder / PLAN
        try:
            return cls(folder, Header.from_text(file.read_text()))
        except OSError as error:
            raise UsageError(f"{file}: cannot be read ({error.strerror}); give the folder of a campaign") from error
        except ValueError as error:
            raise UsageError(f"{file}: {error}; give the folder of a campaign") from error

    @classmethod
    def begin(cls, folder: Path, header: Header) -> "Store":
        """Return the store for a campaign: a new one, or the one in the folder if it is of the same plan. Raise UsageError."""
        try:
            (folder / SHARDS).mkdir(parents=True, exist_ok=True)
            (folder / FINDINGS).mkdir(exist_ok=True)
            if not (folder / PLAN).exists():
                write_atomically(folder / PLAN, header.to_text())
        except OSError as error:
            raise UsageError(f"--store {folder}: cannot be written ({error.strerror}); give another folder") from error
        store = cls.read(folder)
        if store.header.plan != header.plan:
            raise UsageError(f"--store {folder}: holds {_difference(store.header, header)}; give another folder")
        return store

    def file(self, number: int) -> Path:
        """Return the file of a shard."""
        return self.folder / SHARDS / f"{number:0{DIGITS}}.json"

    def add(self, number: int, text: str) -> None:
        """Add the result of a shard, unless it is there. Raise UsageError."""
        file = self.file(number)
        try:
            if not file.exists():
                write_durably(file, text)
        except OSError as error:
            raise UsageError(f"{file}: cannot be written ({error.strerror}); the campaign goes on where it is begun again") from error

    def results(self, generations: Sequence[Sequence[Shard]] | None = None) -> Iterator[ShardResult]:
        """Yield the results that are there, by number. Raise UsageError for a file with a fault."""
        for file, result, fault in self._read(generations):
            if result is None or fault:
                raise UsageError(f"{file}: {fault}; delete it, and the shard is performed again")
            yield result

    def faults(self, generations: Sequence[Sequence[Shard]] | None) -> list[str]:
        """Return what is wrong with the files: damaged, of another shard than their name says or, if it is known, of none of the plan."""
        return [f"{file.name}: {fault}" for file, _, fault in self._read(generations) if fault]

    def _read(self, generations: Sequence[Sequence[Shard]] | None) -> Iterator[tuple[Path, ShardResult | None, str]]:
        """Yield each file with its result, and what is wrong with it."""
        planned = None if generations is None else {shard.number: shard for shards in generations for shard in shards}
        for file in sorted((self.folder / SHARDS).glob("*.json")):
            result, fault = _read(file)
            yield file, result, fault if result is None else self._fault(file, result, planned)

    def _fault(self, file: Path, result: ShardResult, planned: Mapping[int, Shard] | None) -> str:
        if file != self.file(result.number):
            return f"holds the result of shard {result.number}"
        shard = planned.get(result.number) if planned is not None else None
        if planned is not None and (shard is None or result.task != shard.digest):
            return "is not of a shard of this plan"
        return ""


def _read(file: Path) -> tuple[ShardResult | None, str]:
    """Return the result in a file, or what is wrong with it."""
    try:
        return ShardResult.from_text(file.read_text()), ""
    except OSError as error:
        return None, f"cannot be read ({error.strerror})"
    except ValueError as error:
        return None, f"is damaged: {error}"


def _difference(there: Header, wanted: Header) -> str:
    """Return how the campaign of a store differs from the one that was asked for."""
    if there.campaign.subject != wanted.campaign.subject:
        return f"a campaign of {there.campaign.subject}, not of {wanted.campaign.subject}"
    if there.sources != wanted.sources:
        return f"a campaign of other sources ({there.sources}, now {wanted.sources})"
    if there.cache != wanted.cache:
        return f"a campaign of {there.campaign.subject} with other sources, or of another version"
    if there.campaign != wanted.campaign:
        ours, theirs = (each.campaign.to_json() for each in (wanted, there))
        ours, theirs = ({**each.pop("bounds"), **each} for each in (ours, theirs))
        names = ", ".join(name for name in ours if ours[name] != theirs[name])
        return f"another plan (it differs in {names})"
    return "a campaign with other kept traces"
