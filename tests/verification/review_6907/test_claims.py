"""What reviewers asked: right claims are proved, wrong ones refuted by a small model and by a short run of a cache."""

import pytest

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.proofs import prove as campaign
from radixcheck.verification.proofs.decide import decide_each
from radixcheck.verification.proofs.models import model_of
from radixcheck.verification.proofs.proof_results import CONFIRMED, PROVED, REFUTED
from radixcheck.verification.proofs.refute import HOST_SIZES, SIZES, about_host, witness
from radixcheck.verification.proofs.second_solver import confirm
from radixcheck.verification.review_6907.claim_runs import CACHES
from radixcheck.verification.review_6907.claims import claims
from radixcheck.verification.review_6907.proof_suite import PROOFS
from radixcheck.verification.runs.countermodel import as_text

CLAIMS = {claim.id: claim for claim in claims()}
WRONG = [claim.id for claim in CLAIMS.values() if claim.expected == REFUTED]
RIGHT = [id_ for id_, claim in CLAIMS.items() if claim.expected == PROVED and id_.partition("-")[2] not in POLICIES]


def test_a_claim_is_one_sentence_and_a_wrong_one_has_a_cache_or_a_reason() -> None:
    assert len(CLAIMS) == len(list(claims())) >= 60
    assert [id_ for id_, claim in CLAIMS.items() if not claim.sentence.endswith(".")] == []
    assert [id_ for id_ in WRONG if bool(CLAIMS[id_].no_run) == (id_ in CACHES)] == []
    assert CACHES.keys() - {*WRONG} == set()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_claim_is_refuted_by_a_model_of_few_nodes(name: str) -> None:
    (result,) = campaign.decide_here(PROOFS, [name], (0,))

    assert result.as_expected
    assert result.model is not None
    assert 1 <= len(result.model.before.seen.nodes) <= 3
    if name in CACHES:
        assert result.run is not None
        assert 1 <= len(result.run.operations) <= 4


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_claim_is_proved_with_each_seed(name: str) -> None:
    assert [v.verdict for v in decide_each(CLAIMS[name].condition, (0, 1))] == [PROVED, PROVED]


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_claim_is_not_true_for_want_of_cases(name: str) -> None:
    """What is assumed holds in some state, together with what each goal asks for first."""
    condition = CLAIMS[name].condition
    premises = {id(asked): [asked] for goal in condition.goals if goal.op == "implies" for asked in goal.args[:1]}

    sizes = HOST_SIZES if about_host(condition) else SIZES
    for asked in premises.values() or [[]]:
        given = [*condition.hypotheses.values(), *asked]
        assert any(witness(given, size, seed=0, seconds=5) is not None for size in sizes)


@pytest.mark.parametrize("name", ["Q1-NEEDED", "LAZY-ONLY-IF", "HEAP-PROGRESS", "Q4-AT-FREE", "Q7-CHILD-KEY", "DEEPEST"])
def test_a_second_solver_confirms_a_right_claim(name: str) -> None:
    assert confirm(CLAIMS[name].condition) == CONFIRMED


def times(name: str) -> list[float]:
    """Of the nodes, parents first, after the step of a claim's counterexample."""
    (verdict,) = decide_each(CLAIMS[name].condition, (0,))
    assert verdict.counterexample is not None
    return [node.time for node in model_of(CLAIMS[name].condition, verdict.counterexample).after.seen.nodes]


def test_the_least_entry_may_be_an_internal_nodes_where_two_times_are_equal_or_the_parent_is_read_first() -> None:
    equal, parent_first = times("Q1-EQUAL"), times("Q1-PARENT-FIRST")
    assert len(equal) > len(set(equal))
    assert min(parent_first) == parent_first[0] < parent_first[-1]


def worded_model(name: str) -> str:
    (result,) = campaign.decide_here(PROOFS, [name], (0,))
    assert result.model is not None
    return as_text(result.model)


def test_a_model_shows_the_sizes_that_go_wrong() -> None:
    before, after = worded_model("Q4-TWICE").split("the claim fails")

    (sizes,) = (line for line in before.splitlines() if "free " in line)
    assert sizes.endswith("evictable 2  protected 0")
    assert "evicted" in after
    assert "evictable -2" in after


def test_a_model_shows_which_entry_has_grown_old_and_a_model_of_a_state_is_one_picture() -> None:
    assert worded_model("LAZY-mru").partition("the claim fails at")[2].count("stale: its key is old") == 1
    assert worded_model("Q3-TAIL").startswith("a state: the claim fails at n = ")
