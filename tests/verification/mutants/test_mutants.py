"""Every property catches the mutant that was made for it, and no right cache."""

import re
from collections.abc import Iterable
from functools import cache

import pytest
from fast_tier import slow_unless
from faulty import FAULTS

from radixcheck.verification.core.catalogue import EVERY, PROBED
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.host_load_mutants import SteppedLoad
from radixcheck.verification.mutants.host_mutant import SteppedTiers
from radixcheck.verification.mutants.host_split_mutants import SteppedTieredSplit
from radixcheck.verification.mutants.mutant import Mutant, SteppedEviction, SteppedStart, config_of, mutant
from radixcheck.verification.mutants.rebuilt_host import RebuiltHost
from radixcheck.verification.probes.all_probes import POOL_PAGES, all_probed
from radixcheck.verification.search.run import random_run
from radixcheck.verification.subjects.registry import resolve

SEEDS = 200
REPLICA = 8  # every 8th seed is repeated on a second replica
PAIRS = sorted({(p.mutant, p.id) for p in EVERY.values()} | {(m.name, m.property) for m in MUTANTS.values()})
TIERED = [m.name for m in MUTANTS.values() if m.mode and not m.directed][::3]  # a third of those that many runs show: each takes seconds
SHOWN = slow_unless(lambda wrong, id_: not MUTANTS[wrong].mode or wrong in TIERED, [pair for pair in PAIRS if pair[1] not in PROBED])
CONFIGURATIONS = sorted({(m.policy, m.page_size, m.mode) for m in MUTANTS.values()})
SCAFFOLDS = {kind.__name__: mutant(kind.__name__, "", kind).factory for kind in (SteppedEviction, SteppedStart)}
HOST_SCAFFOLDS: dict[str, Factory] = {kind.__name__: kind.of for kind in (SteppedTiers, SteppedLoad, SteppedTieredSplit)}
HOST_SCAFFOLDS["RebuiltHost"] = RebuiltHost


def config(wrong: Mutant, seed: int) -> Config:
    """Small pools in turn, also over the seeds that are repeated on a replica."""
    return config_of(wrong, seed + seed // REPLICA)


def refuted(factory: Factory, seeds: Iterable[int], policy: str = "lru", page_size: int = 1, mode: str = "") -> set[str]:
    """Return the properties that some of these runs violate."""
    found: set[str] = set()
    where = Mutant("", "", "", "", factory, policy, page_size, mode=mode)
    for seed in seeds:
        found.update(random_run(factory, config(where, seed), seed, 120, 1, misused=True).found)
    return found


def seed_that_shows(wrong: Mutant, property_: str) -> int | None:
    """Return the first seed whose run violates the property, directly or as a consequence of another; None if none does."""
    step = REPLICA if property_ == "DETERMINISM" else 1
    for seed in range(0, SEEDS * step, step):
        result = random_run(wrong.factory, config(wrong, seed), seed, 120, 1, misused=property_ == "MISUSE")
        if property_ in result.found or property_ in result.followed:
            return seed
    return None


@cache
def probed(factory: Factory) -> dict[str, str]:
    """Return what the probes find: property and text."""
    return {id_: each.violation.text for id_, each in all_probed(factory, Config("lru", 1, POOL_PAGES)).found.items()}


def test_every_property_names_a_mutant_that_exists() -> None:
    assert {p.mutant for p in EVERY.values()} - MUTANTS.keys() == set()


def test_every_mutant_names_a_property_and_has_a_sentence() -> None:
    assert {m.property for m in MUTANTS.values()} - EVERY.keys() == set()
    assert [m.name for m in MUTANTS.values() if not m.sentence.endswith(".")] == []
    assert [m.name for m in MUTANTS.values() if not re.fullmatch(r"(FB-\d\d( FB-\d\d)*)?", m.source)] == []


@pytest.mark.parametrize(("name", "property_"), SHOWN)
def test_a_mutant_is_caught_by_its_property(name: str, property_: str) -> None:
    assert seed_that_shows(MUTANTS[name], property_) is not None


@pytest.mark.parametrize(
    ("name", "property_"),
    slow_unless(
        lambda name, property_: name not in ("split_shares_storage", "match_rewalks_from_root", "refused_starts_kept"),
        [pair for pair in PAIRS if pair[1] in PROBED],
    ),
)
def test_a_mutant_of_cost_is_caught_by_its_probe_alone(name: str, property_: str) -> None:
    assert list(probed(MUTANTS[name].factory)) == [property_]


@pytest.mark.parametrize("subject", ["reference", "optimized", *SCAFFOLDS])
def test_a_right_cache_violates_nothing(subject: str) -> None:
    factory = SCAFFOLDS.get(subject) or resolve(subject)
    actual = {where: refuted(factory, range(4), *where) for where in CONFIGURATIONS if not where[2]}
    assert actual == {where: set() for where in actual}


@pytest.mark.parametrize(
    "subject", slow_unless(lambda subject: subject.endswith("-host"), ["reference-host", "optimized-host", *HOST_SCAFFOLDS])
)
def test_a_right_cache_with_a_host_tier_violates_nothing(subject: str) -> None:
    factory = HOST_SCAFFOLDS.get(subject) or resolve(subject)
    actual = {where: refuted(factory, range(5), *where) for where in CONFIGURATIONS if where[2]}
    assert actual == {where: set() for where in actual}


@pytest.mark.parametrize(
    "subject", slow_unless(lambda subject: subject.startswith("optimized"), ["reference", "optimized", "optimized-host", "model", "base"])
)
def test_a_right_cache_passes_every_probe(subject: str) -> None:
    result = all_probed(resolve(subject), Config("lru", 1, POOL_PAGES))
    assert {id_: found.violation.text for id_, found in result.found.items()} == {}
    assert set(result.tally.exercised) - {"ISOLATION", "NO_ALIAS"} == set(PROBED)  # which runs show, too


@pytest.mark.parametrize(("name", "property_"), FAULTS.items())
def test_a_wrong_cache_is_found_by_the_name_of_its_factory(name: str, property_: str) -> None:
    assert property_ in refuted(resolve(f"faulty:{name}"), range(24))
