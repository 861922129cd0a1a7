"""Variants of an eviction and of a touch, each with the formula that it keeps or breaks.

An eviction does two things: it frees the slots of a node, and deletes the node. Here the two are separate steps, with the decrement of the
evictable size at either. Each condition has the id of the claim about it; a mutant whose fault is such a variant names that id.
"""

from dataclasses import replace
from functools import cache

from radixcheck.spec.logic import Term, substitute
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.signature import available, cached, capacity, content, evictable, lock, node, owner, page_size, protected, size
from radixcheck.spec.transitions import EVICT, TOUCH, n
from radixcheck.spec.updates import Transition, Update, assign
from radixcheck.verification.proofs.claim import given, unlocked
from radixcheck.verification.proofs.conditions import Condition, preserved
from radixcheck.verification.proofs.laws import freed
from radixcheck.verification.proofs.sequence import then

(FREED_PAGES,) = (update for update in EVICT.updates if update.function is owner)


def slots(node_: Term) -> Term:
    """Number of slots that hold a node's tokens: the length of its value."""
    (s,) = FREED_PAGES.parameters
    return Term("sum", (s, substitute(FREED_PAGES.where, {"n": node_}), page_size), page_size.sort)


def pages_counted(pages: Update) -> Term:
    """The law that counts freed pages by position, about one state: without its `old`."""
    counted: Term = freed(pages)[1].args[0]
    return counted


def free(*more: Update) -> Transition:
    """The slots of a node go back to the pool; the node stays in the tree."""
    updates = tuple(update for update in EVICT.updates if update.function in (owner, available.args[0]))
    forgets = tuple(update for update in EVICT.forgets if update.function is content)
    return Transition("free", (n,), EVICT.guard, (*updates, *more), forgets)


def delete(*more: Update) -> Transition:
    """A node leaves the tree; its slots stay with their owner."""
    updates = tuple(update for update in EVICT.updates if update.function in (node, cached))
    forgets = tuple(update for update in EVICT.forgets if update.function is not content)
    return Transition("delete", (n,), EVICT.guard, (*updates, *more), forgets, touched=(n,))


BY_SLOTS = assign(evictable, evictable - slots(n))
BY_KEY = assign(evictable, evictable - size(n))
_TWO_STEPS = {
    "Q4-AT-FREE": (free(BY_SLOTS), delete()),
    "Q4-AT-DELETE": (free(), delete(BY_KEY)),
    "Q4-TWICE": (free(BY_SLOTS), delete(BY_KEY)),
    "Q4-NEVER": (free(), delete()),
}


@cache
def variants() -> dict[str, Condition]:
    """The condition of each variant, by the id of the claim about it."""
    sizes, connected = given()["COUNT"], given()["NO_ORPHAN"]
    found = {id_: preserved("COUNT", sizes, then(*steps), given()) for id_, steps in _TWO_STEPS.items()}
    found = {id_: replace(condition, laws=(pages_counted(FREED_PAGES),)) for id_, condition in found.items()}
    found["Q4-DELETE-ALONE"] = preserved("COUNT", sizes, delete(), given())
    found["Q4-FREE-ALONE"] = preserved("Q4-FREE-ALONE", available + evictable + protected <= capacity, free(), given())
    twice = then(_kept(EVICT), _kept(replace(EVICT, guard=lock(n) == 0)))
    found["Q2-NO-GUARD"] = preserved("COUNT", sizes, twice, given())
    found["Q1-UNCHECKED"] = preserved("NO_ORPHAN", connected, replace(EVICT, guard=unlocked(n)), given())
    for name, policy in POLICIES.items():
        heap = given(policy, heap=True)
        found[f"LAZY-{name}"] = preserved(f"LAZY-{name}", heap["HEAP_STALE"], TOUCH, heap)
    return found


def _kept(step: Transition) -> Transition:
    """The step without what it forgets: the victim keeps its fields, which whoever still has the node can read."""
    return replace(step, forgets=())
