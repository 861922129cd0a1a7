"""Long runs of caches with a host tier compare again only what has changed: no change may escape, no right cache is blamed."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hiding import Hiding
from host_draw import Run
from host_faults import FAULTS, Fault

from radixcheck.optimized.tier_node import TieredNode
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.host_machine import HostMachine
from radixcheck.spec.run.host_ranking import host_evictable
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.checker.incremental.whole_tiers import WholeTiers
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import MODES
from radixcheck.verification.subjects.optimized_host_subject import optimized_host_subject
from radixcheck.verification.subjects.reference_host_subject import reference_host_subject

NEVER = 10**9  # as a stride: the whole is compared when it is asked for
CONFIGS = [Config(policy, size, 5 * size, host_pool=9 * size, mode=mode) for policy, mode, size in product(POLICIES, MODES, (1, 2))]
OF_REQUESTS = ("start", "run", "chunk", "decode", "finish", "abort", "complete", "poll", "insert", "match")


def checked_by(kind: type[Checker], factory: Any, config: Config, stride: int = NEVER) -> Any:
    return kind(factory, config.policy, config.page_size, config.pool, stride, config.device, tier=config.tier)


def filled(config: Config, seed: int) -> IncrementalChecker:
    """A checker whose cache has nodes on both tiers and has just agreed."""
    checker: IncrementalChecker = checked_by(IncrementalChecker, optimized_host_subject, config)
    for op in Run(reference_host_subject, config, seed).steps(160).trace:
        if op.name in OF_REQUESTS and checker.allowed(op):
            assert checker.step(op) == []
    assert compared(checker) == []
    return checker


def compared(checker: IncrementalChecker) -> list[Violation]:
    """What a comparison of the whole finds, in which no formula is due."""
    whole = checker._whole
    assert isinstance(whole, WholeTiers)
    return checker.guarded(lambda: whole._judge(Op("peek"), 0))


def nodes(checker: IncrementalChecker) -> list[TieredNode]:
    found = list(checker.engine.subject.tree.root.children.values())
    for node in found:  # appends to it
        found.extend(node.children.values())
    return found


WIDE = Config("lru", 2, 24, host_pool=48, mode="write_through")
CHANGES: dict[str, tuple[Callable[[TieredNode], bool], str, Callable[[Any], Any]]] = {
    "a lock": (lambda node: node.local_lock_ref == 0, "local_lock_ref", lambda lock: lock + 1),
    "hits": (lambda node: True, "hits", lambda hits: hits + 1),
    "a time": (lambda node: True, "time", lambda time: time - 1),
    "a creation": (lambda node: True, "creation", lambda time: time - 1),
    "a priority": (lambda node: True, "priority", lambda priority: priority + 1),
    "tokens": (lambda node: True, "segment", lambda segment: b"\2" * len(segment)),
    "slots": (lambda node: node.resident and node.size > 2, "slots", lambda slots: slots.flip(0)),
    "host slots": (lambda node: node.host is not None and node.size > 2, "host", lambda host: host.roll(2)),
    "a host copy": (lambda node: node.host is not None and node.resident, "host", lambda host: None),
    "a pin": (lambda node: node.filling is None and node.host is not None, "filling", lambda copy: object()),
    "a parent": (lambda node: node.parent is not None and node.parent.parent is not None, "parent", lambda parent: parent.parent),
    "a tier": (lambda node: not node.resident, "slots", lambda slots: slots.new_zeros(2)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_a_node_is_found_and_nothing_once_it_is_put_back(what: str) -> None:
    chosen, name, change = CHANGES[what]
    for seed in range(40):
        checker = filled(WIDE, seed)
        found = [node for node in nodes(checker) if chosen(node)]
        if found:
            node, before = found[-1], getattr(found[-1], name)
            setattr(node, name, change(before))
            assert compared(checker), (what, seed)
            setattr(node, name, before)
            assert compared(checker) == []
            return
    raise AssertionError("no such node")


@pytest.mark.parametrize("what", ["a node cut off", "a copy forgotten", "a page not free", "a count", "host tokens", "a page of the host"])
def test_a_change_of_what_is_beside_the_nodes_is_found(what: str) -> None:
    for seed in range(40):
        checker = filled(WIDE, seed)
        subject, host = checker.engine.subject, checker.host
        assert host is not None
        if not subject.copies or not nodes(checker):
            continue
        match what:
            case "a node cut off":
                node = nodes(checker)[-1]
                del node.parent.children[node.child_key]  # type: ignore[union-attr]
            case "a copy forgotten":
                subject.copies.pop()
            case "a page not free":
                host.engine.copier.host.out[host.oracle.model.state.host_owner.index(0)] = 1
            case "a count":
                subject.tree.host_heap.leaf_count += 1
            case "host tokens":
                subject.tree.host_evictable += 2
            case _:
                pages = host.oracle.host_written
                pages[next(page for page, owner in enumerate(host.oracle.model.state.host_owner) if owner)] = 0
        assert compared(checker), (what, seed)
        return
    raise AssertionError("no run has a copy in flight")


@pytest.mark.parametrize("factory", [reference_host_subject, optimized_host_subject])
def test_both_checkers_are_silent_on_right_caches_with_a_host_tier(factory: Any) -> None:
    for seed, config in enumerate(CONFIGS[::2]):
        trace = Run(reference_host_subject, config, seed).steps(100).trace
        checker = checked_by(IncrementalChecker, factory, config, stride=9)
        assert [found for op in trace for found in checker.step(op)] == [], (config, seed)
        assert checker.check_all() == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_both_checkers_speak_of_the_same_wrong_caches(fault: Fault) -> None:
    spoken = 0
    for seed, config in enumerate(CONFIGS):
        trace = Run(fault.make, config, seed).steps(120).trace
        full, partial = (
            any(checker.step(op) for op in trace)
            for checker in (checked_by(Checker, fault.make, config, 1), checked_by(IncrementalChecker, fault.make, config, 9))
        )
        assert partial == full, (fault.name, config, seed)
        spoken += full
        if spoken:
            return
    raise AssertionError("it is not found")


def test_what_is_ranked_and_counted_incrementally_is_what_would_be_computed_anew() -> None:
    full = 0
    for seed, config in enumerate(CONFIGS[::3]):
        checker = checked_by(IncrementalChecker, reference_host_subject, config)
        model = checker.oracle.model
        anew = HostMachine(model.positions, model.policy, 1, 1, config.mode, model.around)
        for op in Run(reference_host_subject, config, seed).steps(80).trace:
            checker.step(op)
            assert sorted(model.device_ranked(model.state)) == sorted(anew.device_ranked(model.state))
            assert sorted(model.host_ranked(model.state)) == sorted(anew.host_ranked(model.state))
            assert model.host_evictable(model.state) == host_evictable(model.state)
            full += host_evictable(model.state) > 0
    assert full > 100


def test_a_host_tier_without_paths_is_compared_as_a_whole() -> None:
    for seed, config in enumerate(CONFIGS[:6]):
        trace = Run(reference_host_subject, config, seed).steps(60).trace
        checker = checked_by(IncrementalChecker, lambda setup: Hiding(optimized_host_subject(setup), ("observe_path",)), config, stride=5)
        assert [found for op in trace for found in checker.step(op)] == []
        assert not checker.local
        assert checker.looked["whole states"] > 5
