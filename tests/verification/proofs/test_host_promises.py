"""What a call of a cache with a host tier promises is proved of its steps, and what they are taken to find is true."""

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from host_calls import Caller, SlowCopier

from radixcheck.spec.host.host_operations import CALLS, steps_of
from radixcheck.spec.logic import expand
from radixcheck.spec.operations import PARAMETERS
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.host_model import HostModel
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.reader import Check, check, holds
from radixcheck.verification.proofs.conditions import of_policy
from radixcheck.verification.proofs.decide import decide
from radixcheck.verification.proofs.host_promises import HOST_PROMISES, chain_of, promised
from radixcheck.verification.proofs.promise_chains import OF_CALL
from radixcheck.verification.proofs.proof_results import PROVED
from radixcheck.verification.protocol import MODES

NAMES = [p.args[0] for p in PARAMETERS]
LEAVES = {"EVICT_EXACT": ("demote", "delete"), "HOST_EXACT": ("evict_host",)}


@dataclass
class Taken:
    """A call that took steps, the state before it, and its steps with the state after each."""

    policy: str
    call: Any
    before: HostState
    steps: list[tuple[Any, tuple[int, ...], HostState]]
    host_wanted: int  # tokens that were to be evicted from the host, at last

    def values(self, last_size: int = 0) -> list[Any]:
        """Values of PARAMETERS."""
        special = {"last_size": last_size, "admitted": True}
        if self.call.operation == "evict_host":
            special["wanted"] = self.host_wanted
        return [special[name] if name in special else getattr(self.call, name) for name in NAMES]

    def each(self) -> Iterator[tuple[Any, tuple[int, ...], HostState, HostState]]:
        """The steps, with the states before and after each."""
        state = self.before
        for step, arguments, after in self.steps:
            yield step, arguments, state, after
            state = after


def copied(state: HostState) -> HostState:
    return deepcopy(state, {id(state.positions): state.positions})


def size_of(state: HostState, node: int) -> int:
    return state.positions.length[node] - state.positions.length[state.up[node]]


def calls(mode: str, seed: int, count: int) -> Iterator[Taken]:
    """Random calls."""
    copier, size, policy = SlowCopier(), 1 + seed % 2, list(POLICIES)[seed % len(POLICIES)]
    model = HostModel(size, policy, 8 * size, (3, 6)[seed % 2] * size, mode, copier=copier)
    machine, step = model.machine, model.machine.step
    steps = list[tuple[Any, tuple[int, ...], HostState]]()

    def recorded(transition: Any, *arguments: int) -> None:
        step(transition, *arguments)
        steps.append((transition, arguments, copied(machine.state)))

    evict_host, host_wanted = machine.evict_host, [0]

    def wanting(tokens: int) -> int:
        host_wanted[0] = tokens
        return evict_host(tokens)

    machine.step, machine.evict_host = recorded, wanting  # type: ignore[method-assign,assignment]
    caller = Caller(model, copier, seed)
    for _ in range(count):
        before, last = copied(machine.state), machine.call
        steps.clear()
        caller.call()
        own = len(machine.call.steps)
        if machine.call is not last and own:  # the calls before it, as that of an insert's slots, are left out
            first = len(steps) - own
            yield Taken(policy, machine.call, steps[first - 1][2] if first else before, steps[first:], host_wanted[0])


@cache
def promise_check(id_: str, policy: str) -> Check:
    """A check of a promise, with the values of PARAMETERS."""
    return check(expand(of_policy(HOST_PROMISES.promises[id_].formula, POLICIES[policy])), PARAMETERS)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_promised_of_a_call_holds_after_it_on_two_tiers(mode: str) -> None:
    held = Counter[str]()
    for seed in range(4):
        for taken in calls(mode, seed, 80):
            after = taken.steps[-1][2]
            for id_ in promised(taken.call.operation):
                sizes = [size_of(state, arguments[0]) for step, arguments, state, _ in taken.each() if step.name in LEAVES.get(id_, ())]
                values = taken.values(sizes[-1] if sizes else 0)
                assert promise_check(id_, taken.policy)(after, taken.before, *values) is None, (taken.call, id_)
                held[id_] += 1

    rare = {"RESET_QUIESCENT", "HOST_EXACT", "HOST_ORDER"}
    assert held.keys() | rare == {id_ for call in CALLS for id_ in promised(call)}


