"""Formulas that were weaker than their sentences: what they missed before is refuted now.

Each case is a call of a wrong cache, as the states before and after it. The weaker formula stands beside it.
"""
# ruff: noqa: F403, F405  # the signature is the vocabulary of every formula

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from machine_calls import copied

from radixcheck.spec import Key, Model
from radixcheck.spec.logic import Term, conj, forall, ite, old
from radixcheck.spec.operations import PARAMETERS, found, h, key
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.cache_machine import Call
from radixcheck.spec.run.reader import check
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import *
from radixcheck.spec.theorems import FORMULAS

RIGHT: dict[str, Callable[[Model], object]] = {  # calls of a right cache
    "PEEK_PURE": lambda cache: cache.peek(Key((3, 4))),
    "MATCH_MAX": lambda cache: cache.match(Key((1, 2, 4))),
    "FREE_AT_LAST_RELEASE": lambda cache: cache.free(cache.alloc(1)),
    "NO_UAF": lambda cache: cache.start(1, Key((1, 2, 5))),
    "ADMISSION": lambda cache: cache.start(1, Key((1, 2, 5))),
    "RESET_QUIESCENT": lambda cache: cache.reset(),
}


def formula_of(id_: str) -> Term:
    formula = FORMULAS[id_].formula
    assert formula is not None
    return formula(POLICIES["lru"])


@dataclass
class Wrong:
    """A call of a wrong cache, and whether that cache admitted it."""

    call: Call
    before: State
    after: State
    admitted: bool = True
    answered: int | None = None  # the position that it answers, if another one than it should

    def fails(self, formula: Term) -> dict[str, int] | None:
        answered = self.call.found if self.answered is None else self.answered
        arguments = self.call.arguments(answered, self.call.last_size, self.admitted)
        return check(formula, PARAMETERS)(self.after, self.before, *arguments)


def cache_with(*keys: tuple[int, ...]) -> Model:
    cache = Model(page_size=1, capacity=8)
    for tokens in keys:
        cache.insert(Key(tokens), cache.alloc(len(tokens)))
    return cache


def called(cache: Model, call: Callable[[Model], Any], fault: Callable[[State], None]) -> Wrong:
    """A right call, and then the fault."""
    before = copied(cache.machine.state)
    call(cache)
    fault(cache.machine.state)
    return Wrong(cache.machine.call, before, cache.machine.state)


def peek_that_swaps_two_pages() -> Wrong:
    def fault(s: State) -> None:
        (first, page), (second, other) = s.page.items()
        s.page.update({first: other, second: page})

    return called(cache_with((1, 2)), lambda cache: cache.peek(Key((1,))), fault)


def match_that_answers_more_than_the_key() -> Wrong:
    cache = cache_with((1, 2))
    wrong = called(cache, lambda cache: cache.peek(Key((1,))), lambda s: None)
    return replace(wrong, answered=cache.positions.of(Key((1, 2))))


def finish_that_keeps_the_request() -> Wrong:
    cache = cache_with()
    cache.start(1, Key((1, 2)))

    def fault(s: State) -> None:
        s.held.add(1)
        s.at[1] = s.tok[1] = 0

    return called(cache, lambda cache: cache.finish(1), fault)


def row_whose_slot_is_free() -> Wrong:
    cache = cache_with((1, 2))
    cache.start(1, Key((1, 2, 3)))

    def fault(s: State) -> None:
        s.owner[s.row[1, cache.positions.of(Key((1, 2)))]] = FREE

    return called(cache, lambda cache: cache.chunk(1), fault)


def start_that_is_refused_although_it_fits() -> Wrong:
    wrong = called(cache_with((1, 2)), lambda cache: cache.start(1, Key((7,))), lambda s: None)
    return replace(wrong, after=wrong.before, admitted=False)


def reset_that_is_admitted_while_something_is_held() -> Wrong:
    cache = cache_with((1, 2))
    cache.lock(cache.match(Key((1, 2))).node)
    return Wrong(Call("reset"), copied(cache.machine.state), State(cache.positions, 8))


def weaker_peek_pure() -> Term:
    sizes = (available == old(available)) & (evictable == old(evictable)) & (protected == old(protected))

    def same(k: Term) -> Term:
        return conj(*(f(end(k)) == old(f(end(k))) for f in (time, lock))) & (end(k) == old(end(k)))

    kept = forall(POS, lambda k: old(cached(k)) >> cached(k))
    return forall(POS, lambda k: cached(k) >> (old(cached(k)) & same(k))) & kept & sizes


def weaker_match_max() -> Term:
    return forall(POS, lambda k: (old(cached(k)) & (k <= key)) >> (k <= found)) & ((found == eps) | old(cached(found)))


def weaker_free_at_last_release() -> Term:
    return forall(PAGE, lambda s: (old(owner(s) == OWN) & old(holder(s) == h)) >> ((owner(s) == FREE) | (owner(s) == TREE)))


def weaker_no_uaf() -> Term:
    def own(h: Term, q: Term) -> Term:
        return (owner(row(h, q)) == OWN) & (holder(row(h, q)) == h) & (content(row(h, q)) == q)

    return forall(
        (REQUEST, POS),
        lambda h, q: (held(h) & (q <= tok(h)) & (q != eps)) >> ite(q <= at(h), cached(q) & (row(h, q) == page(q)), own(h, q)),
    )


def weaker_admission() -> Term:
    return forall(POS, lambda k: ((k <= found) & (k != eps)) >> (cached(k) & (lock(end(k)) > 0)))


def weaker_reset_quiescent() -> Term:
    return forall(POS, lambda k: ~cached(k)) & forall(PAGE, lambda s: owner(s) == FREE)


CASES = {
    "PEEK_PURE": (weaker_peek_pure, peek_that_swaps_two_pages),
    "MATCH_MAX": (weaker_match_max, match_that_answers_more_than_the_key),
    "FREE_AT_LAST_RELEASE": (weaker_free_at_last_release, finish_that_keeps_the_request),
    "NO_UAF": (weaker_no_uaf, row_whose_slot_is_free),
    "ADMISSION": (weaker_admission, start_that_is_refused_although_it_fits),
    "RESET_QUIESCENT": (weaker_reset_quiescent, reset_that_is_admitted_while_something_is_held),
}


@pytest.mark.parametrize("id_", CASES)
def test_what_the_weaker_formula_missed_is_refuted(id_: str) -> None:
    weaker, wrong = CASES[id_]
    case = wrong()
    assert case.fails(weaker()) is None
    assert case.fails(formula_of(id_)) is not None


@pytest.mark.parametrize("id_", CASES)
def test_the_formula_holds_of_the_right_call(id_: str) -> None:
    """So that it is the fault that it refutes."""
    assert called(cache_with((1, 2), (3,)), RIGHT[id_], lambda s: None).fails(formula_of(id_)) is None
