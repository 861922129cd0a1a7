"""Mutants of what the steps emit: each emits another event, or none, or one where it must not."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from radixcheck.spec.events.event_machine import EMITS, EVENT_MACHINE, HOST_EMITS, HOST_EVENT_MACHINE, Emission, emitting
from radixcheck.spec.events.event_signature import announced, host_announced
from radixcheck.spec.events.event_values import Cleared, Removed, Stored
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.signature import POS, at, eps, prev
from radixcheck.spec.transitions import CACHE, h
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs.proof_results import EVENTS, HOST_EVENTS, Mutant

OTHER = {announced: host_announced, host_announced: announced}


def _instead(emission: Emission) -> Iterator[tuple[str, tuple[Emission, ...]]]:
    """Yield what a step may wrongly emit instead of its event."""
    yield "no event", ()
    if emission.event is not Cleared:
        opposite = Removed if emission.event is Stored else Stored
        yield "for the other tier", (replace(emission, tier=OTHER[emission.tier]),)
        yield "for both tiers", (emission, replace(emission, tier=OTHER[emission.tier]))
        yield "from the root on", (replace(emission, low=eps),)
        yield "the last page alone", (replace(emission, low=prev(emission.high)),)
        yield "without the last page", (replace(emission, high=prev(emission.high)),)
        yield f"{opposite.__name__} instead of {emission.event.__name__}", (replace(emission, event=opposite),)


def _without_cause(step: Transition) -> Iterator[tuple[str, tuple[Emission, ...]]]:
    """Yield what a step that emits nothing may wrongly emit: an event about the last of its positions, or about all."""
    places = [p for p in step.parameters if p.sort == POS]
    high = places[-1] if places else at(h)
    yield Cleared.__name__, (Emission(Cleared),)
    for event in (Stored, Removed):
        yield event.__name__, (Emission(event, announced, prev(high), high),)


def emission_mutants() -> Iterator[Mutant]:
    """Yield the mutants of every step, on one tier and on two. Their originals are the steps of the event machine."""
    machines: tuple[tuple[str, tuple[Transition, ...], tuple[Transition, ...], Mapping[str, Emission]], ...] = (
        (EVENTS, CACHE, EVENT_MACHINE, EMITS),
        (HOST_EVENTS, TIERED, HOST_EVENT_MACHINE, HOST_EMITS),
    )
    for machine, silent, steps, emits in machines:
        for step, original in zip(silent, steps, strict=True):
            wrong = _instead(emits[step.name]) if step.name in emits else _without_cause(step)
            for name, emissions in wrong:
                yield Mutant(f"{machine} {step.name}, emits {name}", emitting(step, *emissions), original, machine)
