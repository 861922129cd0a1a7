"""The text for a second solver: Z3 parses and proves it, cvc5 confirms it, and a planted fault is not confirmed."""

import re
from dataclasses import replace

import pytest

from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.logic import INT, Term, conj, lift, old, var
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.signature import POS, leaf, lock, node, page
from radixcheck.spec.transitions import CACHE, EVICT, GROW, SPLIT, m, n
from radixcheck.spec.updates import Transition, at_point
from radixcheck.verification.proofs.conditions import LRU, Condition, all_conditions, follows, preserved, state_formulas, theorems
from radixcheck.verification.proofs.proof_results import CONFIRMED, CONTRADICTED
from radixcheck.verification.proofs.second_solver import ask, confirm
from radixcheck.verification.proofs.smtlib import Printer, script
from radixcheck.verification.proofs.z3_reader import z3

HYPOTHESES = state_formulas(heap=True) | theorems()
FORMULAS = HYPOTHESES | {p.id: p.formula(LRU) for p in POSTCONDITIONS if p.formula is not None}
TOUCH_HEAP = next(step for step in heap_machine(LRU) if step.name == "touch")

FORGETS_LOCK = replace(SPLIT, updates=(*(u for u in SPLIT.updates if u.function is not lock), at_point(lock, m, 0)))
EVICTS_LOCKED = replace(EVICT, guard=node(n) & leaf(n))


def kept(step: Transition, id_: str) -> Condition:
    """One formula kept by one transition."""
    return preserved(id_, FORMULAS[id_], step, HYPOTHESES)


PROVED = [
    *(kept(SPLIT, "LOCK_COUNT"), kept(GROW, "COUNT")),  # sums, with and without holes
    *(kept(EVICT, "NO_ORPHAN"), kept(TOUCH_HEAP, "HEAP_STALE")),
    follows("ISOLATION", theorems()["ISOLATION"], state_formulas()),
]


def texts(condition: Condition) -> list[str]:
    """One script for each goal, with all hypotheses."""
    return [script(condition, list(condition.hypotheses), goal) for goal in condition.goals]


@pytest.mark.parametrize("condition", PROVED, ids=lambda c: c.name)
def test_a_second_solver_confirms_a_proof(condition: Condition) -> None:
    assert confirm(condition) == CONFIRMED


@pytest.mark.parametrize("condition", PROVED, ids=lambda c: c.name)
def test_z3_reads_the_text_and_proves_it_too(condition: Condition) -> None:
    for text in texts(condition):
        context = z3.Context()
        solver = z3.SimpleSolver(ctx=context)
        solver.set(auto_config=False, mbqi=False, timeout=10_000)
        solver.add(z3.parse_smt2_string(text, ctx=context))

        assert solver.check() == z3.unsat


@pytest.mark.parametrize(("step", "id_"), [(FORGETS_LOCK, "LOCK_COUNT"), (EVICTS_LOCKED, "EVICT_UNLOCKED")])
def test_a_second_solver_contradicts_a_planted_fault(step: Transition, id_: str) -> None:
    assert confirm(kept(step, id_), seconds=2) == CONTRADICTED


def absurd(step: Transition) -> Condition:
    """The assumptions of the proofs with sums about a transition, and a goal that never holds."""
    counted = [preserved("", FORMULAS[id_], step, {}) for id_ in ("COUNT", "LOCK_COUNT")]
    laws = [law for condition in counted for goal in condition.goals for law in condition.laws_for(goal)]
    return Condition("absurd", conj(), step, HYPOTHESES | {"guard": step.guard}, (~conj(),), tuple(laws))


@pytest.mark.slow
def test_a_second_solver_finds_the_assumptions_satisfiable() -> None:
    assert confirm(absurd(EVICT), seconds=8) == CONTRADICTED


@pytest.mark.slow
@pytest.mark.parametrize("step", CACHE, ids=lambda step: step.name)
def test_a_second_solver_finds_the_assumptions_about_each_step_satisfiable(step: Transition) -> None:
    assert confirm(absurd(step), seconds=10) == CONTRADICTED


@pytest.mark.slow
def test_a_second_solver_confirms_every_proof_of_the_cache_machine() -> None:
    found = {condition.name: confirm(condition) for condition in all_conditions(LRU, CACHE, False)}
    assert {name for name, answer in found.items() if answer != CONFIRMED} == set()
    assert len(found) > len(CACHE)


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_a_second_solver_confirms_the_proofs_of_the_heap(policy: Policy) -> None:
    formulas = state_formulas(policy, heap=True)
    given = formulas | theorems(policy)
    of_heap = {id_: formulas[id_] for id_ in ("HEAP_FULL", "HEAP_STALE")}
    found = {(step.name, id_): confirm(preserved(id_, f, step, given)) for step in heap_machine(policy) for id_, f in of_heap.items()}

    assert {name for name, answer in found.items() if answer != CONFIRMED} == set()
    assert len(found) == 2 * len(heap_machine(policy))


@pytest.mark.parametrize("condition", PROVED, ids=lambda c: c.name)
def test_each_symbol_is_declared_once_and_used(condition: Condition) -> None:
    words = {"assert", "and", "or", "not", "=>", "ite", "=", "<=", "<", "+", "-", "forall", "exists", "true", "false", "Int", "Bool"}
    for text in texts(condition):
        lines = [line for line in text.splitlines() if not line.startswith(";")]
        declared = [found[1] for line in lines if (found := re.match(r"\(declare-(?:sort|fun) (\|[^|]*\||\S+) ", line))]
        asserted = " ".join(line for line in lines if line.startswith("(assert"))
        used = {word for word in re.findall(r"\|[^|]*\||[^\s()]+", asserted) if not re.match(r"\|?[?]|\d", word)} - words
        functions = [name for name in declared if f"(declare-fun {name} " in text]

        assert len(set(declared)) == len(declared)
        assert used - set(declared) == set()
        assert set(functions) - used == set()


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        *((lift(-3) <= var("x", INT), "(<= (- 3) x)"), (var("a'", INT) == 0, "(= |a'| 0)"), (conj(), "true")),
        (page(var("x", POS)) == page(var("y", POS)), "(= (page x) (page y))"),
        (var("x", POS) < var("y", POS), "(and (prefix x y) (not (= x y)))"),
        (Term("forall", ((var("p'", POS),), node(var("p'", POS))), conj().sort), "(forall ((|?p'| Position)) (node |?p'|))"),
    ],
)
def test_a_term_is_written_in_standard_syntax(term: Term, expected: str) -> None:
    assert Printer().write(term) == expected


TWICE = [node(var("node", POS)), (var("x", INT) == 0) & node(var("x", POS))]  # a function and a constant; two sorts


@pytest.mark.parametrize("term", [old(var("x", INT)) == 0, var("a|b", INT) == 0, *TWICE])
def test_a_term_that_cannot_be_written_is_rejected(term: Term) -> None:
    with pytest.raises(ValueError, match=r"no operator|cannot write|two symbols"):
        Printer().write(term)


@pytest.mark.parametrize("text", ["(assert x)", "(set-logic UFLIA)", "(set-logic UFLIA) (check-sat) (check-sat)"])
def test_a_script_without_exactly_one_query_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="cvc5 does not"):
        ask(text)
