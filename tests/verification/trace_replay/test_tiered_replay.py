"""A trace through caches with a host tier: what each tier serves, that nothing is lost, and that faults are found where they happen."""

from typing import Any

import pytest
from commands import Command

from radixcheck.reference.tiered_node import TieredNode
from radixcheck.reference.tree import Walk
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import MODES
from radixcheck.verification.search.shrink import Effort
from radixcheck.verification.subjects.model_host_subject import model_host_subject
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject, reference_host_subject
from radixcheck.verification.subjects.reference_subject import reference_subject
from radixcheck.verification.trace_replay.mooncake import TraceError
from radixcheck.verification.trace_replay.regression_test import text
from radixcheck.verification.trace_replay.replay import replay
from radixcheck.verification.trace_replay.replay_results import Settings
from radixcheck.verification.trace_replay.sample import generate
from radixcheck.verification.trace_replay.shrink_replay import shrink

SAMPLE = generate()
SMALL = Settings(pool=2_048, running=8, host_pool=16_000, mode="write_through", delay=40)


class SplitsWrongly(ReferenceHostSubject):
    """A split gives the upper half no pins."""

    def _split(self, walk: Walk) -> TieredNode:
        node = super()._split(walk)
        node.pins = 0
        return node


class BacksUpLess(ReferenceHostSubject):
    """Backs up one node of a path, and leaves the rest for the next call."""

    def _back_up(self, nodes: Any) -> int:
        return super()._back_up(list(nodes)[:1])


def test_a_host_tier_serves_what_a_small_device_has_no_room_for() -> None:
    result = replay(SAMPLE[:120], ReferenceHostSubject.of, SMALL)
    flat = replay(SAMPLE[:120], reference_subject, Settings(pool=2_048, running=8), second=None)

    assert result.clean, result.fault
    tier = result.tier
    assert tier is not None
    assert flat.tier is None
    assert result.requests == flat.requests == 120
    assert result.hit_rate > flat.hit_rate + 0.05
    assert 0 < tier.host_hit_tokens <= tier.loaded_tokens <= result.hit_tokens
    assert (tier.lost_tokens, tier.host_evicted_tokens, tier.waited > 0) == (0, 0, True)
    assert tier.demoted_tokens == result.evicted_tokens
    assert result.local
    assert result.looked["touched paths"] > 500
    assert result.looked["victims of the second cache"] == result.victims > 0


@pytest.mark.parametrize(("mode", "page_size"), [(mode, size) for mode in MODES for size in (1, 16)])
def test_each_mode_runs_clean_over_a_host_that_is_too_small(mode: str, page_size: int) -> None:
    settings = Settings("lru", page_size, 16, 1_024, 4, host_pool=512, mode=mode, delay=10)
    result = replay(SAMPLE[:60], reference_host_subject, settings, second=None)

    assert result.clean, result.fault
    assert result.tier is not None
    assert result.tier.backups > 0
    assert (result.tier.no_room_tokens > 0) == (mode != "write_through_selective")


def test_the_model_is_followed_by_the_reference() -> None:
    result = replay(SAMPLE[:20], model_host_subject, SMALL)

    assert result.clean, result.fault
    assert not result.local  # it shows no paths


@pytest.mark.parametrize(("factory", "id_"), [(SplitsWrongly.of, "PIN_COUNT"), (BacksUpLess.of, "BACKUP_PARENTS")])
def test_a_fault_is_found_at_the_operation_that_shows_it(factory: Any, id_: str) -> None:
    result = replay(SAMPLE, factory, SMALL, second=None)

    assert result.fault is not None
    assert result.fault.violation.property == id_
    assert result.fault.step < sum(result.operations.values()) + 1


def test_a_cache_without_the_tier_is_not_replayed_over_a_host() -> None:
    with pytest.raises(Exception, match="host tier"):
        replay(SAMPLE[:2], reference_subject, SMALL, second=None)
    with pytest.raises(TraceError, match="not a multiple"):
        replay(SAMPLE[:2], reference_host_subject, Settings(host_pool=100, mode="write_through"), second=None)


def test_the_command_shows_both_tiers(command: Command) -> None:
    where = ("--sample", "--limit", "20", "--pool", "2048", "--running", "8", "--host-pool", "8000")
    shown = command("replay", *where, "--subject", "reference-host")
    data = command("replay", *where, "--subject", "reference-host", "--mode", "write_back", "--json").json
    refused = command("replay", *where, "--subject", "reference")
    unknown = command("replay", *where, "--subject", "reference-host", "--mode", "write_around")

    assert shown.status == 0
    assert all(row in shown.words for row in ("hits by tier", "loads", "backups", "losses", "host pool of 8,000, write_through"))
    assert (data["settings"]["mode"], data["settings"]["host_pool"], data["status"]) == ("write_back", 8_000, 0)
    assert set(data["tier"]) >= {"loads", "backups", "lost_tokens", "host_hit_tokens"}
    assert "declares no host tier" in refused.complaint
    assert "unknown mode" in unknown.complaint


def test_a_fault_of_a_replay_is_shrunk_with_its_copies() -> None:
    recorded: list[Op] = []
    replay(SAMPLE, BacksUpLess.of, SMALL, second=None, record=recorded.append)
    shrunk = shrink(BacksUpLess.of, "BACKUP_PARENTS", SMALL.config, recorded, Effort(40_000), lambda done, what: None)

    assert shrunk is not None
    assert len(shrunk.found.trace) <= 4
    assert (shrunk.found.config.page_size, shrunk.found.config.mode) == (1, "write_through")
    assert "host_pool=" in text("reference-host", "Found.", shrunk)
