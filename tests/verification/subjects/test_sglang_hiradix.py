"""SGLang 0.4.6.post5's HiRadixCache: its stand-ins; and with the release, that it is our own words of it, and what the checker finds."""

import os
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import torch
from places import ROOT

from radixcheck.reference import SlotPool
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.protocol import MODES
from radixcheck.verification.remote.remote_subject import Remote
from radixcheck.verification.search.diff import compare
from radixcheck.verification.search.run import random_run
from radixcheck.verification.search.search_results import Comparison
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.subjects.sglang_hiradix import Controller, DevicePool, HostPool, KVCache

PEERS_PYTHON = os.environ.get("RADIXCHECK_PEERS", sys.executable)
NAME = f"sglang-hiradix-0.4.6@{PEERS_PYTHON}"
RUNS = 24  # in each mode
OF_ALL = ("hiradix-evicts-all-it-needs", "hiradix-stale-row")
OF_MODE = {
    "write_through": (),
    "write_through_selective": ("hiradix-child-before-parent",),
    "write_back": ("hiradix-load-loses-itself",),
}  # findings
BREAKS = {  # properties that a finding breaks
    "hiradix-evicts-all-it-needs": ["ORDER", "LOAD_EXACT", "REFINEMENT", "LOCK_COUNT", "PIN_COUNT", "ARRIVAL"],
    "hiradix-stale-row": ["PAGE_ALIGN", "SLOT_PARTITION", "NO_UAF", "ARRIVED_BEFORE_READ"],
    "hiradix-child-before-parent": ["BACKUP_PARENTS", "HOST_CLOSED", "HOST_ARRIVAL", "REFINEMENT", "LOCK_COUNT", "QUIESCENT"],
    "hiradix-load-loses-itself": ["SOURCE", "HOST_ORDER", "NO_ORPHAN", "LOCK_SPAN", "MATCH_SOUND", "SLOT_PARTITION", "NO_UAF", "COUNT"],
}


@dataclass(eq=False)
class Handed:
    """A ticket; `wait` completes the copy."""

    done: bool = False
    failed: bool = False

    def wait(self) -> None:
        self.done = True


@dataclass
class Handing:
    """A copier whose copies the test completes."""

    tickets: list[Handed] = field(default_factory=list)

    def copy(self, up: bool, sources: list[int], targets: list[int]) -> Handed:
        self.tickets.append(Handed())
        return self.tickets[-1]


def controller(pages: int = 4, host_pages: int = 6) -> tuple[Controller, Handing]:
    """A controller over small pools, and its copier."""
    setup = SimpleNamespace(pool=SlotPool(pages, 1), host_pool=SlotPool(host_pages, 1), copier=Handing())
    return Controller(DevicePool(setup), HostPool(KVCache(setup), 0.0, 0, 1), 1, None, "write_back"), setup.copier


def test_a_transfer_is_acknowledged_once_it_is_done_and_in_its_own_queue() -> None:
    made, copier = controller()
    for node_id in (1, 2):
        assert len(made.write(torch.tensor([node_id]), node_id)) == 1
    assert len(made.load(torch.tensor([0]), 3)) == 1
    copier.tickets[1].done = copier.tickets[2].done = True

    made.acknowledge(False)

    assert (made.ack_write_queue.qsize(), made.ack_load_queue.empty()) == (1, True)
    assert made.ack_write_queue.get() == 2
    assert [transfer.node_id for transfer in made.in_flight] == [1, 3]


def test_a_queue_in_which_nothing_is_waits_for_the_oldest_transfer() -> None:
    made, copier = controller()
    for node_id in (1, 2):
        made.write(torch.tensor([node_id]), node_id)

    assert made.ack_write_queue.get() == 1
    assert [ticket.done for ticket in copier.tickets] == [True, False]


def test_a_transfer_that_has_failed_is_issued_again() -> None:
    made, copier = controller()
    made.write(torch.tensor([1]), 7)
    copier.tickets[0].done = copier.tickets[0].failed = True

    made.acknowledge(False)

    assert (len(copier.tickets), made.ack_write_queue.qsize(), [transfer.node_id for transfer in made.in_flight]) == (2, 0, [7])


