"""The event machine: which event each step emits, and the fold of them. It refines the cache machine and the host machine.

Each step emits one event at most. Its positions are those q with low < q <= high on one path:

    grow         stored on the device     at(h), x            the node that the tree takes
    evict        removed from the device  up(n), n            the node that leaves
    reset        cleared

and beside a host tier, where `delete` and `demote` do what `evict` does on the device:

    revive       stored on the device     at(h), x            what only the host had, in the request's own pages
    ack_load     stored on the device     floor(h), aim(h)    when it has arrived, not when it was issued
    ack_save     stored on the host       floor(h), aim(h)    the same
    evict_host   removed from the host    up(n), n
    drop_host    removed from the host    up(n), n

All other steps emit nothing: a split changes no position, and what a copy that fails takes back was not announced yet.
`Stored` has `low` as its parent and the positions shortest first, `Removed` longest first. A cache may cut an event in two, at any page.

The updates of a step are those of the machine; those added are what a fold does with the event. No guard reads what the fold holds, so
that the formulas of events show that the fold cannot go wrong, not that the cache waits for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from radixcheck.spec.events.event_signature import *
from radixcheck.spec.events.event_values import Cleared, Removed, Stored
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.logic import Function, Term
from radixcheck.spec.transitions import CACHE, h, n, x
from radixcheck.spec.updates import Transition, Update, put


@dataclass(frozen=True, slots=True, eq=False)
class Emission:
    """The event of a step: about the positions q with low < q <= high, on a tier. Cleared is about all of both tiers."""

    event: type[Stored] | type[Removed] | type[Cleared]
    tier: Function = announced
    low: Term = eps
    high: Term = eps

    def updates(self) -> tuple[Update, ...]:
        """What the fold does with it."""
        if self.event is Cleared:
            return put(announced, lambda q: announced(q), lambda q: False), put(
                host_announced, lambda q: host_announced(q), lambda q: False
            )
        tier, stored = self.tier, self.event is Stored

        def covers(q: Term) -> Term:
            return (self.low < q) & (q <= self.high)

        return (
            put(tier, covers, lambda q: stored),
            put(misplaced, lambda q: covers(q) & (tier(q) if stored else ~tier(q)), lambda q: True),
        )


_NODE_LEAVES = Emission(Removed, announced, up(n), n)
_ROW_JOINS = Emission(Stored, announced, at(h), x)

EMITS: Mapping[str, Emission] = {"grow": _ROW_JOINS, "evict": _NODE_LEAVES, "reset": Emission(Cleared)}
HOST_EMITS: Mapping[str, Emission] = {
    **{"grow": _ROW_JOINS, "revive": _ROW_JOINS, "delete": _NODE_LEAVES, "demote": _NODE_LEAVES, "reset": Emission(Cleared)},
    "ack_load": Emission(Stored, announced, floor(h), aim(h)),
    "ack_save": Emission(Stored, host_announced, floor(h), aim(h)),
    **dict.fromkeys(("evict_host", "drop_host"), Emission(Removed, host_announced, up(n), n)),
}


def emitting(step: Transition, *emissions: Emission) -> Transition:
    """The step with the fold of what it emits."""
    return replace(step, updates=(*step.updates, *(update for emission in emissions for update in emission.updates())))


def _machine(steps: Sequence[Transition], emits: Mapping[str, Emission]) -> tuple[Transition, ...]:
    return tuple(emitting(step, *(emits[step.name],) if step.name in emits else ()) for step in steps)


EVENT_MACHINE: tuple[Transition, ...] = _machine(CACHE, EMITS)
HOST_EVENT_MACHINE: tuple[Transition, ...] = _machine(TIERED, HOST_EMITS)
