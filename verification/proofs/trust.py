"""Claims that give reasons to trust the proofs: no proof about a step is vacuous, and no formula is always true.

Three kinds of wrong claims, each refuted by a small state that is run in Python:

    NEVER-<step>     the step is never allowed where all formulas hold: then every proof about the step would be vacuous
    ALWAYS-<ID>      the formula holds wherever all others hold: then it would be redundant
    WITHOUT-<ID>     a proof that uses the formula also holds without it: then a missing formula would not be noticed

Those about the host machine have `host:` before the step or the formula, those about events name a formula of events or a step that emits.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from radixcheck.spec.events.event_invariants import EVENT_FORMULAS, HOST_EVENT_FORMULAS
from radixcheck.spec.events.event_machine import EMITS, EVENT_MACHINE, HOST_EMITS, HOST_EVENT_MACHINE
from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.host.copy_invariants import HOST_STATE_FORMULAS
from radixcheck.spec.host.host_signature import resident
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import Term, forall, lift
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.property import Property
from radixcheck.spec.signature import POS, TREE, cached, owner, page
from radixcheck.spec.transitions import CACHE
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs.claim import Claim, but, given
from radixcheck.verification.proofs.conditions import DERIVED, Condition, preserved, state_formulas
from radixcheck.verification.proofs.event_conditions import event_formulas, event_given, event_preserved
from radixcheck.verification.proofs.host_conditions import host_formulas, host_given, host_preserved, host_theorems
from radixcheck.verification.proofs.proof_results import HOST, REFUTED

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
# The same of the host machine. On COUNT, HOST_COUNT and ARRIVED_BEFORE_READ nothing else rests, on HOST_CLOSED a claim does. What rests
# on the partitions of slots cannot be run: a step looks for the slots of a node by their positions.
HOST_RESTING = {
    "REACHABLE": "delete/DEVICE_CLOSED",
    "UNIFORM": "delete/REACHABLE",
    "DEVICE_CLOSED": "begin/NO_UAF",
    "MATCH_SOUND": "demote/COUNT",
    "HOST_SOUND": "ack_load/MATCH_SOUND",
    "NO_UAF": "grow/MATCH_SOUND",
    "PIN_COUNT": "evict_host/SOURCE",
    "ARRIVAL": "save/SOURCE",
    "HOST_ARRIVAL": "pin/SOURCE",
    "SPAN": "load/LOCK_SPAN",
    "SOURCE": "ack_load/MATCH_SOUND",
    "TARGET": "fail_load/SLOT_PARTITION",
}
# The same of events, on one tier and on two. On EVENT_PARENT and EVENT_ORDER nothing rests: they are promises for their own sake.
EVENTS_RESTING = {False: "grow/EVENT_ORDER", True: "ack_load/EVENT_ORDER"}
HEAPS = ("lru", "mru")  # under mru a touch makes a key smaller, so that it pushes at once
# Of two formulas one follows from the other: it fails only where that one does.
TOGETHER = {"LOCK_NONNEG": "LOCK_COUNT", "ISOLATION": "MATCH_SOUND", "MATCH_SOUND": "ISOLATION", "EVENT_PARENT": "EVENT_REPLAY"}
# A free slot holds nothing that could be read.
_OWNED = forall(POS, lambda q: cached(q) >> (owner(page(q)) == TREE))
_RESIDENT_OWNED = forall(POS, lambda q: resident(q) >> (owner(page(q)) == TREE))
_NO_RUN = "the mutant that each property names is the cache that breaks it"


def trust(claims: Iterable[Claim] = ()) -> Iterator[Claim]:
    """Yield every claim of the three kinds. Those without a formula are about the given claims, too, where they say what they need."""
    for step in CACHE:
        yield _never(step.name, step, given())
    for policy in HEAPS:
        for step in heap_machine(POLICIES[policy]):
            if step not in CACHE:
                yield _never(f"{policy}-{step.name}", step, given(POLICIES[policy], heap=True))
    for step in TIERED:
        yield _never(f"{HOST}{step.name}", step, host_given())
    yield from _always()
    yield from _host_always()
    yield from _without(claims)
    yield from _host_without()
    for host in (False, True):
        yield from _of_events(host)


def _never(name: str, step: Transition, hypotheses: Mapping[str, Term]) -> Claim:
    """The step is run on the state that refutes the claim; what holds after it does not matter here."""
    condition = Condition(name, lift(False), step, {**hypotheses, "guard": step.guard}, (lift(False),), ())
    return Claim(f"NEVER-{name}", f"No state in which all formulas hold allows {name}.", "", condition, REFUTED, _NO_RUN)


def _always() -> Iterator[Claim]:
    for property_ in STATE_FORMULAS:
        yield _fails(property_.id, property_, state_formulas(heap=property_.heap), _OWNED)


def _host_always() -> Iterator[Claim]:
    formulas = host_formulas() | {id_: host_theorems()[id_] for id_ in DERIVED}
    for property_ in HOST_STATE_FORMULAS:
        yield _fails(f"{HOST}{property_.id}", property_, formulas, _RESIDENT_OWNED)


def _fails(name: str, property_: Property, formulas: Mapping[str, Term], owned: Term) -> Claim:
    """The formula does not hold in some state in which all others do."""
    id_, with_it = property_.id, TOGETHER.get(property_.id, "")
    others = but(formulas, id_, *filter(None, (with_it,)))
    if id_ == "ISOLATION":
        others["OWNED"] = owned
    condition = Condition(id_, formulas[id_], None, others, (formulas[id_],), ())
    words = f"Where all other formulas{f' but {with_it}' if with_it else ''} hold, this one does: {property_.sentence}"
    return Claim(f"ALWAYS-{name}", words, "", condition, REFUTED, _NO_RUN)


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


def _host_without() -> Iterator[Claim]:
    formulas, steps = host_formulas(), {step.name: step for step in TIERED}
    for id_, cell in HOST_RESTING.items():
        step, _, kept = cell.partition("/")
        yield _missing(f"{HOST}{id_}", f"{HOST}{cell}", host_preserved(kept, formulas[kept], steps[step], but(formulas, id_)))


def _of_events(host: bool) -> Iterator[Claim]:
    """Yield all three kinds of claims about events, but about EVENT_ID: `event_conditions` has claims about what an id is made of."""
    prefix, given_ = HOST * host, event_given(host)
    machine, emits = (HOST_EVENT_MACHINE, HOST_EMITS) if host else (EVENT_MACHINE, EMITS)
    steps = {step.name: step for step in machine}
    for name in emits:
        yield _never(f"{prefix}events-{name}", steps[name], given_)
    for property_ in HOST_EVENT_FORMULAS if host else EVENT_FORMULAS:
        if property_.id in event_formulas(host):
            yield _fails(f"{prefix}{property_.id}", property_, given_, lift(True))
    step, _, kept = EVENTS_RESTING[host].partition("/")
    condition = event_preserved(kept, steps[step], host)
    without = replace(condition, hypotheses=but(condition.hypotheses, "EVENT_REPLAY"))
    yield _missing(f"{prefix}EVENT_REPLAY", f"{prefix}{EVENTS_RESTING[host]}", without)


def _missing(id_: str, cell: str, condition: Condition) -> Claim:
    return Claim(f"WITHOUT-{id_}", f"{cell} holds even if {id_} does not.", "", condition, REFUTED, _NO_RUN)
