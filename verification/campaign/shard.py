"""A campaign and its shards, as plain data. Everything that a shard does follows from these data and the sources."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

from radixcheck.verification.campaign.packed import origin_from_json, origin_json, packed, unpacked
from radixcheck.verification.checker.coverage import Origin
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.search.search_results import Bounds

_BOUNDS = ("seed", "pool", "device", "misused", "operations", "host_pool", "larger_host")
_BOUNDS_TUPLES = ("policies", "page_sizes", "modes")
_PLAIN = ("number", "generation", "first", "count", "name", "policy", "page_size", "operations", "plan")


class Kind(StrEnum):
    """What a shard does. A user chooses among CHOSEN; the last two check the kit itself, whatever the subject."""

    REPLAY = "replay"  # traces of the corpus
    PROBE = "probe"  # one probe under one configuration
    MACHINE = "machine"  # examples of the state machine
    STRETCH = "stretch"  # one dimension
    SEARCH = "search"  # random runs
    GUIDED = "guided"  # random runs that go on from runs that reached something new
    EXPLORE = "explore"  # one scope under one policy and page size
    MUTANTS = "mutants"  # one mutant under every detector
    PROVE = "prove"  # some conditions of the proofs


USUAL = (Kind.SEARCH, Kind.STRETCH)
CHOSEN = (*USUAL, Kind.EXPLORE, Kind.MUTANTS, Kind.PROVE)
PARTS = {Kind.SEARCH: (Kind.REPLAY, Kind.PROBE, Kind.MACHINE, Kind.SEARCH)}  # of what a user chooses; else the kind alone


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is checked: a subject by its name, and where. Nothing in it depends on who performs it, or when."""

    subject: str
    bounds: Bounds  # without what depends on a clock
    kinds: tuple[str, ...] = USUAL
    guided: bool = False  # half of the random runs, from the second generation on

    @classmethod
    def of(cls, subject: str, bounds: Bounds, kinds: Sequence[str] = (), guided: bool = False) -> "Campaign":
        """Return a campaign of a subject within the bounds of a search. Without kinds: those of USUAL."""
        plain = {name: getattr(bounds, name) for name in (*_BOUNDS, *_BOUNDS_TUPLES)}
        return cls(subject, Bounds(**plain), tuple(kind for kind in Kind if kind in kinds) or USUAL, guided)

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        bounds = {name: getattr(self.bounds, name) for name in _BOUNDS}
        bounds |= {name: list(getattr(self.bounds, name)) for name in _BOUNDS_TUPLES}
        return {"subject": self.subject, "kinds": list(map(str, self.kinds)), "guided": self.guided, "bounds": bounds}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Campaign":
        """Return the campaign that `to_json` wrote."""
        given = data["bounds"]
        values: dict[str, Any] = {name: given[name] for name in _BOUNDS} | {name: tuple(given[name]) for name in _BOUNDS_TUPLES}
        return cls(data["subject"], Bounds(**values), tuple(data["kinds"]), data["guided"])


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a campaign, which one process performs."""

    number: int
    generation: int  # no shard of a generation begins before all of the one before have ended
    kind: str
    first: int = 0  # the first slice of the search, the first example of the state machine, or a probe
    count: int = 1  # of slices, or of tasks of the state machine
    name: str = ""  # of a dimension, a scope or a mutant, or of several conditions, one a line
    policy: str = ""  # of an exploration
    page_size: int = 0  # of an exploration, in tokens
    operations: int = 0  # planned, random
    plan: str = ""  # the digest of the plan to which it belongs: the result of another subject, seed or state of the sources is not its own
    traces: tuple[Recorded, ...] = ()  # to be replayed
    origins: tuple[Origin, ...] = ()  # of guided runs; they follow from the results of the generations before

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        origins = [origin_json(each) for each in self.origins]
        return plain | {"kind": str(self.kind), "traces": [packed(each) for each in self.traces], "origins": origins}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Shard":
        """Return the shard that `to_json` wrote."""
        lists = {"traces": tuple(map(unpacked, data["traces"])), "origins": tuple(map(origin_from_json, data["origins"]))}
        return cls(**{**data, **lists})

    @property
    def digest(self) -> str:
        """A digest of what the plan says of it, whatever its number."""
        return digest_of(replace(self, number=0, origins=()).to_json())

    @property
    def title(self) -> str:
        """What it does, in a few words."""
        what = {
            Kind.SEARCH: f"random runs, slices {self.first} to {self.first + self.count - 1}",
            Kind.GUIDED: f"guided runs, slices {self.first} to {self.first + self.count - 1}",
            Kind.MACHINE: f"state machine, from example {self.first}",
            Kind.PROBE: f"probe {self.first}",
            Kind.STRETCH: f"stretch, {self.name}",
            Kind.REPLAY: f"{len(self.traces)} kept traces",
            Kind.EXPLORE: f"explore {self.name}, {self.policy}, pages of {self.page_size}",
            Kind.MUTANTS: f"mutant {self.name}",
            Kind.PROVE: f"prove {self.name.splitlines()[0] if self.name else ''} and {self.name.count(chr(10))} others",
        }
        return what[Kind(self.kind)]


def digest_of(data: Any) -> str:
    """Return a digest of a JSON value, which does not depend on the order of its keys."""
    return sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
