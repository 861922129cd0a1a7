"""Conditions about events: each step of the event machine keeps the formulas of events, and ids are unique. Wrong variants are refuted.

    EVENT_REPLAY, EVENT_PARENT, EVENT_ORDER    kept by every step, on one tier and on two
    EVENT_ID                                   follows from what an id is a digest of, by induction along a path

In a wrong variant a step emits something else, or is taken too early; or an id leaves out a part of what it stands for. Each is refuted by
a state in which all formulas hold, and on which the step was run.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from radixcheck.spec.events.event_invariants import EVENT_FORMULAS, HOST_EVENT_FORMULAS
from radixcheck.spec.events.event_machine import EMITS, HOST_EMITS, Emission, emitting
from radixcheck.spec.events.event_signature import (
    DIGEST,
    INPUTS,
    POSITIONS,
    announced,
    digest,
    page_id,
    same_namespace,
    same_parent,
    same_tokens,
)
from radixcheck.spec.events.event_values import Cleared, Removed, Stored
from radixcheck.spec.host.host_signature import aim, floor, hosted, resident
from radixcheck.spec.host.host_transitions import DEMOTE, EVICT_HOST
from radixcheck.spec.host.loads import LOAD
from radixcheck.spec.logic import Term, forall, var
from radixcheck.spec.signature import POS, cached, eps, lock, node, up
from radixcheck.spec.transitions import EVICT, GROW, RELEASE, RESET, SPLIT, c, h, m, n
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs.claim import Claim
from radixcheck.verification.proofs.conditions import LRU, Condition, follows, preserved, state_formulas, theorems
from radixcheck.verification.proofs.host_conditions import host_given, host_preserved
from radixcheck.verification.proofs.laws import first_failure
from radixcheck.verification.proofs.proof_results import HOST, REFUTED

UNIQUE = "EVENT_ID"
_NO_RUN = "the mutant that each property names is the cache that breaks it"


@cache
def event_formulas(host: bool = False) -> dict[str, Term]:
    """Return the formulas that steps keep. All conditions share the result: do not write to it."""
    stated = HOST_EVENT_FORMULAS if host else EVENT_FORMULAS
    return {p.id: p.formula(LRU) for p in stated if p.formula is not None and p.id != UNIQUE}


@cache
def event_given(host: bool = False) -> dict[str, Term]:
    """Return all formulas of the event machine, with the theorems. All conditions share the result: do not write to it."""
    return (host_given() if host else state_formulas() | theorems()) | event_formulas(host)


def event_preserved(id_: str, step: Transition, host: bool = False) -> Condition:
    """Return the condition that a step of the event machine keeps a formula of events."""
    keeps = host_preserved if host else preserved
    return keeps(id_, event_formulas(host)[id_], step, event_given(host))


def unique_ids(digest_: Term = DIGEST) -> Condition:
    """Return the condition that no two cached positions have the same id: where two do, the pages before them do, too."""
    (unique,) = (p.formula(LRU) for p in EVENT_FORMULAS if p.id == UNIQUE and p.formula is not None)

    def alone(p: Term) -> Term:
        return forall(POS, lambda q: (cached(q) & (page_id(p) == page_id(q))) >> (p == q))

    given = {id_: state_formulas()[id_] for id_ in ("NO_ORPHAN", "COVER", "PAGE_ALIGN")} | {"DIGEST": digest_, "POSITIONS": POSITIONS}
    return follows(UNIQUE, unique, given).with_laws(first_failure(alone, var("p_goal", POS)))


# Wrong variants.


def _wrong_steps() -> Iterator[tuple[str, str, str, Transition]]:
    """Yield the name, the sentence, the formula that fails, and the step of each variant on one tier."""
    leaves, joins = EMITS["evict"], EMITS["grow"]
    inner = emitting(replace(EVICT, guard=node(n) & (lock(n) == 0)), leaves)
    yield "SPLIT", "A split may emit that the part below is removed.", "EVENT_REPLAY", emitting(SPLIT, Emission(Removed, announced, m, c))
    yield "LOST", "The event of a new node may be lost.", "EVENT_REPLAY", GROW
    yield "UNCLEARED", "A reset may emit nothing.", "EVENT_REPLAY", RESET
    yield "CLEARED", "A release may emit that all is cleared.", "EVENT_REPLAY", emitting(RELEASE, Emission(Cleared))
    yield "AGAIN", "A new node may be stored with all pages before it.", "EVENT_ORDER", emitting(GROW, replace(joins, low=eps))
    yield "INNER", "A node may be removed before its children.", "EVENT_PARENT", inner


def _wrong_host_steps() -> Iterator[tuple[str, str, str, Transition]]:
    """Yield the same of variants on two tiers."""
    early, kept = Emission(Stored, announced, floor(h), aim(h)), HOST_EMITS["demote"]
    above = emitting(replace(DEMOTE, guard=node(n) & resident(n) & hosted(n) & (lock(n) == 0)), kept)
    both = emitting(EVICT_HOST, HOST_EMITS["evict_host"], Emission(Removed, announced, up(n), n))
    yield "ISSUED", "A load may be announced when it is issued.", "EVENT_REPLAY", emitting(LOAD, early)
    yield "DEMOTED", "A demotion may emit nothing: the host has the page still.", "EVENT_REPLAY", DEMOTE
    yield "ABOVE", "A node may leave the device before those below it.", "EVENT_PARENT", above
    yield "BOTH", "An eviction from the host may be announced of both tiers.", "EVENT_ORDER", both


_FORGOTTEN = {
    "ID-NAMESPACE": ("An id may forget the namespace.", same_namespace),
    "ID-ALONE": ("An id may forget the pages before.", same_parent),
    "ID-REUSED": ("An id may be used again for another page.", same_tokens),
}


def event_claims() -> Iterator[Claim]:
    """Yield the claim of each wrong variant, which is refuted."""
    for host, variants in ((False, _wrong_steps()), (True, _wrong_host_steps())):
        for name, sentence, id_, step in variants:
            yield Claim(
                f"EVENT-{name}", f"{sentence} Then {HOST * host}{id_} is kept.", "", event_preserved(id_, step, host), REFUTED, _NO_RUN
            )
    for name, (sentence, part) in _FORGOTTEN.items():
        rest = tuple(same for same in INPUTS if same is not part)
        yield Claim(f"EVENT-{name}", f"{sentence} Then {UNIQUE} follows.", "", unique_ids(digest(rest)), REFUTED, _NO_RUN)
