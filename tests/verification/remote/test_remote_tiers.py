"""A cache with a host tier in another process: the verdicts are those of this process, and a wrong answer of the tier is one sentence."""

import json
import sys
from typing import Any

import pytest
from host_draw import Run
from host_faults import FAULTS, Fault
from places import ROOT, TESTS

from radixcheck.spec.values import Key
from radixcheck.verification import verify
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import MODES, Setup
from radixcheck.verification.remote.remote_subject import Remote
from radixcheck.verification.remote.serve import Server
from radixcheck.verification.search.diff import compare
from radixcheck.verification.search.run import random_run, replay
from radixcheck.verification.subjects.reference_host_subject import reference_host_subject
from radixcheck.verification.subjects.registry import isolated, resolve

ELSEWHERE = f"reference-host@{sys.executable}"
SERVE = str(ROOT / "verification" / "remote" / "serve.py")
SMALL = tuple(Config("lru", size, pages * size, "cpu", host * size, mode) for mode in MODES for size, pages, host in ((1, 3, 4), (2, 8, 6)))
WRITE_THROUGH, WRITE_BACK = (Config("lru", 1, 3, "cpu", 4, mode) for mode in ("write_through", "write_back"))
A, AB = Key((1,)), Key((1, 2))
DEMOTED = (Op("insert", AB), Op("complete"), Op("poll"), Op("evict", amount=2))  # two pages, which only the host has then


def altered(verb: str, **values: Any) -> Remote:
    """The reference, with other answers to one verb."""
    return Remote((sys.executable, str(TESTS / "subjects" / "altered.py"), verb, json.dumps(values)))


def served_fault(fault: Fault) -> Remote:
    """A faulty cache in another process."""
    path = f"PYTHONPATH={ROOT / '.dev'}:{TESTS}"
    return Remote(("env", path, sys.executable, SERVE, f"{TESTS / 'host_faults.py'}:served_{fault.name}"))


def moved(*moves: Any) -> dict[str, Any]:
    return {"pool": list(moves)}


def copied(**values: Any) -> dict[str, Any]:
    """An answer to an insert of two pages, whose copy has other values."""
    copy = {"number": 0, "up": False, "sources": [0, 1], "targets": [0, 1], **values}
    return moved(["take_host", [0, 1]], ["copy", {name: value for name, value in copy.items() if value is not None}])


# The same verdicts.


@pytest.mark.slow
def test_the_tier_gets_the_same_verdicts_here_and_in_another_process() -> None:
    here, there = (
        RunResult.of(random_run(factory, config, seed, 120, 8, replicated=0) for seed in range(3) for config in SMALL)
        for factory in (reference_host_subject, resolve(ELSEWHERE))
    )

    assert here.found == there.found == {}
    assert (here.steps, here.fired, here.edges) == (there.steps, there.fired, there.edges)
    assert here.steps > 1_500
    assert {name for name, count in here.tally.exercised.items() if there.tally.exercised[name] != count} <= {"NO_ALIAS"}
    assert here.edges["write-back fails"] > 0


@pytest.mark.slow
def test_a_search_over_all_modes_holds_in_another_process() -> None:
    outcome = verify(ELSEWHERE, policies=["lru"], page_sizes=[1], operations=1_000, seconds=600, stretch=False)

    assert outcome.report.found == ()
    assert outcome.report.bounds.modes == MODES
    assert outcome.holds, outcome.report.unfinished
    assert outcome.agreement is not None


def test_a_cache_with_a_host_tier_agrees_with_itself_in_another_process() -> None:
    for seed, config in enumerate(SMALL):
        same = compare(reference_host_subject, resolve(ELSEWHERE), config, seed)
        assert (same.steps > 300, same.differences) == (True, ())


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_the_tier_is_found_elsewhere_as_it_is_here(fault: Fault) -> None:
    there = served_fault(fault)
    for seed, config in enumerate(SMALL * 20):
        here = Run(fault.make, config, seed, stride=50).steps(150)
        if here.found:
            served = Run(there, config, seed, stride=50).steps(150)
            assert (served.trace, [v.property for v in served.found]) == (here.trace, [v.property for v in here.found])
            return
    raise AssertionError("nothing was found")


def test_a_cache_with_a_host_tier_can_be_isolated() -> None:
    apart = isolated(resolve("reference-host"))

    assert (apart.supports.modes, apart.supports.here) == (MODES, False)
    assert random_run(apart, WRITE_BACK, 1, 100, 8, replicated=0).found == {}


def test_a_program_without_a_tier_is_not_given_one() -> None:
    with pytest.raises(UsageError, match="of modes it declares none"):
        replay(resolve(f"reference@{sys.executable}"), WRITE_THROUGH, DEMOTED)


# Wrong answers.


