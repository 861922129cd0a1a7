"""The contracts on pure functions: what is confirmed, what is refuted, and which answers of CrossHair pass the gate."""

from dataclasses import replace

import pytest
from commands import Command

from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.contract_results import EXHAUSTED, REFUTED, UNKNOWN, Decided, Judged, status
from radixcheck.verification.contracts.run_contracts import CONTRACTS, Explored, breaks, decide, explore, judge

PAGES = CONTRACTS["pages_for"]
MATCH = CONTRACTS["shared_tokens"]

CONFIRMED = Explored(("CONFIRMED",), ("Confirmed over all paths.",), (), 16, 0.1)
FIVE_IN_FOURS = {"tokens": 5, "page": 4}  # the twin does not count the second page
FAILED = Explored(("POST_FAIL",), ("false when calling",), (FIVE_IN_FOURS,), 9, 0.1)


def test_a_right_function_is_confirmed_over_all_paths_and_its_twin_is_refuted_by_a_counterexample() -> None:
    decided = decide(PAGES, 30)

    assert (decided.judged, decided.paths, decided.twin.verdict) == (Judged(EXHAUSTED), 16, REFUTED)
    assert decided.twin.arguments is not None
    assert breaks(PAGES, PAGES.twin, decided.twin.arguments) == "the law is false"
    assert breaks(PAGES, PAGES.function, decided.twin.arguments) == ""


def test_a_key_that_ends_inside_a_page_is_not_matched_beyond_its_end() -> None:
    """The twin returns 4 tokens for a key of 3."""
    unaligned = dict.fromkeys("abcdvwxy", 0) | {"size": 4, "after": 1, "start": 0, "page": 2}

    assert MATCH.twin((0, 0, 0, 0), (0, 0, 0), 0, 2) == 4
    assert MATCH.function((0, 0, 0, 0), (0, 0, 0), 0, 2) == 2
    assert breaks(MATCH, MATCH.twin, unaligned)
    assert not breaks(MATCH, MATCH.function, unaligned)


def test_only_a_confirmation_over_all_paths_passes_the_gate() -> None:
    assert judge(PAGES, PAGES.function, CONFIRMED).verdict == EXHAUSTED
    assert judge(PAGES, PAGES.function, replace(CONFIRMED, states=("CONFIRMED", "CONFIRMED"))).verdict == UNKNOWN


@pytest.mark.parametrize(
    ("explored", "note"),
    [
        (Explored(("CANNOT_CONFIRM",), ("Not confirmed.",), (), 900, 60.0), "Not confirmed."),
        (Explored(("PRE_UNSAT",), ("Unable to meet precondition.",), (), 0, 0.1), "no input was found within the bounds"),
        *((Explored((), (), (), 0, 0.1), "no answer"), (replace(CONFIRMED, paths=0), "never run")),
        (replace(CONFIRMED, states=("CONFIRMED", "CANNOT_CONFIRM"), messages=(*CONFIRMED.messages, "Not confirmed.")), "Not confirmed."),
        *((FAILED, "does not break the law"), (replace(FAILED, counterexamples=()), "false when calling")),
        (replace(FAILED, counterexamples=({"tokens": -1, "page": 4},)), "does not break the law"),
    ],
)
def test_an_answer_that_is_neither_confirmed_nor_reproduced_is_unknown(explored: Explored, note: str) -> None:
    judged = judge(PAGES, PAGES.function, explored)
    assert judged.verdict == UNKNOWN
    assert note in judged.note


def test_a_counterexample_also_counts_if_the_function_raises() -> None:
    assert judge(PAGES, PAGES.twin, FAILED) == Judged(REFUTED, "the law is false", FIVE_IN_FOURS)
    assert judge(PAGES, lambda tokens, page: tokens // 0, FAILED).note.startswith("raised ZeroDivisionError")


def test_a_contract_with_empty_bounds_is_unknown() -> None:
    empty = replace(PAGES, bounds={**PAGES.bounds, "page": (5, 4)})
    judged = judge(empty, empty.function, explore(empty, empty.function, 5))
    assert judged.verdict == UNKNOWN
    assert "would be vacuous" in judged.note


def test_a_search_that_runs_out_of_time_is_unknown() -> None:
    hard = CONTRACTS["EvictionHeap.pop_victim"]
    assert judge(hard, hard.function, explore(hard, hard.function, 0.3)).verdict == UNKNOWN


def test_the_exit_status_is_1_for_a_refutation_and_3_for_an_unknown_or_vacuous_contract() -> None:
    right, wrong, unknown = Judged(EXHAUSTED), Judged(REFUTED, "", FIVE_IN_FOURS), Judged(UNKNOWN)
    good = Decided(PAGES, right, wrong, 1, 0.1)

    assert (status([good]), status([])) == (0, 3)
    for bad in (replace(good, judged=unknown), replace(good, twin=right), replace(good, twin=unknown)):
        assert status([good, bad]) == 3
    assert status([replace(good, judged=unknown), replace(good, judged=wrong)]) == 1


def test_the_text_of_the_bounds_is_what_is_checked() -> None:
    assert PAGES.bound() == "tokens >= 0, page 1..8"
    assert PAGES.within({"tokens": 10**9, "page": 8})
    assert not PAGES.within({"tokens": 0, "page": 9})
    assert not PAGES.within({"tokens": -1, "page": 1})


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
def test_every_contract_holds_for_the_least_integers(contract: Contract) -> None:
    """The function accepts the stand-ins for its arguments."""
    least = {name: contract.bounds.get(name, (1, None))[0] for name in contract.arguments().parameters}
    assert contract.law(contract.function, **least)


@pytest.mark.slow
def test_every_contract_is_confirmed_within_its_bounds_and_every_twin_refuted(command: Command) -> None:
    ran = command("contracts", "--json")
    assert (ran.status, len(ran.json)) == (0, 23)
    assert {(row["verdict"], row["twin"]["verdict"]) for row in ran.json} == {("EXHAUSTED", "REFUTED")}
