"""The event machine, run: its formulas hold after every step, and the events as values, folded, give the same on each tier."""

from collections import Counter
from copy import deepcopy
from random import Random

import pytest
from host_walk import Walk

from radixcheck.spec.events.event_fold import Resident
from radixcheck.spec.events.event_invariants import EVENT_FORMULAS, HOST_EVENT_FORMULAS
from radixcheck.spec.events.event_machine import EMITS, EVENT_MACHINE, HOST_EMITS, HOST_EVENT_MACHINE
from radixcheck.spec.events.event_signature import DIGEST, POSITIONS
from radixcheck.spec.events.event_values import DEVICE, HOST, Cleared, Removed, Stored, page_id
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.emitted import emitted
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import Refused, check, holds, run
from radixcheck.spec.run.state import EVENT_SETS, State
from radixcheck.spec.signature import PAGE, POS, REQUEST
from radixcheck.spec.transitions import CACHE
from radixcheck.spec.updates import Transition
from radixcheck.spec.values import Key

LRU = POLICIES["lru"]
CHECKS = {p.id: check(p.formula(LRU)) for p in EVENT_FORMULAS if p.formula is not None}
HOST_CHECKS = {p.id: check(p.formula(LRU)) for p in HOST_EVENT_FORMULAS if p.formula is not None}
WITNESSES = {p.id: holds(p.witness(LRU)) for p in EVENT_FORMULAS if p.witness is not None}
HOST_WITNESSES = {p.id: holds(p.witness(LRU)) for p in HOST_EVENT_FORMULAS if p.witness is not None}
ASSUMED = [check(DIGEST), check(POSITIONS)]


def compare(fold: Resident, state: State) -> None:
    """The fold of values has what the fold of positions has."""
    for medium, positions in ((DEVICE, state.announced), (HOST, state.host_announced)):
        assert fold.differences(medium, [state.positions.key(q) for q in positions]) == ()


def random_steps(seed: int, count: int) -> Counter[str]:
    """Take random steps on one tier. Returns how often each was taken, and each witness held."""
    rng, positions, taken = Random(seed), Positions(2), Counter[str]()
    for key in (Key((0, 0, 1, 1, 0, 0)), Key((0, 0, 1)), Key((0, 0), ("b",))):
        positions.of(key)
    state, fold = State(positions, 5), Resident(2)
    before = deepcopy(state, {id(positions): positions})
    things = {POS: range(len(positions.prev)), PAGE: range(5), REQUEST: range(2)}
    often = [{"reset": 3, "touch": 20, "begin": 40, "release": 40, "split": 9000}.get(step.name, 1000) for step in EVENT_MACHINE]
    while sum(taken[step.name] for step in EVENT_MACHINE) < count:
        (step,) = rng.choices(EVENT_MACHINE, often)
        arguments = [rng.choice(things.get(p.sort, range(2))) for p in step.parameters]
        try:
            run(step, state, *arguments)
        except Refused:
            continue
        if step.name in EMITS:
            assert fold.apply(emitted(EMITS[step.name], step, before, *arguments)) == ()
        compare(fold, state)
        assert [id_ for id_, holds_ in CHECKS.items() if holds_(state) is not None] == []
        assert [assumed(state) for assumed in ASSUMED] == [None, None]
        before = deepcopy(state, {id(positions): positions})
        taken.update([step.name, *(id_ for id_, seen in WITNESSES.items() if seen(state))])
    return taken


def test_the_formulas_of_events_hold_after_every_step_and_the_fold_of_values_agrees() -> None:
    taken = sum((random_steps(seed, 100) for seed in range(3)), Counter[str]())

    assert taken.keys() == {step.name for step in CACHE} | CHECKS.keys()
    assert min(taken[id_] for id_ in CHECKS) > 20


@pytest.mark.parametrize("gaps", [False, True])
def test_the_same_holds_on_two_tiers(gaps: bool) -> None:
    taken = Counter[str]()
    for seed in range(1, 4):
        walk, fold = Walk(seed, 1, gaps=gaps), Resident(1)
        for _ in range(300):
            before = deepcopy(walk.state, {id(walk.positions): walk.positions})
            step = walk.step(HOST_EVENT_MACHINE)
            assert step is not None
            if step.name in HOST_EMITS:
                assert fold.apply(emitted(HOST_EMITS[step.name], step, before, *walk.arguments)) == ()
            compare(fold, walk.state)
            assert [id_ for id_, holds_ in HOST_CHECKS.items() if holds_(walk.state) is not None] == []
            taken.update(id_ for id_, seen in HOST_WITNESSES.items() if seen(walk.state))
        taken += walk.took

    assert taken.keys() >= {*HOST_EMITS, *HOST_CHECKS}
    assert min(taken[id_] for id_ in HOST_CHECKS) > 20


@pytest.mark.parametrize(("machine", "plain"), [(EVENT_MACHINE, CACHE), (HOST_EVENT_MACHINE, TIERED)], ids=["cache", "host"])
def test_what_a_step_emits_changes_the_fold_alone(machine: tuple[Transition, ...], plain: tuple[Transition, ...]) -> None:
    for step, original in zip(machine, plain, strict=True):
        assert tuple(update for update in step.updates if update.function.name not in EVENT_SETS) == original.updates
        assert (step.guard, step.forgets, step.parameters) == (original.guard, original.forgets, original.parameters)


def test_every_emission_is_of_a_step() -> None:
    assert EMITS.keys() <= {step.name for step in CACHE}
    assert HOST_EMITS.keys() <= {step.name for step in TIERED}


def test_the_event_of_a_step_has_its_pages_in_the_order_of_their_kind() -> None:
    positions = Positions(1)
    a, ab, abc = (positions.of(Key((1, 2, 3)[:length], ("s",))) for length in (1, 2, 3))
    state = State(positions, 4)
    state.at, state.up = {0: a}, {abc: a}
    steps = {step.name: step for step in EVENT_MACHINE}
    ids = [positions.page_id[q] for q in (a, ab, abc)]

    assert emitted(EMITS["grow"], steps["grow"], state, 0, abc, 0, 0) == Stored(DEVICE, ("s",), ids[0], (ids[1], ids[2]), (2, 3))
    assert emitted(EMITS["evict"], steps["evict"], state, abc) == Removed(DEVICE, (ids[2], ids[1]))
    assert emitted(EMITS["reset"], steps["reset"], state) == Cleared()
    state.at = {0: EPS}
    assert emitted(EMITS["grow"], steps["grow"], state, 0, a, 0, 0) == Stored(DEVICE, ("s",), None, (ids[0],), (1,))


def test_a_position_has_the_id_of_its_last_page() -> None:
    positions = Positions(2)
    end = positions.of(Key((1, 2, 3, 4), ("s",)))

    assert positions.page_id[end] == page_id(page_id(None, ("s",), (1, 2)), ("s",), (3, 4))
    with pytest.raises(KeyError):
        positions.page_id[EPS]
