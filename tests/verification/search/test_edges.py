"""Edges: a search takes each of them, and refutes caches that fail on one edge only."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from fast_tier import slow_unless

from radixcheck.reference.tree import Walk
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.values import BadAmount, Key, NoRoom, Row
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.edges import EDGES, excluded, never_taken
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.page_sizes import DRAWN
from radixcheck.verification.explore.explore import explore
from radixcheck.verification.explore.scopes import SCOPES
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Setup
from radixcheck.verification.report.console import plain
from radixcheck.verification.report.edges_view import edges_grid
from radixcheck.verification.search.machine import hypothesis_batches
from radixcheck.verification.search.run import random_run, replay
from radixcheck.verification.search.search_results import Bounds, Report
from radixcheck.verification.search.shrink import shrink
from radixcheck.verification.subjects.reference_subject import ReferenceSubject
from radixcheck.verification.subjects.registry import resolve

BUDGET = 20_000  # operations
POOLS = (6, 10, 16, 24)  # pages


class TreeOnly(ReferenceSubject):
    """The reference with the tree verbs only."""

    supports = replace(ReferenceSubject.supports, requests=False)


class RequestsOnly(ReferenceSubject):
    """The reference with the request verbs only."""

    supports = replace(ReferenceSubject.supports, tree=False)


class FullTokens(ReferenceSubject):
    """Fails at an insert of an empty key: it looks at the first token."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        assert key.tokens[0] >= 0
        return super().insert(key, slots, priority)


