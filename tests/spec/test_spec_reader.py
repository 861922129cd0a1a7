"""The compiled reader says what the naive one says: formulas on states, and transitions against their own macros."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from itertools import product
from random import Random
from typing import Any

import pytest
from interpreter import domain, value

from radixcheck.spec.logic import INT, Term, forall, var
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.cache_machine import CALLER, Machine
from radixcheck.spec.run.positions import Positions
from radixcheck.spec.run.reader import Refused, check, run
from radixcheck.spec.run.state import COUNTERS, State
from radixcheck.spec.signature import FREE, POS, cached, leaf, node
from radixcheck.spec.theorems import FORMULAS
from radixcheck.spec.transitions import CACHE, EVICT
from radixcheck.spec.updates import Transition
from radixcheck.spec.values import Key, NoRoom

LRU = POLICIES["lru"]
FRESH = 99  # a request that no state holds


def states(seed: int, steps: int) -> Iterator[State]:
    """States that a random run of the model passes through; page size 2, so that rows end in unfinished pages."""
    random = Random(seed)
    positions = Positions(2)
    model = Machine(positions, LRU, 8)
    for step in range(steps):
        key = positions.of(Key(tuple(random.randrange(2) for _ in range(random.randint(1, 7)))))
        free = [page for page, owner in enumerate(model.state.owner) if owner == FREE]
        live = sorted(model.state.held)
        with suppress(NoRoom):
            _operation(model, random, key, free, step, live)
            yield model.state


def _operation(model: Machine, random: Random, key: int, free: list[int], step: int, live: list[int]) -> None:
    positions, whole = model.positions, model.positions.cut(key)
    need = positions.level[key] - positions.level[model.deepest(whole)]
    match random.randrange(6):
        case 0:
            model.take("match", key)
        case 1 if need <= len(free):
            model.take("start", step, key, random.randrange(3), pages=free[:need])
        case 2 if positions.level[whole] <= len(free):
            model.take("insert", CALLER, whole, random.randrange(3), pages=free[: positions.level[whole]])
        case 3 if live:
            model.take(random.choice(("finish", "chunk", "abort")), random.choice(live))
        case 4 if live and free:
            holder = random.choice(live)
            model.take("decode", holder, model.next_position(holder, 1), pages=free[: positions.whole[model.state.tok[holder]]])
        case _:
            model.take("evict", random.randint(1, 6))


def broken(state: State, random: Random) -> State:
    """A copy with one thing changed, so that formulas fail too."""
    other = deepcopy(state)
    positions = sorted(other.node)
    if positions:
        n = random.choice(positions)
        attribute: dict[int, Any] = random.choice((other.lock, other.time, other.hits, other.creation))
        attribute[n] += random.choice((-1, 1, 5))
    page = random.randrange(len(other.owner))
    if random.random() < 0.5 and page in other.content:
        other.content[page] = random.choice(sorted(other.cached) or [1])
    other.evictable += random.choice((0, 2))
    return other


@pytest.mark.parametrize("id_", [p.id for p in FORMULAS.values() if p.kind != "post" and not p.heap])
def test_a_compiled_formula_agrees_with_the_naive_reader(id_: str) -> None:
    formula = FORMULAS[id_].formula
    assert formula is not None
    ready, random, said = check(formula(LRU)), Random(1), {True: 0, False: 0}
    for state in states(seed=3, steps=24):
        for s in (state, broken(state, random)):
            actual, expected = ready(s) is None, value(formula(LRU), s, {})
            assert actual == expected, (id_, ready(s))
            said[expected] += 1
    assert said[True] > 20


def arguments(transition: Transition, state: State) -> Iterator[tuple[int, ...]]:
    """Every choice of arguments that the guard allows."""
    choices: dict[str, Any] = {"new_priority": (0, 2), "hit": (0, 1), "h": [*state.held, FRESH]}
    domains = [choices.get(p.args[0]) or domain(p.sort, state) for p in transition.parameters]
    for row in product(*domains):
        names = {p.args[0]: x for p, x in zip(transition.parameters, row, strict=True)}
        if value(transition.guard, state, names):
            yield row


def differences(transition: Transition, row: tuple[int, ...], before: State, after: State) -> list[object]:
    """Where the state after a step is not what the updates, read naively over whole domains, say."""
    names = {p.args[0]: x for p, x in zip(transition.parameters, row, strict=True)}
    forgotten = {
        (u.function.name, key)
        for u in transition.forgets
        for key in points(u.function.domain, before)
        if value(u.where, before, names | {p.args[0]: x for p, x in zip(u.parameters, key, strict=True)})
    }
    wrong: list[object] = []
    for function in {u.function for u in transition.updates}:
        x = tuple(var(f"arg{i}", sort) for i, sort in enumerate(function.domain))
        term = function(*x)
        for key in points(function.domain, before):
            at = {v.args[0]: k for v, k in zip(x, key, strict=True)}
            expected = _updated(transition, function.name, key, before, names, value(term, before, at))
            if (function.name, key) not in forgotten and value(term, after, at) != expected:
                wrong.append((function.name, key, value(term, after, at), expected))
    return wrong


def points(sorts: Any, state: State) -> Iterator[tuple[int, ...]]:
    """All arguments of a function."""
    return product(*(list(domain(s, state)) + ([FRESH] if s.name == "Request" else []) for s in sorts))


def _updated(transition: Transition, name: str, key: tuple[int, ...], s: State, names: dict[str, int], now: Any) -> Any:
    for u in (u for u in transition.updates if u.function.name == name):
        inside = names | {p.args[0]: x for p, x in zip(u.parameters, key, strict=True)}
        if value(u.where, s, inside):
            return value(u.value, s, inside)
    return now


@pytest.mark.parametrize("transition", CACHE, ids=lambda t: t.name)
def test_a_transition_changes_exactly_what_its_updates_say(transition: Transition) -> None:
    taken, random = 0, Random(5)
    for state in states(seed=11, steps=60):
        choices = list(arguments(transition, state)) if len(state.node) <= 5 else []
        for row in random.sample(choices, min(2, len(choices))):
            after = deepcopy(state)
            after.positions = state.positions
            run(transition, after, *row)
            assert differences(transition, row, state, after) == [], row
            taken += 1
    assert taken >= 5


def test_a_transition_outside_its_guard_is_refused_and_changes_nothing() -> None:
    state = next(s for s in states(seed=3, steps=60) if any(s.lock[n] for n in s.node))
    locked = next(n for n in state.node if state.lock[n])
    before = deepcopy({name: getattr(state, name) for name in (*COUNTERS, "node", "owner", "lock")})
    with pytest.raises(Refused):
        run(EVICT, state, locked)
    assert before == {name: getattr(state, name) for name in before}


def test_the_index_of_children_answers_as_the_definition_of_a_leaf_does() -> None:
    n = var("n", POS)
    found = Counter[bool]()
    for state in states(seed=7, steps=60):
        for position in state.node:
            expected = value(leaf(n), state, {"n": position})
            assert (position not in state.kids) == expected
            found[expected] += 1
    assert min(found[True], found[False]) > 20


def test_a_quantifier_without_a_guard_over_positions_is_refused_when_compiled() -> None:
    with pytest.raises(ValueError, match="no guard says over which positions q runs"):
        check(forall(POS, lambda q: cached(q) | node(q)))


def test_a_term_has_no_truth_value() -> None:
    a: Term = var("a", INT)
    with pytest.raises(TypeError, match="no truth value"):
        assert a == a
    with pytest.raises(TypeError, match="Position"):
        _ = var("p", POS) == a
