"""Generates the operations of a host tier: loads, backups and evictions there, and copies that arrive early, late, never, or fail.

How copies complete is drawn once for each run (its *pace*), so that faults that need many copies in flight are not hidden by copies
that arrive at once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from radixcheck.spec.values import Key
from radixcheck.verification.operations import Op

WEIGHTS: Mapping[str, int] = {"load_back": 8, "backup": 5, "evict_host": 3, "poll": 7, "run": 6}  # beside the others of a profile

AIMED = {"match": 0.25, "insert": 0.15, "start": 0.25}  # share of operations that go to what only the host has, or to what is copied
ANY_KEY = 0.2  # share of loads and backups of any key


@dataclass(frozen=True, slots=True)
class Pace:
    """How the copies of one run complete."""

    weight: int  # of `complete` among the other operations; 0: never
    oldest: float  # share of completions that are of the oldest copy; the others are of any
    failing: float  # share of them that fail


PACES = {
    "in order": Pace(14, 1.0, 0.0),
    "any order": Pace(14, 0.0, 0.0),
    "late": Pace(3, 0.3, 0.1),
    "failing": Pace(12, 0.3, 0.5),
    "never": Pace(0, 0.0, 0.0),
}


def host_weights(random: Random) -> tuple[Mapping[str, int], Pace]:
    """Return the weights of the operations of a host tier in one run, and its pace."""
    pace = PACES[random.choice(sorted(PACES))]
    return {**WEIGHTS, "complete": pace.weight}, pace


def in_flight(guide: Any) -> int:
    """Return how many copies are in flight; 0 without a host tier."""
    return len(guide.host.engine.copier.in_flight) if guide.host else 0


def settled(guide: Any) -> Iterator[Op]:
    """Yield operations after which no copy is in flight; none without a host tier. A copy that has failed may be issued again."""
    for _ in range(2 if guide.host else 0):
        while in_flight(guide):
            yield Op("complete")
        yield Op("poll")


def aimed(oracle: Any, random: Random, op: Op) -> Op:
    """Return an operation, sometimes with another key: of a node that only the host has, or one that ends inside a node under a copy."""
    if op.name not in AIMED or op.loans or random.random() >= AIMED[op.name]:
        return op
    directed = host_only if op.name != "match" or random.random() < 0.3 else under_a_copy
    key = directed(oracle, random.choice)
    return replace(op, key=key) if key else op


def host_operation(guide: Any, random: Random, name: str, pace: Pace, draw: Callable[[], Key]) -> Op | None:
    """Return an operation of the host tier; None if there is none in the present state. `draw` makes a key."""
    size, capacity = guide.engine.page_size, guide.oracle.model.state.host_capacity
    match name:
        case "load_back":
            key = draw() if random.random() < ANY_KEY else host_only(guide.oracle, random.choice)
            return Op(name, key) if key else None
        case "backup":
            key = draw() if random.random() < ANY_KEY else resident_node(guide.oracle, random.choice)
            return Op(name, key) if key else None
        case "evict_host":
            return Op(name, amount=random.choice((0, 1, size, 2 * size, 3 * size + 1, capacity + 1)))
        case "complete":
            return _complete(random, pace, in_flight(guide))
        case "run":
            live = guide.oracle.requests
            return Op(name, holder=random.choice(live)) if live else None
    return Op(name)


def _complete(random: Random, pace: Pace, copies: int) -> Op | None:
    """Return the completion of a copy: it arrives or fails. Behind the copies in flight stands the next one for which the cache waits."""
    if random.random() < pace.failing / 4:
        return Op("complete", holder=copies, amount=1)
    place = 0 if random.random() < pace.oldest else random.randrange(max(1, copies))
    return Op("complete", holder=place, amount=int(random.random() < pace.failing)) if copies else None


def host_only(oracle: Any, pick: Callable[[list[int]], int]) -> Key | None:
    """Return the key of a node that only the host has; None if there is none."""
    s = oracle.model.state
    behind = sorted(n for n in s.node if n not in s.resident)
    return oracle.positions.key(pick(behind)) if behind else None


def resident_node(oracle: Any, pick: Callable[[list[int]], int]) -> Key | None:
    """Return the key of a node on the device, if possible of one that the host has not; None if there is none."""
    s = oracle.model.state
    resident = sorted(n for n in s.node if n in s.resident)
    choices = [n for n in resident if n not in s.hosted] or resident
    return oracle.positions.key(pick(choices)) if choices else None


def under_a_copy(oracle: Any, pick: Callable[[list[int]], int]) -> Key | None:
    """Return a key that ends inside a node that is being copied, so that the node is split; None if there is none."""
    s, p = oracle.model.state, oracle.positions
    inside = [
        p.ancestors[n][level]
        for h in sorted(s.held)
        if s.stage.get(h)
        for n in sorted(s.node)
        if p.le(n, s.aim[h]) and p.level[n] > p.level[s.floor[h]]
        for level in range(p.level[s.up[n]] + 1, p.level[n])
    ]
    return p.key(pick(inside)) if inside else None
