"""Every property that has a formula says in words what was expected and what was found; the words are right for planted faults."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hiding import BLACK_BOX, Hiding

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.values import Key, NoRoom, Row
from radixcheck.verification.checker.reasons.all_reasons import REASONS, reason
from radixcheck.verification.checker.reasons.case import Case, snapshot
from radixcheck.verification.checker.reasons.of_run import case_of
from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.mutant import Mutant, config_of
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.run import new_checker, random_run, replay
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject
from radixcheck.verification.subjects.reference_subject import ReferenceSubject

NO_WORDS = "the formula is false"  # what a violation says that has no reason


def op(name: str, *tokens: int, holder: int = 0, amount: int = 0, priority: int = 0) -> Op:
    return Op(name, Key(tokens), holder, amount, priority)


def black_box(factory: Factory) -> Factory:
    def hidden(setup: Setup) -> object:
        return Hiding(factory(setup), BLACK_BOX)

    return hidden


A, AB = op("insert", 0), op("insert", 0, 1)
LEAF_BELOW = (op("insert", 1), op("insert", 1, 1), op("evict", amount=1))
TOUCHED = (op("insert", 0), op("insert", 1), op("match", 0), op("evict", amount=1))
LOCKED = (op("insert", 0), op("match", 0), op("lock", 0, holder=7), op("unlock", 0, holder=7))
CONFIG = Config("lru", 1, 6)
DONE = (op("complete"), op("poll"))
TIERED = Config("lru", 1, 4, host_pool=8, mode="write_through")

# A mutant, the operations, the property, what is said of a cache that shows its inside, and of one that does not (empty: nothing broke).
WORDS: tuple[tuple[str, Trace, str, str, str], ...] = (
    (
        *("evict_internal", LEAF_BELOW, "EVICT_LEAF"),
        *("evicted [1] while [1 1] was below it: slot 2 of [1 1] is not free, and cannot be reached any more", ""),
    ),
    (*("evict_internal", LEAF_BELOW, "ORDER"), *("", "evicted [1] while [1 1] was below it: only leaves may go")),
    (*("evict_ignores_touch", TOUCHED, "ORDER"), *("evicted [0], but [1] comes before it under lru: last used at 2 against 3",) * 2),
    (*("unlock_twice", LOCKED, "LOCK_COUNT"), *("the node at [0] has lock count -1, expected 0: no holder locks it", "")),
    (
        *("unlock_twice", (A, op("match", 0), op("start", 0, holder=8), op("lock", 0, holder=9), op("unlock", 0, holder=9)), "COUNT"),
        *("", "evictable says 1, the unlocked nodes hold 0, and protected says 0, the locked nodes hold 1, as the specification has them"),
    ),
    (
        *("evict_keeps_size", (A, op("evict", amount=1)), "COUNT"),
        *("evictable says 1, the unlocked nodes hold 0", "evictable says 1, the unlocked nodes hold 0, as the specification has them"),
    ),
    (
        *("split_forgets_lock", (AB, op("start", 0, 1, holder=9), op("match", 0)), "LOCK_COUNT"),
        *("the node at [0] has lock count 0, expected 1: request r9 locks it or a node below it", ""),
    ),
    (
        *("touch_whole_edge", (AB, op("match", 0)), "RECENCY"),
        *("[0 1] has the time 2 of last use, expected 1: this match does not use it", ""),
    ),
    (
        *("match_stops_inside_edge", (AB, op("match", 0)), "MATCH_MAX"),
        *("answered that 0 tokens are cached, expected 1: of [0] the cache has [0]",) * 2,
    ),
    (
        *("abort_leaks_tail", (op("start", 1, holder=2), op("abort", holder=2)), "FREE_AT_LAST_RELEASE"),
        "slot 0 was in the row of request r2, and neither free nor in the tree after its abort",
        "did not free [1] in slot 0, which this abort must free",
    ),
    (
        *("evict_ignores_lock", (op("start", 3, holder=1), op("chunk", holder=1), op("evict", amount=1)), "EVICT_UNLOCKED"),
        *("evicted [3], which request r1 has locked",) * 2,
    ),
    (*("peek_touches", (A, op("peek", 0)), "PEEK_PURE"), "this peek has changed the time of last use of [0] from 1 to 1.5", ""),
)


BOTH = (op("insert", 0), *DONE, op("insert", 1), *DONE, op("evict", amount=2))
BELOW = (op("insert", 0), *DONE, op("insert", 0, 1), *DONE, op("evict", amount=2), op("evict_host", amount=1))
LOADED = (op("insert", 0, 1), *DONE, op("evict", amount=2), op("load_back", 0, 1))
FREED_WRONG = "freed [0] in host slot 0, which this evict_host must not free; did not free"

# The same of a cache with a host tier.
HOST_WORDS: tuple[tuple[str, Trace, str, str, str], ...] = (
    (*("host_evict_internal", BELOW, "HOST_ORDER"), *("", f"{FREED_WRONG} [0 1] in host slot 1, which this evict_host must free")),
    (
        *("host_evict_internal", BELOW, "HOST_PARTITION"),
        *("host slot 1 is leaked: it is neither free, nor in the tree, nor reserved by a backup", ""),
    ),
    (*("delete_hosted", BOTH, "HOST_EXACT"), *("", "freed [0] in host slot 0 and [1] in host slot 1, which this evict must not free")),
    (*("load_pins_nothing", LOADED, "PIN_COUNT"), *("the node at [0 1] has 0 pins, expected 1: one load in flight reads it", "")),
    (*("ack_keeps_pins", (*LOADED, *DONE), "QUIESCENT"), *("nothing is held any more, but the node at [0 1] has 1 pin", "")),
    (
        *("split_swaps_host_slots", (op("insert", 0, 1), *DONE, op("match", 0)), "HOST_SOUND"),
        *("host slot 1 is filed for [0], but what was copied there is [0 1]", ""),
    ),
    (
        *("backup_unlocked", (A,), "LOCK_COUNT"),
        *("the node at [0] has lock count 0, expected 1: a copy in flight locks it or a node below it", ""),
    ),
    (
        *("host_available_uncounted", (A,), "HOST_COUNT"),
        *("the host says that 8 tokens are free, but 7 of its slots are", "the host says that 8 tokens are free, expected 7"),
    ),
)


def text_of(factory: Factory, config: Config, trace: Iterable[Op], id_: str) -> str:
    found = replay(factory, config, tuple(trace)).broken(id_)
    return found.violation.text if found else ""


EVERY_ROW = (*WORDS, *HOST_WORDS)


@pytest.mark.parametrize(("name", "trace", "id_", "white", "black"), EVERY_ROW, ids=[f"{row[0]}-{row[2]}" for row in EVERY_ROW])
def test_a_violation_says_what_was_expected_and_what_was_found(name: str, trace: Trace, id_: str, white: str, black: str) -> None:
    of_host = (name, trace, id_, white, black) in HOST_WORDS
    factory, config = MUTANTS[name].factory, TIERED if of_host else Config(MUTANTS[name].policy, 1, 6)

    assert text_of(factory, config, trace, id_) == white
    assert text_of(black_box(factory), config, trace, id_) == black


def test_victims_are_compared_by_what_the_policy_compares() -> None:
    hit_twice = (A, A, op("insert", 1), op("evict", amount=1))
    expected = "evicted [0], but [1] comes before it under lfu: hits 1 against 2"

    assert text_of(MUTANTS["evict_ignores_touch"].factory, Config("lfu", 1, 6), hit_twice, "ORDER") == expected


def test_of_what_a_call_does_not_use_nothing_is_said_of_hits_and_priorities() -> None:
    class BumpsFirst(ReferenceSubject):
        def insert(self, key: Key, *arguments: Any, **more: Any) -> int:
            length = super().insert(key, *arguments, **more)
            first = next(iter(self.root.children.values()))
            first.hits, first.priority = first.hits + (key.tokens[0] != 0), max(first.priority, more.get("priority", 0), *arguments[1:])
            return length

    trace = (op("insert", 0, priority=1), op("insert", 1, priority=3))
    found = replay(BumpsFirst.of, Config("priority", 1, 4), trace).found
    assert {id_: each.violation.text for id_, each in found.items()} == {
        "FREQ": "[0] has 2 hits, expected 1: this insert does not use it",
        "PRIORITY": "[0] has priority 3, expected 1: this insert does not use it, it had 1",
    }


def test_of_a_node_that_a_start_splits_the_part_behind_the_match_may_go() -> None:
    class EvictsMore(ReferenceSubject):
        def start(self, *arguments: Any) -> Row[list[int]]:
            row = super().start(*arguments)
            self.evict(1)
            return row

    found = replay(black_box(EvictsMore.of), Config("lru", 1, 3), (op("insert", 0, 1), op("insert", 5), op("start", 0, 9, holder=1))).found
    assert [each.violation.text for each in found.values()] == ["evicted [5] in slot 2, which must stay: 1 token had to be evicted"]


def test_what_only_the_host_has_is_no_leaf_below_one_of_the_device() -> None:
    class EvictsBackwards(ReferenceHostSubject):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self._eviction_key = lambda node: (-node.time, node.time)

    apart = (op("insert", 0), op("insert", 0, 1), *DONE, *DONE, op("evict", amount=1))
    trace = (*apart, op("insert", 5), *DONE, op("match", 0), op("evict", amount=1))
    found = replay(black_box(EvictsBackwards.of), TIERED, trace).found
    text = "evicted [0], but [5] comes before it under lru: last used at 3 against 4"
    assert [each.violation.text for each in found.values()] == [text]


def test_of_a_cache_with_a_host_tier_it_is_the_device_that_has_what_was_found() -> None:
    class Miscounts(ReferenceHostSubject):
        def match(self, key: Any) -> Any:
            return replace(super().match(key), length=1)

        def chunk(self, request: int) -> Row[list[int]]:
            return replace(super().chunk(request), cached=3)

    of_request = (op("start", 1, 2, 3, 4, holder=1), op("chunk", holder=1))
    only_host = (op("insert", 0), *DONE, op("evict", amount=1), op("match", 0))

    for cache in (Miscounts.of, black_box(Miscounts.of)):
        results = [replay(cache, TIERED, trace) for trace in (of_request, only_host)]
        assert [next(iter(result.found.values())).violation.text for result in results] == [
            "answered that 3 tokens are cached, expected 4: of [1 2 3 4] the device has [1 2 3 4]",
            "answered that 1 token is cached, expected 0: of [0] the device has nothing",
        ]


def test_in_a_large_pool_a_page_that_was_taken_again_is_named_by_what_it_held() -> None:
    filled = [op("insert", token) for token in range(100)]
    trace = (*filled, op("match", 0), op("start", 200, holder=1))
    found = replay(black_box(MUTANTS["evict_ignores_touch"].factory), Config("lru", 1, 100), trace).found

    assert [each.violation.text for each in found.values()] == [
        "evicted [0] in slot 0, which must stay; did not evict [1] in slot 1, which must go: 1 token had to be evicted"
    ]


def test_in_a_large_pool_of_which_the_state_before_was_not_kept_nothing_is_said_of_the_room() -> None:
    class Full(ReferenceSubject):
        def alloc(self, tokens: int) -> list[int]:
            raise NoRoom("full")

    found = [replay(black_box(Full.of), Config("lru", 1, pool), (op("alloc", *range(6), holder=1),)).found for pool in (6, 128)]

    assert [each.violation.text for one in found for each in one.values()] == [
        "this alloc must be admitted (it needs 6 tokens: 6 are free, and 0 evictable), but raised NoRoom: full",
        "this alloc must be admitted, but raised NoRoom: full",
    ]


def test_what_a_caller_leaves_behind_is_named_as_the_caller_s() -> None:
    class KeepsOne(ReferenceSubject):
        def free(self, slots: Any) -> None:
            super().free(slots[:-1])

    text = "slot 1 was in the row of caller h3, and neither free nor in the tree after its free"
    assert text_of(KeepsOne.of, CONFIG, (op("alloc", 1, 2, holder=3), op("free", holder=3)), "FREE_AT_LAST_RELEASE") == text


def case_after(factory: Factory, config: Config, *trace: Op) -> Case:
    """The case of a right cache after these operations, to be made wrong."""
    checker = new_checker(factory, config, 1)
    assert [checker.step(each) for each in trace] == [[]] * len(trace)
    return case_of(checker, {"s": 0})


def test_of_a_page_it_is_said_what_was_written_there_or_that_nothing_was() -> None:
    tree, request = case_after(ReferenceSubject.of, CONFIG, A), case_after(ReferenceSubject.of, CONFIG, op("start", 0, 1, holder=2))
    for case in (tree, request):
        case.seen.content[0] = EPS
    empty = case_after(ReferenceHostSubject.of, TIERED, op("start", 0, 1, holder=2))
    empty.seen.filled.discard(0)  # type: ignore[attr-defined]

    assert reason("SLOT_PARTITION", tree) == "slot 0 is in the tree, but nothing was written there"
    assert reason("SLOT_PARTITION", request) == "slot 0 is in the row of request r2, but nothing was written there"
    assert reason("SLOT_PARTITION", empty) == "slot 0 is in the row of request r2 for [0], but was never filled"


def test_a_peek_that_changes_only_a_holder_has_words() -> None:
    moved, forgot = (case_after(ReferenceSubject.of, CONFIG, A, op("start", 0, 1, holder=2), op("peek", 0)) for _ in range(2))
    for case in (moved, forgot):
        object.__setattr__(case, "before", snapshot(case.seen))
    moved.seen.at[2] = EPS
    del forgot.seen.row[2, max(q for _, q in forgot.seen.row)]

    assert reason("PEEK_PURE", moved) == "this peek has changed what request r2 locks: [0] before, [] now"
    assert reason("PEEK_PURE", forgot) == "this peek has changed the row of request r2 for [0 1]"


def test_every_formula_over_states_has_a_reason_and_there_is_no_other() -> None:
    assert set(REASONS) == {p.id for p in EVERY.values() if p.formula is not None and p.kind != "event"}


def test_a_state_for_which_there_are_no_words_has_no_reason() -> None:
    checker_case = Case.__new__(Case)

    assert reason("LOCK_COUNT", checker_case) == ""
    assert reason("NO_ALIAS", checker_case) == ""


def texts_of(wrong: Mutant, runs: int, most: int = 400) -> list[str]:
    """What is said of a mutant in so many runs; in more, as long as nothing is found. Namespaces and the words of an error are left out."""
    texts = list[str]()
    for turn in range(most):
        if turn >= runs and texts:
            break
        result = random_run(wrong.factory, config_of(wrong, turn), turn)
        texts += [found.violation.text for found in (*result.found.values(), *result.consequences.values())]
    return [re.sub(r" in \([^)]*\)| raised .*", "", text, flags=re.DOTALL) for text in texts]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, wrong in MUTANTS.items() if not wrong.directed and wrong.property != "MISUSE"])
def test_no_fault_of_a_mutant_is_without_words(name: str) -> None:
    texts = texts_of(MUTANTS[name], runs=12)

    assert texts
    assert [text for text in texts if NO_WORDS in text or "None" in text or "which the specification does not allow" in text] == []
