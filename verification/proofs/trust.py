"""Why the proofs may be trusted: no step is proved of nothing, and no formula is true of everything.

Two kinds of wrong claims, each refuted by a small state that is run in Python:

    NEVER-<step>     the step is never allowed where all formulas hold: were it so, whatever is proved of the step would be empty
    ALWAYS-<ID>      the formula holds wherever all others do: were it so, it would say nothing of its own
"""

from collections.abc import Iterator, Mapping

from radixcheck.spec.heap import heap_machine
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import Term, lift
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.signature import TREE, cached, every, owner, page
from radixcheck.spec.transitions import CACHE, Transition
from radixcheck.verification.proofs.claims.claim import Claim, but, given
from radixcheck.verification.proofs.conditions import Condition, state_formulas
from radixcheck.verification.proofs.decide import REFUTED

PREFIXES = ("NEVER-", "ALWAYS-")  # of the ids
HEAPS = ("lru", "mru")  # under mru a touch makes a key smaller, so that it pushes at once
# Of two formulas one follows from the other: it fails only where that one does.
TOGETHER = {"LOCK_NONNEG": "LOCK_COUNT", "ISOLATION": "MATCH_SOUND", "MATCH_SOUND": "ISOLATION"}
# A free slot holds nothing that could be read.
_OWNED = every(lambda q: cached(q) >> (owner(page(q)) == TREE))
_NO_RUN = "the mutant that each property names is the cache that breaks it"


def trust() -> Iterator[Claim]:
    """Every such claim."""
    for step in CACHE:
        yield _never(step.name, step, given())
    for policy in HEAPS:
        for step in heap_machine(POLICIES[policy]):
            if step not in CACHE:
                yield _never(f"{policy}-{step.name}", step, given(POLICIES[policy], heap=True))
    yield from _always()


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
