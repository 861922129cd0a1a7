"""Wrong values: every verb of our own caches refuses each of them with a typed error, keeps its state, and goes on working."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from radixcheck.optimized import DevicePool, RadixCache, TokenBuffer, batches
from radixcheck.optimized.loans import CountedLoans
from radixcheck.optimized.tags import NoTags
from radixcheck.reference import SlotPool
from radixcheck.reference.batch import prepare
from radixcheck.spec import Model
from radixcheck.spec.values import BadAmount, BadKey, BadRequest, BadSlots, CacheError, Key, NoRoom, StaleHandle, to_ints
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.engine import Answer
from radixcheck.verification.checker.misuse import wrong_calls_for
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op, is_misuse
from radixcheck.verification.protocol import Setup, Supports
from radixcheck.verification.subjects.optimized_subject import OptimizedSubject
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.wrong_values import KINDS, REQUEST_ARGUMENTS, TREE_ARGUMENTS, WRONG_CALLS, WrongCall

VERBS = (*TREE_ARGUMENTS, *REQUEST_ARGUMENTS)
PAGES = 16  # of the pool
ONLY_LISTED = ("out of range", "below 0", "given twice", "out of order")  # seen only where slots are read back from the device


class Production(OptimizedSubject):
    """The optimized cache as it is used: loans are counted only, nothing is read from the device."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.tags = self._requests._tags = NoTags()
        self._loans = CountedLoans(setup.page_size)


OURS: dict[str, Factory] = {**{name: resolve(name) for name in ("reference", "optimized", "model")}, "production": Production}


class Index:
    """An integer of another library."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


class Raising:
    """An object of which nothing can be read."""

    def __index__(self) -> int:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError


def pages(size: int, *letters: int) -> Key:
    """A key in which each letter is one page."""
    return Key(tuple(letter for letter in letters for _ in range(size)))


def scene(factory: Factory, size: int) -> Checker:
    """A cache with nodes, a lock, a caller's slots and a request, checked after every operation."""
    checker = Checker(factory, "lru", size, PAGES * size)
    steps = [Op("insert", pages(size, 1, 2, 3)), Op("insert", pages(size, 1, 2, 4)), Op("match", pages(size, 1, 2))]
    steps += [Op("lock", pages(size, 1, 2), 1), Op("alloc", pages(size, 5, 5), 2), Op("start", pages(size, 1, 7), 3)]
    for op in steps:
        assert checker.step(op) == []
    return checker


def possible(call: WrongCall, checker: Checker, counted: bool) -> bool:
    """Whether a value can be made, and must be refused, in this scene."""
    tensors = checker.engine.container is not list
    if (call.wrong.tensors and not tensors) or (call.wrong.pages and checker.engine.page_size == 1):
        return False
    return not (counted and call.wrong.name in ONLY_LISTED)


@pytest.mark.parametrize(("name", "size", "verb"), [*product(OURS, (1, 2), VERBS)])
def test_a_wrong_value_is_refused_and_changes_nothing(name: str, size: int, verb: str) -> None:
    checker = scene(OURS[name], size)
    calls = [call for call in WRONG_CALLS.values() if call.verb == verb and possible(call, checker, name == "production")]
    for call in calls:
        before = checker.engine.sizes(), checker.engine.observe(), checker.engine.pool.available
        assert checker.step(Op(call.name)) == []
        assert (checker.engine.sizes(), checker.engine.observe(), checker.engine.pool.available) == before
    assert checker.tally.exercised["MISUSE"] == len(calls) >= 5

    for op in (
        Op("decode", holder=3, amount=5),
        Op("chunk", holder=3),
        Op("finish", holder=3),
        Op("free", holder=2),
        Op("unlock", holder=1),
    ):
        assert checker.step(op) == []
    for op in (Op("alloc", pages(size, 6, 6), 4), Op("free", holder=4), Op("evict", amount=PAGES * size), Op("reset")):
        assert checker.step(op) == []


def answers(checker: Checker, convert: Callable[[int], Any]) -> list[Answer]:
    """What the verbs answer when each integer is converted."""
    subject, size = checker.engine.subject, checker.engine.page_size
    key = Key(tuple(map(convert, pages(size, 1, 2, 9).tokens)))
    found: list[Any] = [subject.peek(key), subject.match(key).length, len(subject.alloc(convert(size)))]
    found += [
        subject.start(convert(8), key, convert(2)).cached,
        subject.chunk(convert(8)).cached,
        int(subject.decode(convert(8), convert(1))),
    ]
    subject.finish(convert(8))
    return [*found, subject.evict(convert(1)), subject.sizes()]


@pytest.mark.parametrize(("name", "convert"), [*product(OURS, (Index, torch.tensor))])
def test_what_has_an_index_is_taken_as_that_integer(name: str, convert: Callable[[int], Any]) -> None:
    plain, converted = scene(OURS[name], 2), scene(OURS[name], 2)
    assert answers(plain, int) == answers(converted, convert)
    assert plain.engine.subject.peek(Key((True,) * 2)) == plain.engine.subject.peek(Key((1, 1))) == 2
    seen = converted.engine.observe()
    assert {type(token) for node in seen.nodes for token in node.segment} == {int}
    assert {type(node.priority) for node in seen.nodes} == {int}


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("verb", ["evict", "alloc", "chunk"])
def test_an_object_that_raises_is_refused(name: str, verb: str) -> None:
    checker = scene(OURS[name], 1)
    with pytest.raises(CacheError):
        getattr(checker.engine.subject, verb)(Raising())