def test_a_pool_without_enough_room_answers_nothing_and_a_reset_takes_all_slots_back() -> None:
    setup = SimpleNamespace(pool=SlotPool(1, 1), host_pool=SlotPool(3, 1), copier=Handing())
    host = HostPool(KVCache(setup), 0.0, 0, 1)
    slots = host.alloc(2)
    assert (len(slots), host.alloc(2), setup.host_pool.available) == (2, None, 1)
    host.free(slots[:1])
    assert setup.host_pool.available == 2

    host.clear()

    assert setup.host_pool.available == 3


def configs(mode: str, runs: int, times: int = 1) -> list[Config]:
    """Page sizes and pools in turn. The host is larger than the device, or than so many of them."""
    found = []
    for k in range(runs):
        size, pages, more = (1, 2, 16)[k % 3], (2, 4, 6, 10, 16)[k % 5], (1, 2, 3, 6, 12)[k // 5 % 5]
        found.append(Config("lru", size, pages * size, "cpu", (times * pages + more) * size, mode))
    return found


def checked(factory: Factory, mode: str, times: int = 1) -> RunResult:
    """Runs of the release: after every operation its whole state beside that of the specification."""
    return RunResult.of(random_run(factory, config, seed, 120, 8) for seed, config in enumerate(configs(mode, RUNS, times)))


def compared(factory: Factory, mode: str, runs: int = RUNS) -> Comparison:
    """The release beside our own words of it: every answer, refusal, victim and size on both tiers."""
    outcome = Comparison()
    for seed, config in enumerate(configs(mode, runs)):
        outcome += compare(factory, resolve("hiradix:base"), config, seed)
    return outcome


def others(outcome: Comparison) -> list[str]:
    """The kinds of difference but for the one of our words of it: above them no engine looks whether a load fits."""
    return [difference.kind.what for difference in outcome.differences if difference.kind.what != "slots given back in load_back"]


def altered(name: str) -> Remote:
    """The release with changes."""
    folder = ROOT / "tests" / "subjects"
    return Remote((PEERS_PYTHON, str(ROOT / "verification" / "remote" / "serve.py"), f"{folder / 'hiradix_altered.py'}:{name}"))


@pytest.mark.peers
@pytest.mark.parametrize("mode", MODES)
def test_without_its_findings_the_release_is_as_specified(mode: str) -> None:
    result = checked(altered("repaired"), mode, times=2)

    assert (result.found, result.lost) == ({}, 0)
    assert result.steps > 100 * RUNS


@pytest.mark.peers
@pytest.mark.parametrize("mode", MODES)
def test_what_breaks_in_the_release_follows_from_its_findings(mode: str) -> None:
    result = checked(resolve(NAME), mode)

    assert set(result.found) <= set().union(*(BREAKS[id_] for id_ in (*OF_ALL, *OF_MODE[mode])))
    assert result.steps > 60 * RUNS


@pytest.mark.peers
@pytest.mark.parametrize("mode", MODES)
def test_the_release_does_what_our_words_of_it_do(mode: str) -> None:
    outcome = compared(resolve(NAME), mode)

    assert others(outcome) == []
    assert outcome.steps > 60 * RUNS


@pytest.mark.peers
@pytest.mark.parametrize(("name", "mode"), [("loads_long_keys_only", "write_back"), ("locks_nothing", "write_through")])
def test_a_change_of_the_release_is_seen(name: str, mode: str) -> None:
    assert checked(altered(name), mode).found
    assert others(compared(altered(name), mode, runs=15))


@pytest.mark.peers
def test_a_host_that_is_not_larger_than_the_device_is_refused() -> None:
    with pytest.raises(UsageError, match=r"asserts that its host is larger than its device: make --host-pool larger than --pool"):
        random_run(resolve(NAME), Config("lru", 1, 4, "cpu", 4, "write_back"), 0)
