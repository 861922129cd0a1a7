"""Claims that give reasons to trust the proofs: no proof about a step is vacuous, and no formula is always true.

Three kinds of wrong claims, each refuted by a small state that is run in Python:

    NEVER-<step>     the step is never allowed where all formulas hold: then every proof about the step would be vacuous
    ALWAYS-<ID>      the formula holds wherever all others hold: then it would be redundant
    WITHOUT-<ID>     a proof that uses the formula also holds without it: then a missing formula would not be noticed
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import Term, forall, lift
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.signature import POS, TREE, cached, owner, page
from radixcheck.spec.transitions import CACHE
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs.claim import Claim, but, given
from radixcheck.verification.proofs.conditions import Condition, preserved, state_formulas
from radixcheck.verification.proofs.proof_results import REFUTED

# A cell that rests on the formula. On ATTRIBUTE_MONO and CREATION_CHAIN nothing does: they are promises for their own sake.
RESTING = {
    "NO_ORPHAN": "begin/NO_UAF",
    "COVER": "split/PARENT",
    "PARENT": "evict/NO_ORPHAN",
    "CHILD_KEY": "evict/NO_ORPHAN",
    "PAGE_ALIGN": "fill/MATCH_SOUND",
    "LOCK_COUNT": "release/LOCK_NONNEG",
    "LOCK_NONNEG": "begin/COUNT",
    "LOCK_SPAN": "extend/NO_UAF",
    "MATCH_SOUND": "evict/COUNT",
    "NO_UAF": "grow/MATCH_SOUND",
    "CLOCK": "touch/TIME_CHAIN",
}
HEAPS = ("lru", "mru")  # under mru a touch makes a key smaller, so that it pushes at once
# Of two formulas one follows from the other: it fails only where that one does.
TOGETHER = {"LOCK_NONNEG": "LOCK_COUNT", "ISOLATION": "MATCH_SOUND", "MATCH_SOUND": "ISOLATION"}
# A free slot holds nothing that could be read.
_OWNED = forall(POS, lambda q: cached(q) >> (owner(page(q)) == TREE))
_NO_RUN = "the mutant that each property names is the cache that breaks it"


def trust(claims: Iterable[Claim] = ()) -> Iterator[Claim]:
    """Yield every claim of the three kinds. Those without a formula are about the given claims, too, where they say what they need."""
    for step in CACHE:
        yield _never(step.name, step, given())
    for policy in HEAPS:
        for step in heap_machine(POLICIES[policy]):
            if step not in CACHE:
                yield _never(f"{policy}-{step.name}", step, given(POLICIES[policy], heap=True))
    yield from _always()
    yield from _without(claims)


def _never(name: str, step: Transition, hypotheses: Mapping[str, Term]) -> Claim:
    """The step is run on the state that refutes the claim; what holds after it does not matter here."""
    condition = Condition(name, lift(False), step, {**hypotheses, "guard": step.guard}, (lift(False),), ())
    return Claim(f"NEVER-{name}", f"No state in which all formulas hold allows {name}.", "", condition, REFUTED, _NO_RUN)


def _always() -> Iterator[Claim]:
    for property_ in STATE_FORMULAS:
        formulas = state_formulas(heap=property_.heap)
        with_it = TOGETHER.get(property_.id, "")
        others = but(formulas, property_.id, *filter(None, (with_it,)))
        if property_.id == "ISOLATION":
            others["OWNED"] = _OWNED
        condition = Condition(property_.id, formulas[property_.id], None, others, (formulas[property_.id],), ())
        words = f"Where all other formulas{f' but {with_it}' if with_it else ''} hold, this one does: {property_.sentence}"
        yield Claim(f"ALWAYS-{property_.id}", words, "", condition, REFUTED, _NO_RUN)


def _without(claims: Iterable[Claim]) -> Iterator[Claim]:
    formulas, steps = state_formulas(), {step.name: step for step in CACHE}
    for id_, cell in RESTING.items():
        step, _, kept = cell.partition("/")
        others = but(formulas, id_, *(each for each in (TOGETHER.get(id_),) if each))
        yield _missing(id_, cell, preserved(kept, formulas[kept], steps[step], others))
    for claim in claims:
        for id_ in claim.needs:
            hypotheses = {name: term for name, term in claim.condition.hypotheses.items() if name not in (id_, "NO_TIES")}
            yield _missing(id_, claim.id, replace(claim.condition, hypotheses=hypotheses))


def _missing(id_: str, cell: str, condition: Condition) -> Claim:
    return Claim(f"WITHOUT-{id_}", f"{cell} holds even if {id_} does not.", "", condition, REFUTED, _NO_RUN)
