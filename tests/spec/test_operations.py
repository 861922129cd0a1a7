"""The chains of steps that are proved are those that the model takes, and every promise holds on the states between."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache

import pytest

from radixcheck.spec.logic import Term, expand, old
from radixcheck.spec.operations import OPERATIONS, PARAMETERS, admitted
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.run.machine import CALLER, Call, Machine
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import Check, check, holds
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE
from radixcheck.spec.updates import Transition
from radixcheck.spec.values import CacheError
from radixcheck.verification.proofs import promises
from radixcheck.verification.proofs.conditions import of_policy
from radixcheck.verification.proofs.decide import decide
from radixcheck.verification.proofs.promises import (
    ADMITTING,
    CHAINS,
    PROMISES,
    STEPS,
    Promise,
    by_lemma,
    by_step,
    chain,
    composed,
    promised,
)
from radixcheck.verification.proofs.proof_results import PROVED

Step = tuple[Transition, tuple[int, ...], State]

PAGES = 7
TOKENS = (0, 1)


class Recorder(Machine):
    """A machine that keeps the steps of the call in progress, with the state after each."""

    def __init__(self, positions: Positions, policy: Policy, pages: int) -> None:
        super().__init__(positions, policy, pages)
        self.steps: list[Step] = []

    def step(self, transition: Transition, *arguments: int) -> None:
        super().step(transition, *arguments)
        self.steps.append((transition, arguments, copied(self.state)))


@dataclass(frozen=True)
class FreePages:
    """Pages that are chosen when they are asked for, after the eviction."""

    state: State
    rng: random.Random
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        free = [page for page, owner in enumerate(self.state.owner) if owner == FREE]
        return iter(self.rng.sample(free, self.count))


def copied(state: State) -> State:
    return deepcopy(state, {id(state.positions): state.positions})


def random_call(model: Machine, rng: random.Random, fresh: Iterator[int]) -> Callable[[], Call]:
    """A call that makes sense, with arguments chosen at random; it may be refused for want of room."""
    s, p = model.state, model.positions
    key = EPS
    for _ in range(rng.randrange(1, 4)):
        key = p.link(key, tuple(rng.choice(TOKENS) for _ in range(p.page_size)), ("a",))
    held, name = sorted(s.held), rng.choice(sorted(CHAINS))

    def pages(count: int) -> FreePages:
        return FreePages(s, rng, count)

    level = p.level[key]
    priority = rng.randrange(2)
    calls: dict[str, Callable[[], Call]] = {
        "match": lambda: model.take("match", key),
        "peek": lambda: model.take("peek", key),
        "insert": lambda: model.take("insert", CALLER, key, priority, pages=pages(level)),
        "lock": lambda: model.take("lock", next(fresh), rng.choice([EPS, *sorted(s.node)])),
        "evict": lambda: model.take("evict", rng.randrange(6)),
        "alloc": lambda: model.take("alloc", next(fresh), key, pages=pages(level)),
        "start": lambda: model.take("start", next(fresh), key, priority, pages=pages(level - p.level[model.deepest(key)])),
        "reset": lambda: model.take("reset"),
    }
    if name in calls and (name != "insert" or level * p.page_size <= s.available):
        return calls[name]
    if not held:
        return calls["match"]
    h, token = rng.choice(held), rng.choice(TOKENS)
    if name == "decode":
        return lambda: model.take("decode", h, model.next_position(h, token), pages=pages(1 if p.whole[s.tok[h]] else 0))
    return (lambda: model.take(name, h)) if name in ("unlock", "free", "abort", "chunk", "finish") else calls["match"]


@dataclass(frozen=True)
class Taken:
    """A call of the model, with the state before it and those after each of its steps."""

    call: Call
    policy: str
    before: State
    steps: list[Step]


def calls(seed: int, count: int) -> Iterator[Taken]:
    """Calls of the model at random."""
    rng, fresh = random.Random(seed), iter(range(10**6))
    model = Recorder(Positions(rng.choice((1, 2))), POLICIES[rng.choice(sorted(POLICIES))], PAGES)
    for _ in range(count):
        model.steps, before = [], copied(model.state)
        try:
            call = random_call(model, rng, fresh)()
        except CacheError:
            assert not model.steps
            continue
        yield Taken(call, model.policy.name, before, model.steps)


def test_every_place_of_every_chain_is_taken() -> None:
    seen = Counter[str]()
    for seed in range(40):
        for taken in calls(seed, 200):
            seen[taken.call.operation] += 1
            seen.update(f"{taken.call.operation}:{step.name}" for step, _, _ in taken.steps)

    assert OPERATIONS.keys() <= seen.keys()
    assert {f"{o.name}:{step}" for o in OPERATIONS.values() for stage in o.chain for step in stage.steps} <= seen.keys()


OF_CALL = (*PARAMETERS, promises.SPARED)
# Parameters of a call under the names that they have in the proofs, beside those of steps.
RENAMED = {p.args[0]: promises.OF_CALL[p.args[0]] for p in PARAMETERS if p is not admitted}
enough = holds(expand(promises.ADMITTED.term), (*RENAMED.values(), promises.SPARED))


def values_of(call: Call) -> dict[str, int]:
    """The call's parameters by name."""
    return {p.args[0]: value for p, value in zip(PARAMETERS, call.arguments(call.found, call.last_size), strict=True)}


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
    """A check of each promise, with what it is told of a call."""
    return {id_: check(expand(of_policy(promise.formula, POLICIES[policy])), OF_CALL) for id_, promise in PROMISES.items()}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_promised_of_a_call_holds_after_it(seed: int) -> None:
    held = Counter[str]()
    for taken in calls(seed, 400):
        call, after = taken.call, taken.steps[-1][2] if taken.steps else taken.before
        values = [*values_of(call).values(), spared(taken)]
        for promise in promised(call.operation):
            assert promise_checks(taken.policy)[promise.id](after, taken.before, *values) is None, (call, promise.id)
            held[promise.id] += 1
        if call.operation in ADMITTING:
            assert enough(after, taken.before, *(values_of(call)[name] for name in RENAMED), spared(taken))

    assert held.keys() == {promise.id for operation in CHAINS for promise in promised(operation)}


