"""The contracts on pure functions: what is confirmed, what is refuted, and which answers of CrossHair do not pass the gate."""

import json
from dataclasses import replace

import pytest

from radixcheck.verification.cli.app import run
from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.crosshair_run import Explored, explore
from radixcheck.verification.contracts.gate import EXHAUSTED, REFUTED, UNKNOWN, Judged, breaks, judge
from radixcheck.verification.contracts.run_contracts import CONTRACTS, Decided, decide, status

PAGES = CONTRACTS["pages_for"]
MATCH = CONTRACTS["shared_tokens"]

CONFIRMED = Explored(("CONFIRMED",), ("Confirmed over all paths.",), (), 16, 0.1)
FIVE_IN_FOURS = {"tokens": 5, "page": 4}  # of which the twin forgets the second page


def test_a_right_function_is_confirmed_over_all_paths_and_its_twin_refuted_by_integers_that_break_the_law() -> None:
    decided = decide(PAGES, 30)

    assert decided.judged == Judged(EXHAUSTED)
    assert decided.paths == 16
    assert decided.twin.verdict == REFUTED
    assert decided.twin.arguments is not None
    assert breaks(PAGES, PAGES.twin, decided.twin.arguments) == "the law is false"
    assert breaks(PAGES, PAGES.function, decided.twin.arguments) == ""


def test_a_key_that_ends_inside_a_page_is_not_matched_beyond_its_end() -> None:
    """The loop that steps by pages says 4 tokens of a key of 3."""
    unaligned = dict.fromkeys("abcdvwxy", 0) | {"size": 4, "after": 1, "start": 0, "page": 2}

    assert MATCH.twin((0, 0, 0, 0), (0, 0, 0), 0, 2) == 4
    assert MATCH.function((0, 0, 0, 0), (0, 0, 0), 0, 2) == 2
    assert breaks(MATCH, MATCH.twin, unaligned)
    assert not breaks(MATCH, MATCH.function, unaligned)


def test_only_a_confirmation_over_all_paths_passes_the_gate() -> None:
    assert judge(PAGES, PAGES.function, CONFIRMED).verdict == EXHAUSTED
    assert judge(PAGES, PAGES.function, replace(CONFIRMED, states=("CONFIRMED", "CONFIRMED"))).verdict == UNKNOWN


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Explored(("CANNOT_CONFIRM",), ("Not confirmed.",), (), 900, 60.0), "Not confirmed."),
        (Explored(("PRE_UNSAT",), ("Unable to meet precondition.",), (), 0, 0.1), "no input was found within the bounds"),
        (Explored((), (), (), 0, 0.1), "nothing was said"),
        (Explored(("CONFIRMED",), ("Confirmed over all paths.",), (), 0, 0.1), "never run"),
        (Explored(("CONFIRMED", "CANNOT_CONFIRM"), ("Confirmed over all paths.", "Not confirmed."), (), 9, 0.1), "Not confirmed."),
        (Explored(("POST_FAIL",), ("false when calling",), (), 9, 0.1), "false when calling"),
        (Explored(("POST_FAIL",), ("false when calling",), (FIVE_IN_FOURS,), 9, 0.1), "breaks nothing when it is run"),
        (Explored(("POST_FAIL",), ("false when calling",), ({"tokens": -1, "page": 4},), 9, 0.1), "breaks nothing when it is run"),
    ],
)
def test_what_is_not_confirmed_or_does_not_break_the_law_when_it_is_run_is_unknown(said: Explored, why: str) -> None:
    judged = judge(PAGES, PAGES.function, said)

    assert judged.verdict == UNKNOWN
    assert why in judged.note


def test_a_counterexample_that_breaks_the_law_counts_also_where_the_function_raises() -> None:
    found = Explored(("POST_FAIL",), ("false when calling",), (FIVE_IN_FOURS,), 9, 0.1)

    assert judge(PAGES, PAGES.twin, found) == Judged(REFUTED, "the law is false", FIVE_IN_FOURS)
    assert judge(PAGES, lambda tokens, page: tokens // 0, found).note.startswith("raised ZeroDivisionError")


def test_a_contract_whose_bounds_hold_nothing_is_unknown() -> None:
    empty = replace(PAGES, bounds={**PAGES.bounds, "page": (5, 4)})

    judged = judge(empty, empty.function, explore(empty, empty.function, 5))

    assert judged.verdict == UNKNOWN
    assert "hold of nothing" in judged.note


def test_a_search_that_runs_out_of_time_is_unknown() -> None:
    hard = CONTRACTS["EvictionHeap.pop_victim"]

    assert judge(hard, hard.function, explore(hard, hard.function, 0.3)).verdict == UNKNOWN


def test_the_exit_status_is_1_for_a_refutation_and_3_for_what_is_unknown_or_shows_nothing() -> None:
    right, wrong, unknown = Judged(EXHAUSTED), Judged(REFUTED, "", FIVE_IN_FOURS), Judged(UNKNOWN)
    good = Decided(PAGES, right, wrong, 1, 0.1)

    assert status([good]) == 0
    assert status([good, replace(good, judged=unknown)]) == 3
    assert status([good, replace(good, twin=right)]) == 3
    assert status([good, replace(good, twin=unknown)]) == 3
    assert status([replace(good, judged=unknown), replace(good, judged=wrong)]) == 1
    assert status([]) == 3


def test_the_bounds_are_said_as_they_are_checked() -> None:
    assert PAGES.bound() == "tokens >= 0, page 1..8"
    assert PAGES.within({"tokens": 10**9, "page": 8})
    assert not PAGES.within({"tokens": 0, "page": 9})
    assert not PAGES.within({"tokens": -1, "page": 1})


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
def test_every_contract_holds_of_the_least_integers(contract: Contract) -> None:
    """The function runs at all on what stands in for its arguments."""
    least = {name: contract.bounds.get(name, (1, None))[0] for name in contract.arguments().parameters}

    assert contract.law(contract.function, **least)


@pytest.mark.slow
def test_every_contract_is_confirmed_within_its_bounds_and_every_twin_refuted(capsys: pytest.CaptureFixture[str]) -> None:
    exit_status = run(["contracts", "--json"])
    rows = json.loads(capsys.readouterr().out)

    assert exit_status == 0
    assert len(rows) == 23
    assert {row["verdict"] for row in rows} == {"EXHAUSTED"}
    assert {row["twin"]["verdict"] for row in rows} == {"REFUTED"}
