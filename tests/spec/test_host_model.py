"""The specification of a cache with a host tier, run as a cache."""

import re
from collections import Counter

import pytest
from host_calls import Caller, SlowCopier
from host_walk import CHECKS

from radixcheck.spec import Key, Model
from radixcheck.spec.host.host_operations import CALLS, steps_of
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.host_model import HostModel
from radixcheck.verification.protocol import MODES


def host_model(policy: str, page_size: int, host_pages: int, mode: str) -> tuple[HostModel, SlowCopier]:
    copier = SlowCopier()
    return HostModel(page_size, policy, 8 * page_size, host_pages * page_size, mode, copier=copier), copier


@pytest.mark.parametrize("mode", MODES)
def test_every_formula_holds_after_every_call_and_every_call_follows_its_pattern(mode: str) -> None:
    steps, answers = Counter[str](), Counter[str]()
    for seed, policy in enumerate(POLICIES):
        cache, copier = host_model(policy, 1 + seed % 3, (2, 6)[seed % 2], mode)
        caller = Caller(cache, copier, seed)
        for _ in range(150):
            before = cache.machine.call
            name, answer = caller.call()
            call = cache.machine.call
            assert [id_ for id_, check in CHECKS.items() if check(cache.machine.state) is not None] == [], (name, answer, seed)
            if call is not before:
                assert re.fullmatch(CALLS[call.operation], "".join(f"{step} " for step in call.steps)), (call.operation, call.steps)
                steps.update(call.steps)
            answers[name] += answer not in (None, 0, [], (0, 0))

    assert {name for name in ("match", "load_back", "backup", "poll", "evict_host", "start") if not answers[name]} == set()
    taken = {"run", "revive", "demote", "evict_host", "ack_load", "ack_save", "fail_save"}
    assert taken - set(steps) == set()


def test_the_patterns_name_every_step_but_those_that_callers_leave_out() -> None:
    named = frozenset().union(*map(steps_of, CALLS))

    assert {step.name for step in TIERED} - named == {"drop_host", "cancel_save", "cancel_load"}  # free choices of a cache


@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_without_host_pages_it_is_the_cache_without_a_host(page_size: int) -> None:
    hits = 0
    for seed, policy in enumerate(POLICIES):
        for mode in MODES:
            tiered = Caller(host_model(policy, page_size, 0, mode)[0], SlowCopier(), seed, host=False)
            plain = Caller(Model(page_size, policy, 8 * page_size), SlowCopier(), seed, host=False)
            for _ in range(60):
                assert tiered.call() == plain.call()
                assert tiered.cache.sizes() == plain.cache.sizes()
                ours, theirs = tiered.cache.machine.state, plain.cache.machine.state
                assert all(
                    getattr(ours, name) == getattr(theirs, name) for name in ("node", "lock", "time", "hits", "page", "owner", "row")
                )
                hits += len(ours.cached)

    assert hits > 0


def test_a_load_that_fails_under_another_reader_is_issued_again() -> None:
    cache, copier = host_model("lru", 1, 6, "write_through")
    cache.insert(Key((1, 2)), cache.alloc(2))
    copier.in_flight()[0].complete(failed=False)
    cache.poll()
    cache.evict(2)
    row = cache.start(1, Key((1, 2, 3)))
    (load,) = copier.in_flight()
    load.complete(failed=True)

    assert len(row.waits) == 1
    assert cache.poll() == [load]
    (again,) = copier.in_flight()
    assert (again.sources, again.targets) == (load.sources, load.targets)
    again.complete(failed=False)
    cache.poll()
    cache.run(1)
    assert cache.row(1).waits == ()


def test_a_load_that_fails_for_no_other_reader_is_undone() -> None:
    cache, copier = host_model("lru", 1, 6, "write_through")
    cache.insert(Key((1, 2)), cache.alloc(2))
    copier.in_flight()[0].complete(failed=False)
    cache.poll()
    cache.evict(2)

    assert cache.load_back(cache.match(Key((1, 2))).host_node) == 2
    copier.in_flight()[0].complete(failed=True)
    cache.poll()

    assert copier.in_flight() == []
    found = cache.match(Key((1, 2)))
    assert (found.length, found.host_length, cache.sizes().available) == (0, 2, 8)