@pytest.mark.parametrize("name", OURS)
def test_huge_amounts_are_amounts(name: str) -> None:
    checker = scene(OURS[name], 1)
    subject, before = checker.engine.subject, checker.engine.sizes()
    for amount in (10**30, 10**5000):
        with pytest.raises(NoRoom):
            subject.alloc(amount)
    assert subject.sizes() == before
    assert subject.evict(10**5000) == before.evictable


def test_a_wrong_number_does_not_poison_the_cache() -> None:
    cache = RadixCache(16, "lru", DevicePool(64, 16))
    for wrong in (16.0, 16.5, None, "16", -16):
        with pytest.raises(BadAmount):
            cache.alloc(wrong)  # type: ignore[arg-type]
    assert cache.sizes() == (64, 0, 0)
    assert cache.alloc(64).numel() == 64


@pytest.mark.parametrize("make", [SlotPool, DevicePool])
def test_a_pool_refuses_wrong_values(make: type[SlotPool] | type[DevicePool]) -> None:
    pool: Any = make(8, 2)
    slots = pool.alloc(4)
    for wrong, error in ((2.0, BadAmount), (None, BadAmount), ("2", BadAmount), (-2, BadAmount), (1, BadAmount), (10**30, NoRoom)):
        with pytest.raises(error):
            pool.alloc(wrong)
    for values in (None, 5, "ab", [0.5, 1.5], [[0], [1]]):
        with pytest.raises(BadSlots):
            pool.free(values)
    assert pool.available == 4
    pool.free(slots)
    assert sorted(to_ints(pool.alloc(8), BadSlots)) == list(range(8))
    for arguments in ((8.0, 2), (8, 2.0), ("8", 2), (7, 2)):
        with pytest.raises(ValueError, match=r"found|pages"):
            make(*arguments)


@pytest.mark.parametrize("convert", [Tensor.int, Tensor.float, Tensor.bool, lambda t: t.reshape(1, -1), lambda t: t[0]])
def test_a_device_pool_refuses_tensors_of_other_types_and_shapes(convert: Callable[[Tensor], Tensor]) -> None:
    pool = DevicePool(8, 2)
    slots = pool.alloc(4)
    with pytest.raises(BadSlots):
        pool.free(convert(slots))
    assert pool.available == 4


def test_a_device_pool_refuses_parts_that_cannot_be_joined() -> None:
    pool = DevicePool(8, 2)
    slots = pool.alloc(4)
    for parts in ((slots[:2], slots[2:].float()), (slots[:2], slots[2:].reshape(1, -1)), (slots[:2], None), (None, None)):
        with pytest.raises(BadSlots):
            pool.free(*parts)
    assert pool.available == 4


def test_other_functions_refuse_wrong_values() -> None:
    cache, buffer = RadixCache(1, "lru", DevicePool(8, 1)), TokenBuffer((1, 2))
    wrong: list[Callable[[], object]] = [
        *(partial(cache.lookup, key) for key in ((1, 2), None, Key((1.5,)), Key((1,), ["a"]))),  # type: ignore[arg-type]
        *(partial(cache.match_many, lookups) for lookups in (None, [Key((1,))], [None])),  # type: ignore[arg-type]
        *(partial(append, token) for append in (buffer.append,) for token in (1.5, None, -1, 2**64)),  # type: ignore[arg-type]
        *(partial(buffer.extend, tokens) for tokens in (None, "ab", {1}, (1, 1.5))),  # type: ignore[arg-type]
        *(partial(made, requests) for made in (batches("cpu").prepare, prepare) for requests in (None, 5, [5], [(1.5,)], [{1}])),  # type: ignore[arg-type]
    ]
    for call in wrong:
        with pytest.raises(BadKey):
            call()
    with pytest.raises(BadSlots):
        cache.insert_and_match(Key((1,)), cache.alloc(1).int())
    with pytest.raises(BadRequest):
        Model().start("a", Key((1,)))  # type: ignore[arg-type]
    with pytest.raises(StaleHandle):
        cache.lock(RadixCache(1, "lru", DevicePool(8, 1)).tree.root)
    assert (buffer[:], cache.sizes()) == ((1, 2), (7, 0, 0))


class Unlockable(OptimizedSubject):
    """A faulty cache: `lock` raises."""

    def lock(self, node: Any) -> Any:
        raise RuntimeError("no lock")


def test_a_faulty_cache_that_has_nothing_of_another_cache_to_pass_is_not_misused_so() -> None:
    faulty, right = (Checker(factory, "lru", 1, 8) for factory in (Unlockable, OptimizedSubject))

    assert [checker.step(Op("unlock with receipt of another cache")) for checker in (faulty, right)] == [[], []]
    assert (faulty.tally.exercised["MISUSE"], right.tally.exercised["MISUSE"]) == (0, 1)
    assert [violation.property for violation in faulty.step(Op("lock with node of another cache"))] == ["MISUSE"]


def test_the_names_of_wrong_calls_are_those_of_misuses_in_traces() -> None:
    assert all(map(is_misuse, WRONG_CALLS))
    assert {call.kind for call in WRONG_CALLS.values()} == set(KINDS)
    assert len(WRONG_CALLS) == sum(len({call.name for call in WRONG_CALLS.values() if call.verb == verb}) for verb in VERBS)


def test_only_what_crosses_is_given_to_a_cache_in_another_process() -> None:
    here, there = (set(wrong_calls_for(Supports(here=here), 2, tensors=False)) for here in (True, False))
    assert there < here
    assert {"alloc with amount 1.5", "insert with slots None"} <= there
    assert {"alloc with amount NaN", "match with key None", "lock with node of another cache"} <= here - there
    assert not any(WRONG_CALLS[name].wrong.strict for name in here)
    assert not any("namespace" in name for name in wrong_calls_for(Supports(namespaces=False), 2, tensors=False))
