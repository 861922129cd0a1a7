"""What a call promises is proved of its chain of steps, and holds on the states between."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from machine_calls import Taken, calls, values_of

from radixcheck.spec.logic import Term, expand, old
from radixcheck.spec.operations import PARAMETERS, admitted
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.run.reader import Check, check, holds
from radixcheck.spec.signature import cached
from radixcheck.verification.proofs.conditions import of_policy
from radixcheck.verification.proofs.decide import decide
from radixcheck.verification.proofs.promise_chains import OF_CALL, now_is_then, since_call
from radixcheck.verification.proofs.promises import ADMITTED, ADMITTING, CACHE_PROMISES, CHAINS, PROMISES, SPARED, STEPS, promised
from radixcheck.verification.proofs.proof_results import PROVED

WITH_SPARED = (*PARAMETERS, SPARED)
# Parameters of a call under the names that they have in the proofs, beside those of steps.
RENAMED = {p.args[0]: OF_CALL[p.args[0]] for p in PARAMETERS if p is not admitted}
enough = holds(expand(ADMITTED.term), (*RENAMED.values(), SPARED))


def spared(taken: Taken) -> int:
    """Evictable tokens that a start protects before it evicts."""
    state = taken.before
    for step, _, after in taken.steps:
        if step.name == "begin" and taken.call.operation == "start":
            return state.evictable - after.evictable
        state = after
    return 0


@cache
def promise_checks(policy: str) -> dict[str, Check]:
    """A check of each promise, with the facts about a call that it receives."""
    return {id_: check(expand(of_policy(promise.formula, POLICIES[policy])), WITH_SPARED) for id_, promise in PROMISES.items()}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_promised_of_a_call_holds_after_it(seed: int) -> None:
    held = Counter[str]()
    for taken in calls(seed, 400):
        call, after = taken.call, taken.steps[-1][2] if taken.steps else taken.before
        values = [*values_of(call).values(), spared(taken)]
        for promise in map(PROMISES.__getitem__, promised(call.operation)):
            assert promise_checks(taken.policy)[promise.id](after, taken.before, *values) is None, (call, promise.id)
            held[promise.id] += 1
        if call.operation in ADMITTING:
            assert enough(after, taken.before, *(values_of(call)[name] for name in RENAMED), spared(taken))

    assert held.keys() == {id_ for operation in CHAINS for id_ in promised(operation)}


@cache
def known_checks(policy: str, step: str) -> dict[str, Callable[..., bool]]:
    """What the promises take for known when a step is taken, but for what they promise and what only gives a name."""
    parameters = (*STEPS[step].parameters, *RENAMED.values(), SPARED)
    return {
        known.name: holds(expand(of_policy(known.term, POLICIES[policy])), parameters)
        for promise in PROMISES.values()
        for known in promise.knows.get(step, ())
        if not known.promise and (known.because is None or known.name == "SPARED")
    }


def test_what_is_taken_for_known_is_true_when_the_step_is_taken() -> None:
    seen = Counter[str]()
    for seed in range(12):
        for taken in calls(seed, 200):
            state = taken.before
            for step, arguments, after in taken.steps:
                of_call = values_of(taken.call)
                if step.name == "evict":
                    of_call["last_size"] = state.positions.length[arguments[0]] - state.positions.length[state.up[arguments[0]]]
                values = (*arguments, *(of_call[name] for name in RENAMED), spared(taken))
                needed = step.name != "begin" or taken.call.operation in ADMITTING  # no other call rests on what is known of a `begin`
                for name, true in known_checks(taken.policy, step.name).items() if needed else ():
                    assert true(state, taken.before, *values), (taken.call, name)
                    seen[name] += 1
                state = after

    assert seen.keys() == {"LEAST", "GOES_ON", "LAST", "GUARD", "AT_FOUND", "SPARED"}
    assert min(seen.values()) > 100


def test_every_promise_of_every_operation_has_a_chain_of_cells() -> None:
    found = CACHE_PROMISES.composed()

    assert {(operation, p.id) for p in POSTCONDITIONS for operation in p.operations} <= found.keys()
    assert all(found.values())
    assert set(found["finish", "FREE_AT_LAST_RELEASE"]) >= {"call/OWN_KEPT", "grow/OWN_KEPT", "release/FREE_AT_LAST_RELEASE"}
    assert "touch/RECENCY" in found["start", "ORDER"]
    assert "evict/HIT_PRESERVES" not in {name for cells in found.values() for name in cells}


@pytest.mark.parametrize(
    ("operation", "id_", "chains", "words"),
    [
        ("match", "ADMISSION", CHAINS, "no step of match gives ADMISSION"),
        ("evict", "ORDER", {**CHAINS, "evict": (CHAINS["chunk"][-1], *CHAINS["evict"])}, "evict may have given ADDS already"),
        ("match", "RECENCY", {"match": (*CHAINS["match"], *CHAINS["match"])}, "match gives RECENCY twice"),
    ],
    ids=["not given", "changed by an earlier step", "given twice"],
)
def test_a_chain_that_does_not_give_what_is_promised_is_refused(operation: str, id_: str, chains: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(CACHE_PROMISES, chains=chains).chain(operation, PROMISES[id_])


HARD = [("grow", "FREQ"), ("evict", "ORDER"), ("evict", "EVICT_EXACT"), ("begin", "ADMISSION"), ("release", "FREE_AT_LAST_RELEASE")]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("step", "id_"), HARD, ids=[f"{step}-{id_}" for step, id_ in HARD])
def test_a_step_carries_a_promise(step: str, id_: str, seed: int) -> None:
    assert decide(CACHE_PROMISES.by_step(PROMISES[id_], STEPS[step]), seed).verdict == PROVED


@pytest.mark.parametrize("name", CACHE_PROMISES.lemmas)
def test_a_lemma_follows(name: str) -> None:
    assert decide(CACHE_PROMISES.by_lemma(CACHE_PROMISES.lemmas[name])).verdict == PROVED


@pytest.mark.parametrize("left_out", ["BUDGET", "EVICT_PROGRESS", "ADMITTED"])
def test_a_lemma_does_not_follow_from_less(left_out: str) -> None:
    lemma = CACHE_PROMISES.lemmas["ENOUGH"]
    less = replace(lemma, because=tuple(each for each in lemma.because or () if each.name != left_out))
    assert decide(CACHE_PROMISES.by_lemma(less), seconds=1).verdict != PROVED


NEEDED = [
    *(("ORDER", "evict", "LEAST"), ("ORDER", "evict", "KEYS"), ("EVICT_EXACT", "evict", "GOES_ON")),
    *(("FREQ", "grow", "HIT_PRESERVES"), ("BUDGET", "begin", "SPARED")),
]


@pytest.mark.parametrize(("id_", "step", "known"), NEEDED, ids=[f"{id_}-{known}" for id_, _, known in NEEDED])
def test_without_what_a_step_knows_there_is_no_proof(id_: str, step: str, known: str) -> None:
    promise = PROMISES[id_]
    left = tuple(each for each in promise.knows[step] if each.name != known)
    weaker = replace(promise, knows={**promise.knows, step: left})
    assert decide(CACHE_PROMISES.by_step(weaker, STEPS[step]), seconds=1).verdict != PROVED


def test_what_old_speaks_of_is_fixed_at_the_call() -> None:
    (n,) = STEPS["evict"].parameters
    mixed: Term = old(cached(n)) & cached(n)
    fixed = since_call(mixed)

    assert [part.args[0].name for part in fixed.args] == ["cached.call", "cached"]
    assert now_is_then(mixed).args[0].args[0].name == "cached"
