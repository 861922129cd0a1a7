"""The host heap: a persistent, lazily repaired heap of host leaves, as `spec/heap_machine.py` has one of evictable leaves.

A cache with a host tier may keep two such heaps, one for each tier: a formula speaks of the entries that are queued in one of them, and no
node is a candidate of both (DISJOINT).

An entry is live if its node is a host candidate (not on the device, not pinned, without children) and the entry is current for that node.
Five steps push: a demotion of a node without children; an eviction from the host that leaves its parent without children; a load that is
given up or fails, for its aim, at the last pin; and a touch by which the key of a host leaf becomes smaller. No other step needs to.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from radixcheck.spec.heap_machine import has_entry
from radixcheck.spec.host.host_signature import *
from radixcheck.spec.host.host_transitions import DEMOTE, EVICT_HOST, H_TOUCH
from radixcheck.spec.host.loads import CANCEL_LOAD, FAIL_LOAD, TIERED
from radixcheck.spec.logic import Term, exists, forall, var
from radixcheck.spec.policies import Policy, less, stored
from radixcheck.spec.property import Formula, Property, stated
from radixcheck.spec.transitions import h, n
from radixcheck.spec.updates import Transition, after, at_point, put

e = var("e", ENTRY)
state = partial(stated, "state", heap=True)


def _outdated(candidate: Callable[[Term], Term]) -> Formula:
    return lambda policy: exists(POS, lambda n: candidate(n) & has_entry(n) & less(stored(entry(n)), policy.key(n)))


@state("HEAP_FULL", exists(POS, lambda n: device_candidate(n)), "evict_forgets_parent", "C1 C4 L1 L3")
def heap_full(policy: Policy) -> Term:
    """Every device leaf that is not locked has an entry in the heap of device leaves that is current for it.

    A leaf without one is never evicted: the pool runs full although there is something to evict (C1, C4, FB-43).
    """
    return forall(POS, lambda n: device_candidate(n) >> has_entry(n))


@state("HEAP_STALE", _outdated(device_candidate), "touch_without_push", "C2 L2 L3 L4")
def heap_stale(policy: Policy) -> Term:
    """The stored key of the current entry of a device leaf that is not locked, if that is in the heap of device leaves, is not greater than
    the leaf's live key.

    So the entry surfaces in time to be repaired. Where a key can shrink, as under mru, repair at the pop alone is too late (L2, FB-46).
    """
    return forall(POS, lambda n: (device_candidate(n) & has_entry(n)) >> ~less(policy.key(n), stored(entry(n))))


@state("HOST_HEAP_FULL", exists(POS, lambda n: host_candidate(n)), "demote_without_push", "C1 C4 C10")
def host_heap_full(policy: Policy) -> Term:
    """Every host leaf that is not pinned has an entry in the heap of host leaves that is current for it.

    A leaf without one never leaves the host, which runs full although there is something to evict: then nothing is backed up any more.
    """
    return forall(POS, lambda n: host_candidate(n) >> has_entry(n))


@state("HOST_HEAP_STALE", _outdated(host_candidate), "host_touch_without_push", "C2 L2 C10")
def host_heap_stale(policy: Policy) -> Term:
    """The stored key of the current entry of a host leaf that is not pinned, if that is in the heap of host leaves, is not greater than the
    leaf's live key.

    A match refreshes also what only the host has: where a key can shrink, as under mru, the leaf needs another entry at once.
    """
    return forall(POS, lambda n: (host_candidate(n) & has_entry(n)) >> ~less(policy.key(n), stored(entry(n))))


DEVICE_HEAP_FORMULAS: tuple[Property, ...] = (heap_full, heap_stale)
HOST_HEAP_FORMULAS: tuple[Property, ...] = (host_heap_full, host_heap_stale)


def _pushing(step: Transition, node_: Term, when: Term, policy: Policy) -> Transition:
    """The step, which also pushes an entry with the key that `node_` has afterwards, if `when` holds."""
    keys = (after(key, step) for key in policy.key(node_))
    pushed = (
        *(at_point(queued, e, True), at_point(on, e, node_), at_point(entry, node_, e)),
        *(at_point(field, e, key) for field, key in zip((first, second), keys, strict=True)),
    )
    updates = (*step.updates, *(replace(update, where=update.where & when) for update in pushed))
    return replace(step, parameters=(*step.parameters, e), guard=step.guard & ~queued(e), updates=updates)


def pushes(policy: Policy) -> dict[str, tuple[Transition, Term, Term]]:
    """Return the steps that push, by name: the step of the host machine, the node, and when it needs an entry."""
    p, bottom = up(n), aim(h)

    def stale(q: Term) -> Term:
        return ~has_entry(q) | less(policy.key(q), stored(entry(q)))

    only_child = (p != eps) & ~resident(p) & (pins(p) == 0) & forall(POS, lambda m: (node(m) & (up(m) == p)) >> (m == n))
    last_pin = node(bottom) & leaf(bottom) & (pins(bottom) == 1)
    first_key, second_key = (after(key, H_TOUCH) for key in policy.key(n))
    return {
        "demote": (DEMOTE, n, leaf(n) & (pins(n) == 0) & stale(n)),
        "evict_host": (EVICT_HOST, p, only_child & stale(p)),
        "cancel_load": (CANCEL_LOAD, bottom, last_pin & ~resident(bottom) & stale(bottom)),
        "fail_load": (FAIL_LOAD, bottom, last_pin & stale(bottom)),
        "touch": (H_TOUCH, n, host_candidate(n) & less((first_key, second_key), stored(entry(n)))),
    }


def host_heap_machine(policy: Policy) -> tuple[Transition, ...]:
    """The host machine with the heap of host leaves. Entries that are dead stay behind, until they are popped."""
    pushing = {name: _pushing(step, node_, when, policy) for name, (step, node_, when) in pushes(policy).items()}
    emptied = put(queued, lambda d: queued(d), lambda d: False)
    return tuple(
        replace(step, updates=(*step.updates, emptied)) if step.name == "reset" else pushing.get(step.name, step) for step in TIERED
    )
