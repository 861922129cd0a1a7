"""SGLang's cache with a host tier: what replaces its device, the real one under the checker, and faults that are put into it."""

import os
from dataclasses import dataclass

import pytest
from places import ROOT

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.protocol import MODES
from radixcheck.verification.remote.remote_subject import Remote
from radixcheck.verification.remote.serve import Missing
from radixcheck.verification.search.run import random_run
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.subjects.sglang_host import check_version
from radixcheck.verification.subjects.sglang_transfers import CopyEvent, CopyStream, Device, SubmittedCopies

PEERS_PYTHON = os.environ.get("RADIXCHECK_PEERS", "")  # the interpreter of an environment that has SGLang
SERVE, FAULTS = ROOT / "verification" / "remote" / "serve.py", ROOT / "tests" / "subjects" / "sglang_host_faults.py"


@dataclass(eq=False)
class Ticket:
    """One copy of a copier that only takes note."""

    up: bool
    sources: list[int]
    targets: list[int]
    done: bool = False

    def wait(self) -> None:
        self.done = True


class Copier:
    """Takes note of copies."""

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []

    def copy(self, up: bool, sources: list[int], targets: list[int]) -> Ticket:
        self.tickets.append(Ticket(up, sources, targets))
        return self.tickets[-1]


def submitted(sizes: list[int]) -> tuple[Copier, CopyEvent]:
    """A submission of the allocations of these sizes."""
    copier, event = Copier(), CopyEvent()
    slots = [*range(sum(sizes))]
    with Device.stream(CopyStream()):
        SubmittedCopies(copier)(True, slots, [slot + 10 for slot in slots], sizes)
        event.record()
    return copier, event


def test_a_submission_is_cut_into_the_allocations_that_it_was_made_for() -> None:
    copier, event = submitted([2, 1])
    assert [(ticket.sources, ticket.targets) for ticket in copier.tickets] == [([0, 1], [10, 11]), ([2], [12])]
    assert [copied.number for copied in event.copies] == [0, 1]


def test_an_event_is_done_when_every_copy_before_it_is() -> None:
    copier, event = submitted([2, 1])
    first, second = copier.tickets

    second.done = True
    assert not event.query()
    event.synchronize()
    assert (event.query(), first.done) == (True, True)


def test_an_event_that_stands_for_nothing_is_done() -> None:
    event = CopyEvent(enable_timing=True)
    assert event.query()
    event.record()
    assert event.query()


def test_another_version_is_refused() -> None:
    with pytest.raises(Missing, match=r"is for sglang 0\.5\.23, and 0\.5\.24 is installed: pip install sglang==0\.5\.23"):
        check_version("0.5.24")


def found(factory: Factory, runs: int, modes: tuple[str, ...] = MODES) -> RunResult:
    """Some random runs over modes and page sizes."""
    result = RunResult()
    for k in range(runs):
        size = (1, 2)[k % 2]
        config = Config("fifo", size, 8 * size, "cpu", (3, 6, 12)[k // 6 % 3] * size, modes[k // 2 % len(modes)])
        result.merge(random_run(factory, config, k, replicated=0))
    return result


@pytest.mark.peers
@pytest.mark.parametrize("name", ["sglang-host-python", "sglang-host-rust"])
def test_the_real_cache_does_what_the_specification_says_but_for_its_findings(name: str) -> None:
    """Under fifo, where times and hits choose no victim. Its hits deviate (findings); the core in Rust does not show them."""
    result = found(resolve(f"{name}@{PEERS_PYTHON}"), 36)

    assert set(result.found) <= {"FREQ"}
    assert (result.lost, result.steps > 3_500) == (0, True)
    assert {"load_back", "evict_host", "complete", "poll", "run", "chunk", "start"} <= set(result.fired)


@pytest.mark.peers
@pytest.mark.parametrize(
    ("fault", "property_"),
    [
        *(("early", "ARRIVAL"), ("early_rust", "ARRIVAL"), ("unpinned", "PIN_COUNT")),
        *(("unlocked", "LOCK_COUNT"), ("unlocked_rust", "COUNT"), ("keeping", "HOST_PARTITION"), ("keeping_rust", "HOST_EXACT")),
    ],
)
def test_a_fault_in_the_real_cache_is_seen(fault: str, property_: str) -> None:
    assert property_ in found(Remote((PEERS_PYTHON, str(SERVE), f"{FAULTS}:{fault}")), 12).found