@pytest.mark.parametrize(
    ("verb", "values", "text"),
    [
        ("poll", {"tickets": [7]}, "no copy has number 7: 1 were issued"),
        ("poll", {"tickets": [-1]}, "no copy has number -1"),
        ("poll", {"tickets": None}, "'tickets' is not a list of integers"),
        ("match", {"host_length": None}, "'host_length' is not an integer"),
        ("match", {"host_node": "root"}, "'host_node' is not an integer"),
        ("match", {"host_available": None}, ""),  # the one before it still holds
        ("evict", {"host_available": [1]}, "host_available() raised ProtocolError"),
        ("evict", {"host_available": {"error": "ValueError", "text": "gone"}}, "host_available() raised RemoteError: ValueError: gone"),
        ("start", {"waits": None}, "'waits' is not a list of integers"),
        ("start", {"waits": [2]}, "no copy has number 2: 2 were issued"),
        ("run", {"error": "NotArrived", "text": "wait", "refused": True}, ""),  # rightly refused
        ("insert", copied(number=1), "the next copy has number 0, copies are numbered in the order of their issue"),
        ("insert", copied(up=None), "which is no move: see verification/remote/README.md"),
        ("insert", copied(sources="all"), "which is no move"),
        ("insert", copied(more=1), "which is no move"),
        ("insert", moved(["wait", 0]), "no copy has number 0: 0 were issued"),
        ("insert", moved(["wait", None]), "which is no move"),
        ("insert", moved(["take_disk", [0]]), "which is no move"),
    ],
)
def test_a_wrong_answer_of_the_tier_is_one_sentence(verb: str, values: dict[str, Any], text: str) -> None:
    trace = (*DEMOTED, Op("match", AB), Op("start", AB, holder=1), Op("run", holder=1))
    found = replay(altered(verb, **values), WRITE_THROUGH, trace).found

    assert ("REFINEMENT" in found) == bool(found) == bool(text)
    if text:
        assert text in found["REFINEMENT"].violation.text
        assert "\n" not in found["REFINEMENT"].violation.text
        assert found["REFINEMENT"].trace == trace[: [op.name for op in trace].index(verb) + 1]


@pytest.mark.parametrize(
    ("values", "property_", "text"),
    [
        (copied(targets=[0]), "TARGET", "found 2 sources and 1 targets"),
        (copied(sources=[], targets=[]), "TARGET", "found 0 sources and 0 targets"),
        (copied(sources=[0, 2]), "SOURCE", "found page 2, which is free"),
        (copied(sources=[0, 99]), "SLOT_PARTITION", "page 99 does not exist"),
        (copied(targets=[0, -1]), "HOST_PARTITION", "host page -1 does not exist"),
        (copied(targets=[0, 3]), "TARGET", "found host page 3, which is free"),
        (copied(sources=[1, 0]), "SOURCE", "expected a copy of consecutive pages of one prefix"),
        (copied(up=True), "SOURCE", "host page 0, its page 0, holds nothing"),
        (moved(["take_host", [0, 0]]), "HOST_PARTITION", "host page 0 was allocated while it was in use"),
        (moved(["give_host", [3]]), "HOST_PARTITION", "host page 3 was freed while it was free"),
        (moved(["take_host", [10**40]]), "HOST_PARTITION", "does not exist"),
        (moved(*copied()["pool"], ["give_host", [1]]), "TARGET", "host page 1 was freed while a copy in flight writes it"),
        (moved(*copied()["pool"], ["give", [1]]), "SOURCE", "page 1 was freed while a copy in flight reads it"),
    ],
)
def test_a_wrong_copy_is_found_by_its_slots(values: dict[str, Any], property_: str, text: str) -> None:
    found = replay(altered("insert", **values), WRITE_THROUGH, DEMOTED[:1]).found

    assert property_ in found
    assert text in found[property_].violation.text


def test_a_move_of_the_tier_without_a_tier_is_refused() -> None:
    found = replay(altered("insert", **copied()), Config("lru", 1, 3), (Op("insert", AB),)).found

    assert "'pool' has a move of the host tier (take_host), which this cache was not given" in found["REFINEMENT"].violation.text


# What the checker decides reaches the cache.


def test_the_cache_hears_of_each_completion_once_and_before_the_next_verb() -> None:
    run = Run(resolve(ELSEWHERE), WRITE_THROUGH, 0)
    sent: list[dict[str, Any]] = []
    process: Any = run.checker.engine.subject._process
    ask = process.ask

    def noted(message: dict[str, Any], timeout: Any) -> Any:
        sent.append(message)
        return ask(message, timeout)

    process.ask = noted
    for op in (Op("insert", A), Op("insert", AB), Op("complete", holder=1, amount=1), Op("complete"), Op("poll"), Op("poll")):
        assert run.checker.step(op) == []

    polls = [{name: message[name] for name in ("arrived", "failed") if name in message} for message in sent if message["do"] == "poll"]
    assert polls == [{"arrived": [0], "failed": [1]}, {}]


def test_a_copy_for_which_an_eviction_waits_fails_in_the_other_process_as_here() -> None:
    trace = (Op("insert", AB), Op("complete", amount=1), Op("evict", amount=1), Op("insert", AB), Op("evict", amount=1))
    for factory in (reference_host_subject, resolve(ELSEWHERE)):
        run = Run(factory, WRITE_BACK, 0)
        awaited = [[ticket.failed for _ in [run.checker.step(op)] for ticket in run.checker.host.engine.copier.awaited] for op in trace]  # type: ignore[union-attr]
        assert awaited == [[], [], [True], [], [False]]


def test_the_served_pools_and_copier_are_what_a_factory_is_given() -> None:
    given: list[Setup] = []

    def factory(setup: Setup) -> Any:
        given.append(setup)
        return reference_host_subject(setup)

    Run(factory, WRITE_BACK, 0).steps(20)
    Server(factory).answer(
        {"do": "make", "protocol": 1, "page_size": 1, "policy": "lru", "pool": 3, "device": "cpu", "host_pool": 4, "mode": "write_back"}
    )
    here, there = given
    assert (there.page_size, there.policy, there.device, there.mode) == (here.page_size, here.policy, here.device, here.mode)
    assert (there.pool.capacity, there.host_pool.capacity) == (3, 4)  # type: ignore[union-attr]