class OneAlloc(ReferenceSubject):
    """Takes the slots of an insert for one piece of memory, from the first of them on, if they are of the caller's loans."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        straight = sorted(slots)
        return super().insert(key, straight if set(straight[:: self.page_size]) <= self._loans else slots, priority)


class WholeLoan(ReferenceSubject):
    """Frees all that an alloc returned, as soon as a part of it is given back."""

    def alloc(self, tokens: int) -> list[int]:
        slots = super().alloc(tokens)
        self.lent = [*getattr(self, "lent", []), list(slots)]
        return slots

    def free(self, slots: Sequence[int]) -> None:
        loans = [loan for loan in self.lent if set(loan) & set(slots)]
        if len(loans) == 1 and set(loans[0][:: self.page_size]) <= self._loans:
            slots = loans[0]
        super().free(slots)


class OneLoan(ReferenceSubject):
    """Frees the first of several loans only."""

    def alloc(self, tokens: int) -> list[int]:
        slots = super().alloc(tokens)
        self.lent = [*getattr(self, "lent", []), set(slots)]
        return slots

    def free(self, slots: Sequence[int]) -> None:
        first = next((loan for loan in reversed(self.lent) if slots and slots[0] in loan), set(slots))
        super().free([slot for slot in slots if slot in first])


class NoEmptyRequest(ReferenceSubject):
    """Refuses a request without tokens."""

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        if not key.tokens:
            raise BadAmount("a request needs a token")
        return super().start(request, key, priority)


class OneReset(ReferenceSubject):
    """Keeps what is cached at a second reset."""

    def reset(self) -> None:
        if not getattr(self, "was_reset", False) or self.requests or self._loans or self._receipts:
            super().reset()
            self.was_reset = True


class ResetNeedsNodes(ReferenceSubject):
    """Fails at a reset of an empty cache."""

    def reset(self) -> None:
        if not (self.root.children or self.requests or self._loans or self._receipts):
            raise RuntimeError("nothing to reset")
        super().reset()


class OldHandles(ReferenceSubject):
    """Accepts a handle from before a reset."""

    def lock(self, node: Any) -> Any:
        try:
            return super().lock(node)
        except Exception:
            return super().lock(self.root)


class OldReceipts(ReferenceSubject):
    """Accepts a receipt that was released before the last reset."""

    def reset(self) -> None:
        super().reset()
        self.was_reset = True

    def unlock(self, receipt: Any) -> None:
        if receipt in self._receipts or not getattr(self, "was_reset", False):
            super().unlock(receipt)


class OneLife(ReferenceSubject):
    """Turns the row of a request round if its id was used before."""

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        row = super().start(request, key, priority)
        self.used = getattr(self, "used", set[int]())
        if request in self.used:
            self.requests[request].row = self.requests[request].row[::-1]
        self.used.add(request)
        return row


class OldNamespace(ReferenceSubject):
    """Finds nothing in a namespace any more once all of it was evicted."""

    def _walk(self, tokens: tuple[int, ...], namespace: tuple[object, ...]) -> Walk:
        seen = {space for space, _ in self.root.children}
        self.known = getattr(self, "known", set[Any]())
        self.closed = getattr(self, "closed", set[Any]()) | {space for space in self.known if space not in seen}
        self.known |= seen
        return Walk(0, self.root) if namespace in self.closed and not self._receipts else super()._walk(tokens, namespace)


class ShortRounds(ReferenceSubject):
    """Rounds the tokens of an alloc shorter than a page down."""

    def alloc(self, tokens: int) -> list[int]:
        return [] if tokens < self.page_size else super().alloc(tokens)


class EvictMore(ReferenceSubject):
    """Takes more tokens than the pool has for an error."""

    def evict(self, tokens: int) -> int:
        if tokens > self.pool.capacity:
            raise BadAmount("the pool has fewer")
        return super().evict(tokens)


class NoZero(ReferenceSubject):
    """Evicts something if nothing is wanted."""

    def evict(self, tokens: int) -> int:
        return super().evict(tokens or 1)


class RoomForAll(ReferenceSubject):
    """Evicts before it refuses what cannot fit at all."""

    def alloc(self, tokens: int) -> list[int]:
        if tokens > self.pool.capacity:
            self.evict(tokens)
            raise NoRoom("too many")
        return super().alloc(tokens)


def masked(self: ReferenceSubject, key: Key) -> Key:
    """The whole pages by a mask, which is right for powers of two."""
    return key._replace(tokens=key.tokens[: len(key.tokens) & ~(self.page_size - 1)])


class Masked(ReferenceSubject):
    """Cuts keys to whole pages by a mask."""

    def peek(self, key: Key) -> int:
        return super().peek(masked(self, key))


class SmallPages(ReferenceSubject):
    """Keeps the offset in a page in six bits."""

    def peek(self, key: Key) -> int:
        return super().peek(key) if self.page_size <= 64 else super().peek(key) // 64 * 64


class ShortVerb:
    """Makes caches that fail in one verb, if it is about a key or a request shorter than a page; of no tokens, if `empty`."""

    def __init__(self, verb: str, empty: bool) -> None:
        self.verb, self.empty = verb, empty

    def __call__(self, setup: Setup) -> ReferenceSubject:
        cache = ReferenceSubject.of(setup)
        right = getattr(cache, self.verb)

        def wrong(*arguments: Any) -> Any:
            key = next((a for a in arguments if isinstance(a, Key)), None)
            live = cache.requests.get(arguments[0]) if self.verb in ("chunk", "decode", "finish", "abort") else None
            tokens = live.tokens if live else key.tokens if key else None
            if tokens is not None and (not tokens if self.empty else 0 < len(tokens) < setup.page_size):
                raise RuntimeError("not one page")
            return right(*arguments)

        setattr(cache, self.verb, wrong)
        return cache


def searched(factory: Any, seed: int = 0, budget: int = BUDGET, stop: bool = True) -> RunResult:
    """Random runs over all page sizes and policies; until something is found, if `stop`."""
    result, policies = RunResult(), tuple(POLICIES)
    for number in range(budget):
        size = DRAWN[number % len(DRAWN)]
        config = Config(policies[number % len(policies)], size, size * POOLS[(number // len(DRAWN) + number) % len(POOLS)])
        result.merge(random_run(factory, config, (seed << 32) + number))
        if result.steps >= budget or (stop and result.found):
            break
    return result


VERBS = ("match", "peek", "insert", "start", "chunk", "decode", "finish", "abort")
FAULTY = (
    *(FullTokens, OneAlloc, WholeLoan, OneLoan, NoEmptyRequest, OneReset, ResetNeedsNodes, OldHandles, OldReceipts),
    *(OneLife, OldNamespace, ShortRounds, EvictMore, NoZero, RoomForAll, Masked, SmallPages),
)
FACTORIES = [
    *((cache.__name__, cache.of) for cache in FAULTY),
    *((f"{verb} {'empty' if e else 'short'}", ShortVerb(verb, e)) for verb in VERBS for e in (True, False)),
]


@pytest.mark.parametrize(("name", "factory"), FACTORIES, ids=[name for name, _ in FACTORIES])
def test_a_cache_that_fails_on_one_edge_is_refuted_by_random_runs(name: str, factory: Any) -> None:
    assert searched(factory).found


@pytest.mark.parametrize("cache", slow_unless(lambda cache: cache not in (Masked, SmallPages), FAULTY))
def test_and_by_the_state_machine(cache: type[ReferenceSubject]) -> None:
    batches = hypothesis_batches(cache.of, tuple(POLICIES), DRAWN, seed=1, examples=200)
    assert any(part.found for part in batches)


EXPLORED = (FullTokens, WholeLoan, OneLoan, OneReset, ResetNeedsNodes, OldHandles, OldReceipts, EvictMore, NoZero)


@pytest.mark.parametrize(("cache", "scope"), [*((cache, "edges") for cache in EXPLORED), (NoEmptyRequest, "empty requests")])
def test_and_by_an_exploration(cache: type[ReferenceSubject], scope: str) -> None:
    assert explore(cache.of, SCOPES[scope]).found


@pytest.mark.parametrize("cache", slow_unless(lambda cache: cache is ReferenceSubject, [ReferenceSubject, TreeOnly, RequestsOnly]))
def test_random_runs_take_every_edge(cache: type[ReferenceSubject]) -> None:
    result = searched(cache.of, stop=False)
    assert not result.found
    assert never_taken(result.edges, cache.supports, DRAWN) == ()


def test_an_edge_that_a_subject_cannot_take_is_excluded_with_the_reason() -> None:
    assert excluded(ReferenceSubject.supports, DRAWN) == {}
    assert excluded(ReferenceSubject.supports, (1,))["short insert"] == "every page has one token"
    assert excluded(TreeOnly.supports, DRAWN)["empty start"] == "it has no start"
    assert excluded(replace(TreeOnly.supports, namespaces=False), DRAWN)["namespace again"] == "it has no namespaces"


def test_an_edge_that_was_never_taken_is_named() -> None:
    taken = dict.fromkeys(EDGES, 1) | {"empty chunk": 0}
    assert never_taken(taken, ReferenceSubject.supports, DRAWN) == ("empty chunk",)
    assert never_taken(taken, TreeOnly.supports, DRAWN) == ()


def test_the_table_has_every_edge_that_is_possible() -> None:
    impossible = excluded(TreeOnly.supports, DRAWN)
    report = Report("x", Bounds(("lru",), DRAWN), (), (), 0, 0, 0.0, (), edges={"empty match": 1234}, impossible_edges=impossible)
    text = plain([edges_grid(report)])
    assert {id_ for id_ in EDGES if id_ in text} == EDGES.keys() - impossible.keys()
    assert "empty match 1,234" in " ".join(text.split())
    assert text.count("never") == len(EDGES) - len(impossible) - 1


def test_operations_on_loans_are_guarded() -> None:
    config = Config("lru", 2, 16)
    key, alloc = Key((1, 1, 2, 2)), Op("alloc", Key((1, 1, 2, 2)), 1)
    for op in (
        *(Op("insert", key, loans=(2,)), Op("insert", Key((1, 1)), loans=(1,)), Op("insert", key, loans=(1, 1))),
        *(Op("insert", key, priority=-1, loans=(1,)), Op("free", holder=1, amount=1), Op("free", holder=1, amount=4)),
        *(Op("free", loans=(1, 2)), Op("free", loans=(1,), amount=2), Op("free", holder=2)),
    ):
        assert replay(ReferenceSubject.of, config, (alloc, op)).steps == 1, op
    for op in (Op("insert", key, loans=(1,)), Op("free", holder=1, amount=2), Op("free", loans=(1,)), Op("free", holder=1)):
        done = replay(ReferenceSubject.of, config, (alloc, op, Op("match", key), Op("evict", amount=99)))
        assert (done.steps, done.found) == (4, {}), op


def test_slots_of_a_caller_that_a_fault_does_not_need_leave_its_trace() -> None:
    trace = (Op("alloc", holder=1), Op("insert", Key((0,)), loans=(1,)), Op("insert", Key((0, 1))), Op("evict", amount=1))
    subject = resolve("as-submitted:pairs")
    found = replay(subject, Config("lru", 1, 5), trace).found["EVICT_LEAF"]

    shorter = shrink(subject, found).trace
    assert found.trace == trace
    assert [(op.name, op.loans) for op in shorter] == [("insert", ()), ("insert", ()), ("evict", ())]
