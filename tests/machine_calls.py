"""Calls of the machine at random, each with the states before it and after each of its steps."""

import random
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

from radixcheck.spec.operations import OPERATIONS, PARAMETERS
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.run.cache_machine import CALLER, Call, Machine, Pages
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE
from radixcheck.spec.updates import Transition
from radixcheck.spec.values import CacheError

Step = tuple[Transition, tuple[int, ...], State]

PAGES = 7
TOKENS = (0, 1)


class Recorder(Machine):
    """A machine that keeps the steps of the call in progress, with the state after each."""

    def __init__(self, positions: Positions, policy: Policy, pages: int) -> None:
        super().__init__(positions, policy, pages)
        self.steps: list[Step] = []
        self.given: tuple[int, ...] = ()

    def take(self, name: str, *given: int, pages: Pages | Sequence[int] = ()) -> Call:
        self.given = given
        return super().take(name, *given, pages=pages)

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
    """A call that makes sense, with arguments chosen at random; it may be refused for lack of room."""
    s, p = model.state, model.positions
    key = EPS
    for _ in range(rng.randrange(1, 4)):
        key = p.link(key, tuple(rng.choice(TOKENS) for _ in range(p.page_size)), ("a",))
    held, name = sorted(s.held), rng.choice(sorted(OPERATIONS))

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
    given: tuple[int, ...]
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
        yield Taken(call, model.given, model.policy.name, before, model.steps)


def values_of(call: Call) -> dict[str, int]:
    """The call's parameters by name."""
    return {p.args[0]: value for p, value in zip(PARAMETERS, call.arguments(call.found, call.last_size), strict=True)}
