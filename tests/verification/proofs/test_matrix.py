"""The matrix of conditions: its cells, the expected verdicts, and how an unexpected verdict is reported."""

import json
from itertools import chain, permutations
from pathlib import Path

import pytest
from commands import Command

from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.signature import ENTRY
from radixcheck.spec.transitions import CACHE
from radixcheck.verification.proofs import proof_results as results
from radixcheck.verification.proofs import prove as campaign
from radixcheck.verification.proofs.matrix import matrix
from radixcheck.verification.proofs.proof_results import CONFIRMED, CONTRADICTED, PROVED, REFUTED, UNDECIDED, UNKNOWN
from radixcheck.verification.report.prove_view import prove
from radixcheck.verification.review_6907.claims import claims
from radixcheck.verification.review_6907.proof_suite import PROOFS
from radixcheck.verification.runs.evidence_results import ProveOutcome

CELLS = campaign.cells(PROOFS)
OF_HEAP = ("queued", "on", "first", "second", "entry")


def test_the_names_of_cells_are_unique() -> None:
    assert len(CELLS) == len(matrix(claims())) > 380


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_heap_machine_changes_what_the_cache_machine_changes(policy: Policy) -> None:
    machine = {step.name: step for step in heap_machine(policy)}
    for step in CACHE:
        kept = tuple(update for update in machine[step.name].updates if update.function.name not in OF_HEAP)
        assert kept == step.updates
        assert machine[step.name].forgets == step.forgets
        guard = machine[step.name].guard
        assert guard is step.guard or guard.args[0] is step.guard  # with a conjunct added
    for name in machine.keys() - {step.name for step in CACHE}:
        assert {update.function.name for update in machine[name].updates} <= {*OF_HEAP}
        assert any(p.sort == ENTRY for p in machine[name].parameters) or name == "tidy"


def made(name: str, verdicts: tuple[str, ...]) -> results.Campaign:
    cell = CELLS[name]
    decided = tuple(results.Decided(word, seed, 0.1, ()) for seed, word in enumerate(verdicts))
    result = results.Result(
        name, cell.formula, cell.transition, cell.policy, cell.expected, cell.sentence, cell.questions, decided, None, None
    )
    return results.Campaign((result,), (), tuple(range(len(verdicts))), 1.0, "z3", (), ())


@pytest.mark.parametrize(
    ("name", "verdicts", "status"),
    [
        *(("evict/COUNT", (PROVED, PROVED), 0), ("evict/COUNT", (PROVED, UNKNOWN), 3), ("evict/COUNT", (REFUTED,), 1)),
        *(("Q1-EQUAL", (REFUTED,), 0), ("Q1-EQUAL", (PROVED,), 1), ("Q1-EQUAL", (UNKNOWN,), 3)),
    ],
)
def test_the_status_depends_on_the_expected_verdicts(name: str, verdicts: tuple[str, ...], status: int) -> None:
    assert ProveOutcome(made(name, verdicts)).status == status


def test_an_unexpected_verdict_is_shown_with_each_seed() -> None:
    parts = prove(ProveOutcome(made("evict/COUNT", (PROVED, UNKNOWN))))
    assert any("seed 1: UNKNOWN" in str(getattr(part, "renderable", "")) for part in parts)


def test_the_command_proves_the_chosen_conditions_and_stores_them(tmp_path: Path, command: Command) -> None:
    arguments = ("--property", "NO_ORPHAN", "--transition", "evict", "--seeds", "2", "--jobs", "1")
    assert command("prove", *arguments, "--store", tmp_path / "proofs.json").status == 0
    (cell,) = json.loads((tmp_path / "proofs.json").read_text())["cells"]
    assert (cell["name"], cell["verdict"], len(cell["decided"])) == ("evict/NO_ORPHAN", PROVED, 2)
    assert cell["decided"][0]["hypotheses"]


def test_the_choice_does_not_depend_on_the_order_of_options(command: Command) -> None:
    options = [["--property", "ORDER-mru"], ["--policy", "mru"], ["--transition", "evict"]]
    for order in permutations(options):
        cells = command("prove", "--json", *chain.from_iterable(order)).json["cells"]
        assert [cell["name"] for cell in cells] == ["ORDER-mru"]


def test_a_cell_about_any_policy_is_chosen_with_each_policy() -> None:
    names = campaign.chosen(PROOFS, (), ("touch",), ("mru",))
    assert {"touch/HEAP_STALE", "LAZY-mru"} <= set(names)
    assert "LAZY-lru" not in names
    assert "touch/COUNT" not in names


def test_a_contradiction_of_the_second_solver_fails_and_an_undecided_answer_does_not() -> None:
    found = made("evict/COUNT", (PROVED,))
    undecided, against = (ProveOutcome(found, (results.Opinion("evict/COUNT", answer, 1.0),)) for answer in (UNDECIDED, CONTRADICTED))

    assert (undecided.status, against.status) == (0, 1)
    assert "0 of 1" in str(prove(undecided)[-1])
    assert "1 contradicted" in str(prove(against)[-1])


def test_the_second_solver_gets_only_the_conditions_to_prove() -> None:
    opinions = campaign.second_opinions(PROOFS, ["evict/NO_ORPHAN", "Q1-EQUAL"], 1, lambda share, what: None)
    assert [(opinion.name, opinion.answer) for opinion in opinions] == [("evict/NO_ORPHAN", CONFIRMED)]
