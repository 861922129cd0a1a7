"""The device and the host tier (C10): which formulas of the cache without a host tier hold of each, and what a host tier adds to its steps.

A formula is read of one tier alone: the positions that the tier holds take the place of the cached ones, and only the nodes that it holds
are nodes.
"""

from collections.abc import Iterator

from radixcheck.spec.host.backups import ACK_SAVE, FAIL_SAVE, RESERVE, SEND
from radixcheck.spec.host.host_signature import HOST_PAGE, IDLE, host_owner, hosted, resident, stage
from radixcheck.spec.host.host_transitions import DELETE, DEMOTE, DROP_HOST, EVICT_HOST, REVIVE
from radixcheck.spec.host.loads import ACK_LOAD, CANCEL_LOAD, FAIL_LOAD, LOAD, PIN, TIERED
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import BOOL, Term, conj, forall
from radixcheck.spec.signature import FREE, OWN, POS, REQUEST, cached, held
from radixcheck.spec.transitions import CACHE, EVICT
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs.claim import Claim, but
from radixcheck.verification.proofs.conditions import LRU
from radixcheck.verification.proofs.host_conditions import WRITE_BACK, WRITE_THROUGH, host_follows, host_given, host_preserved
from radixcheck.verification.proofs.proof_results import REFUTED
from radixcheck.verification.proofs.step_postconditions import STEPS
from radixcheck.verification.proofs.tier_reading import ON_DEVICE, ON_HOST

# Of locks, sizes and holders the host tier has its own formulas.
DEVICE_ALONE = ("LOCK_COUNT", "LOCK_NONNEG", "LOCK_SPAN", "COUNT", "SLOT_PARTITION", "NO_UAF")
GAPS = ("NO_ORPHAN", "PARENT")  # what write-back breaks on the host tier, which may hold the end of a prefix alone
_NO_RUN = "the counterexample has a host tier in the write-back mode, and is a correct state of it"


def claims() -> Iterator[Claim]:
    """Yield the claims about the device tier, about the host tier, and about a cache that hosts nothing."""
    stated = {p.id: (p.sentence.partition(" In a program:")[0], p.formula(LRU)) for p in STATE_FORMULAS if p.formula and not p.heap}
    for id_, (sentence, formula) in stated.items():
        condition = host_follows(f"C10-DEVICE-{id_}", ON_DEVICE.of(formula), host_given())
        yield Claim(f"C10-DEVICE-{id_}", f"Of the device tier alone: {sentence}", "C10", condition)
    for id_, (sentence, formula) in stated.items():
        if id_ not in DEVICE_ALONE:
            condition = host_follows(f"C10-HOST-{id_}", ON_HOST.of(formula), WRITE_THROUGH)
            yield Claim(f"C10-HOST-{id_}", f"In the write-through modes, of the host tier alone: {sentence}", "C10", condition)
    for id_ in GAPS:
        sentence, formula = stated[id_]
        condition = host_follows(f"C10-BACK-{id_}", ON_HOST.of(formula), WRITE_BACK)
        yield Claim(f"C10-BACK-{id_}", f"In the write-back mode, of the host tier alone: {sentence}", "C10", condition, REFUTED, _NO_RUN)
    yield from _evictions()
    yield from _nothing_hosted()


def _evictions() -> Iterator[Claim]:
    for step, words in ((DEMOTE, "demotes a node, which the host keeps,"), (DELETE, "deletes a node, which the host does not have,")):
        id_ = f"C10-{step.name.upper()}"
        yield Claim(
            id_,
            f"A step that {words} is an eviction of a cache without a host tier on the device: exactly the tokens of this node are no "
            "longer resident, and the slots of all others, the holders and the clock stay as they are.",
            "C10",
            host_preserved(id_, ON_DEVICE.of(STEPS["evict"]), step, host_given()),
        )


NOTHING_HOSTED = forall(POS, lambda q: ~hosted(q))
NO_COPY = forall(REQUEST, lambda g: held(g) >> (stage(g) == IDLE))
NO_HOST_PAGE = forall(HOST_PAGE, lambda t: (host_owner(t) != FREE) & (host_owner(t) != OWN))


def _nothing_hosted() -> Iterator[Claim]:
    hosts_nothing = host_given() | {"NOTHING_HOSTED": NOTHING_HOSTED}
    yield Claim(
        "TODAY-CACHED",
        "While nothing is hosted, exactly the cached positions are resident.",
        "C10",
        host_follows("TODAY-CACHED", forall(POS, lambda q: cached(q) == resident(q)), hosts_nothing),
    )
    taken = [_forall(step, step.guard == today.guard) for step, today in _todays()]
    yield Claim(
        "TODAY-STEPS",
        "While nothing is hosted and no copy is prepared or in flight, each step that a cache without a host tier has too is allowed in "
        "exactly the same states as there, and a deletion in exactly those in which an eviction is allowed there.",
        "C10",
        host_follows("TODAY-STEPS", conj(*taken), hosts_nothing | {"NO_COPY": NO_COPY}),
    )
    never = [_forall(step, ~step.guard) for step in COPYING]
    yield Claim(
        "TODAY-NO-COPY",
        "While nothing is hosted and no host page is free or reserved, no host page can be reserved, and nothing can be sent, "
        "acknowledged, pinned, loaded, revived, demoted or evicted from the host.",
        "C10",
        host_follows("TODAY-NO-COPY", conj(*never), but(hosts_nothing, "HOST_PARTITION") | {"NO_HOST_PAGE": NO_HOST_PAGE}),
    )


COPYING = (REVIVE, DEMOTE, EVICT_HOST, DROP_HOST, RESERVE, SEND, ACK_SAVE, FAIL_SAVE, PIN, LOAD, ACK_LOAD, FAIL_LOAD, CANCEL_LOAD)


def _todays() -> Iterator[tuple[Transition, Transition]]:
    """Yield each step of the host machine that a cache without a host tier has, too, with the step there."""
    there = {step.name: step for step in CACHE} | {DELETE.name: EVICT}
    yield from ((step, there[step.name]) for step in TIERED if step.name in there)


def _forall(step: Transition, claim: Term) -> Term:
    return Term("forall", (step.parameters, claim), BOOL) if step.parameters else claim