@cache
def known_checks(policy: str, step: str) -> dict[str, Callable[..., bool]]:
    """What the promises take for known when a step is taken, but for what they promise and what only gives a name."""
    parameters = (*STEPS[step].parameters, *RENAMED.values(), promises.SPARED)
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
                    of_call["last_size"] = tokens_of(state, arguments[0])
                values = (*arguments, *(of_call[name] for name in RENAMED), spared(taken))
                needed = step.name != "begin" or taken.call.operation in ADMITTING  # no other call rests on what is known of a `begin`
                for name, true in known_checks(taken.policy, step.name).items() if needed else ():
                    assert true(state, taken.before, *values), (taken.call, name)
                    seen[name] += 1
                state = after

    assert seen.keys() == {"LEAST", "GOES_ON", "LAST", "GUARD", "AT_FOUND", "SPARED"}
    assert min(seen.values()) > 100


def tokens_of(state: State, node: int) -> int:
    return state.positions.length[node] - state.positions.length[state.up[node]]


def test_every_promise_of_every_operation_has_a_chain_of_cells() -> None:
    found = composed()

    assert {(operation, p.id) for p in POSTCONDITIONS for operation in p.operations} <= found.keys()
    assert all(found.values())
    assert set(found["finish", "FREE_AT_LAST_RELEASE"]) >= {"call/OWN_KEPT", "grow/OWN_KEPT", "release/FREE_AT_LAST_RELEASE"}
    assert "touch/RECENCY" in found["start", "ORDER"]
    assert "evict/HIT_PRESERVES" not in {name for cells in found.values() for name in cells}


def test_a_chain_that_does_not_give_what_is_promised_is_refused() -> None:
    with pytest.raises(ValueError, match="no step of match gives ADMISSION"):
        chain("match", PROMISES["ADMISSION"])


def test_a_form_that_an_earlier_step_has_changed_is_refused() -> None:
    grown = {**CHAINS, "evict": (CHAINS["chunk"][-1], *CHAINS["evict"])}

    with pytest.raises(ValueError, match="evict may have given ADDS already"):
        chain("evict", PROMISES["ORDER"], grown)


def test_what_is_given_twice_is_refused() -> None:
    twice = {"match": (*CHAINS["match"], *CHAINS["match"])}

    with pytest.raises(ValueError, match="match gives RECENCY twice"):
        chain("match", PROMISES["RECENCY"], twice)


HARD = [("grow", "FREQ"), ("evict", "ORDER"), ("evict", "EVICT_EXACT"), ("begin", "ADMISSION"), ("release", "FREE_AT_LAST_RELEASE")]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("step", "id_"), HARD, ids=[f"{step}-{id_}" for step, id_ in HARD])
def test_a_step_carries_a_promise(step: str, id_: str, seed: int) -> None:
    assert decide(by_step(PROMISES[id_], STEPS[step]), seed).verdict == PROVED


@pytest.mark.parametrize("name", promises.LEMMAS)
def test_a_lemma_follows(name: str) -> None:
    assert decide(by_lemma(promises.LEMMAS[name])).verdict == PROVED


@pytest.mark.parametrize("left_out", ["BUDGET", "EVICT_PROGRESS", "ADMITTED"])
def test_a_lemma_does_not_follow_from_less(left_out: str) -> None:
    lemma = promises.LEMMAS["ENOUGH"]
    less = replace(lemma, because=tuple(each for each in lemma.because or () if each.name != left_out))

    assert decide(by_lemma(less), seconds=1).verdict != PROVED


def _without(promise: Promise, step: str, known: str) -> Promise:
    left = tuple(each for each in promise.knows[step] if each.name != known)
    return replace(promise, knows={**promise.knows, step: left})


NEEDED = [
    ("ORDER", "evict", "LEAST"),
    ("ORDER", "evict", "KEYS"),
    ("EVICT_EXACT", "evict", "GOES_ON"),
    ("FREQ", "grow", "HIT_PRESERVES"),
    ("BUDGET", "begin", "SPARED"),
]


@pytest.mark.parametrize(("id_", "step", "known"), NEEDED, ids=[f"{id_}-{known}" for id_, _, known in NEEDED])
def test_without_what_a_step_knows_there_is_no_proof(id_: str, step: str, known: str) -> None:
    weaker = _without(PROMISES[id_], step, known)

    assert decide(by_step(weaker, STEPS[step]), seconds=1).verdict != PROVED


def test_what_old_speaks_of_is_fixed_at_the_call() -> None:
    (n,) = STEPS["evict"].parameters
    mixed: Term = old(promises.cached(n)) & promises.cached(n)
    fixed = promises.since_call(mixed)

    assert [part.args[0].name for part in fixed.args] == ["cached.call", "cached"]
    assert promises.now_is_then(mixed).args[0].args[0].name == "cached"
