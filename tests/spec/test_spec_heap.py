"""The heap machine, run: it keeps its formulas, and what it evicts is what the cache machine evicts."""

from random import Random

import pytest

from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.run.cache_machine import Machine
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import Refused, check, run
from radixcheck.spec.run.state import State
from radixcheck.spec.values import Key

LETTERS = 2


class HeapRun:
    """Random operations on a heap machine; entries are numbered in the order in which they are pushed."""

    def __init__(self, policy: Policy, seed: int) -> None:
        self.random = Random(seed)
        self.steps = {t.name: t for t in heap_machine(policy)}
        self.model = Machine(Positions(1), policy, 12)
        self.state: State = self.model.state
        self.entries = 0
        self.evicted: list[int] = []
        self.popped_dead = self.repaired = 0

    def fresh(self) -> int:
        """An entry that is not in the heap."""
        self.entries += 1
        return self.entries

    def insert(self, *tokens: int) -> None:
        """Cache a key (a random one if none is given) for a request that ends at once; room is made first."""
        s, p = self.state, self.model.positions
        key = p.of(Key(tokens or tuple(self.random.randrange(LETTERS) for _ in range(self.random.randint(1, 4)))))
        while s.available < p.length[key]:
            if not self.evict():
                return
        run(self.steps["begin"], s, 0, EPS, self.random.randrange(3))
        for q in p.path(key):
            run(self.steps["extend"], s, 0, q, s.owner.index(0))
        found = self.model.deepest(key)
        self.stand_at(found)
        if found != EPS:
            run(self.steps["relock"], s, 0, found)
        if found == key:
            run(self.steps["touch"], s, key, 1, s.request_priority[0], self.fresh())
        else:
            run(self.steps["grow"], s, 0, key, 1, s.request_priority[0])
        run(self.steps["release"], s, 0, self.fresh())

    def stand_at(self, position: int) -> None:
        """Split where a position lies inside a node."""
        if position != EPS and position not in self.state.node:
            run(self.steps["split"], self.state, position, self.state.end[position])

    def match(self) -> None:
        """Touch what is cached of a key."""
        key = self.model.positions.of(Key(tuple(self.random.randrange(LETTERS) for _ in range(3))))
        found = self.model.deepest(key)
        self.stand_at(found)
        run(self.steps["touch"], self.state, found, 0, 0, self.fresh())

    def evict(self) -> bool:
        """Pop, drop and repair until one node is evicted; False if the heap is empty."""
        s = self.state
        while s.queued:
            e = min(s.queued, key=lambda d: (s.first[d], s.second[d], d))
            n = s.on[e]
            for name, arguments in (("pop_dead", (e,)), ("evict", (n, e, self.fresh())), ("repair", (e, self.fresh(), n))):
                try:
                    run(self.steps[name], s, *arguments)
                except (Refused, KeyError):
                    continue
                self.popped_dead += name == "pop_dead"
                self.repaired += name == "repair"
                if name == "evict":
                    self.evicted.append(n)
                    return True
                break
        return False


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_heap_machine_keeps_its_formulas_and_evicts_the_least_leaf(policy: Policy) -> None:
    formulas = [(p.id, check(p.formula(policy))) for p in STATE_FORMULAS if p.formula]
    run_ = HeapRun(policy, seed=2)
    s = run_.state
    for _ in range(400):
        least = min(run_.model.ranked(s), default=None)
        before = len(run_.evicted)
        operation = run_.random.choice((run_.insert, run_.match, run_.match, run_.evict))
        operation()
        if operation == run_.evict and len(run_.evicted) > before:
            assert least is not None
            assert run_.evicted[-1] == least[-1]
        assert {id_: failed for id_, ready in formulas if (failed := ready(s)) is not None} == {}

    assert len(run_.evicted) > 40
    assert run_.popped_dead > 0 or policy.name == "filo"  # there a dead entry lies below all leaves that are newer
    assert run_.repaired > 0 or policy.name in ("fifo", "filo", "mru")


def test_a_tidied_heap_holds_one_entry_for_each_evictable_leaf() -> None:
    run_ = HeapRun(POLICIES["lru"], seed=5)
    for tokens in ((0,), (0, 1), (0, 1, 1), (1,)):
        run_.insert(*tokens)
    before = len(run_.state.queued)

    run(run_.steps["tidy"], run_.state)

    leaves = len(run_.model.ranked(run_.state))
    assert (before, len(run_.state.queued), leaves) == (4, 2, 2)