def known_checks(id_: str, step: str, policy: str) -> dict[str, Callable[..., bool]]:
    """What a promise takes for known when a step is taken, but for what is promised and what follows from that."""
    promise = HOST_PROMISES.promises[id_]
    parameters = (*HOST_PROMISES.steps[step].parameters, *(OF_CALL[name] for name in NAMES if name != "admitted"))
    known = [each for each in promise.knows.get(step, ()) if not each.promise and each.because is None]
    return {each.name: holds(expand(of_policy(each.term, POLICIES[policy])), parameters) for each in known}


@pytest.mark.parametrize("mode", MODES)
def test_what_is_taken_for_known_is_true_when_the_step_is_taken_on_two_tiers(mode: str) -> None:
    checks, seen = cache(known_checks), Counter[str]()
    for seed in range(8):
        for taken in calls(mode, seed, 120):
            released = False
            for step, arguments, state, _ in taken.each():
                last = size_of(state, arguments[0]) if step.name in ("demote", "delete", "evict_host") else 0
                values = [value for name, value in zip(NAMES, taken.values(last), strict=True) if name != "admitted"]
                for id_ in promised(taken.call.operation):
                    if id_ != "FREE_AT_LAST_RELEASE" or step.name == "release" or released:
                        for name, true in checks(id_, step.name, taken.policy).items():
                            assert true(state, taken.before, *arguments, *values), (taken.call, id_, name)
                            seen[name] += 1
                released |= step.name == "release"

    expected = {"GOES_ON", "LAST", "ON_DEVICE"} | ({"OF_THE_CALL"} if mode == "write_back" else {"ITS_OWN"})
    assert seen.keys() - {"GUARD", "LEAST"} == expected  # those of a reset and of an eviction from the host, which are rare


def test_every_promise_of_every_call_has_cells() -> None:
    found = HOST_PROMISES.composed()

    assert all(found.values())
    assert {call for call, _ in found} == {*CALLS}
    assert "evict_host/HIT_PRESERVES" not in HOST_PROMISES.cells()
    assert {"lemma/TWO_LOCKS", "lemma/LOCKED_BY", "release/HELD_KEPT"} <= set(found["evict", "EVICT_UNLOCKED"])
    assert "grow/HIT_PRESERVES" not in found["insert", "FREQ"]  # what a step knows is carried to it, not past it


def test_a_pattern_is_read_as_stages() -> None:
    stages = chain_of("(split )?touch ((a_b )*grow |(touch )?begin )*(grow |touch )".replace("a_b", "pin"))

    assert [stage.steps for stage in stages] == [("split",), ("touch",), ("pin", "grow", "touch", "begin"), ("grow", "touch")]
    assert [(stage.loop, stage.sure) for stage in stages] == [(False, False), (False, True), (True, False), (False, True)]
    assert all({step for stage in chain_of(pattern) for step in stage.steps} == steps_of(call) for call, pattern in CALLS.items())


HARD = ["release/EVICT_UNLOCKED", "evict_host/HOST_EXACT", "demote/EVICT_EXACT", "fail_save/HOST_UNPINNED", "demote/NO_WRITE_BACK_LOSS"]


@pytest.mark.parametrize("name", HARD)
def test_a_step_carries_a_promise_on_two_tiers(name: str) -> None:
    assert decide(HOST_PROMISES.cells()[name]()).verdict == PROVED


@pytest.mark.parametrize("name", [name for name in HOST_PROMISES.cells() if name.startswith("lemma/")])
def test_a_lemma_follows_on_two_tiers(name: str) -> None:
    assert decide(HOST_PROMISES.cells()[name]()).verdict == PROVED
