"""Postconditions of the transitions of the host machine, in the manner of `step_postconditions`.

They state the nodes and the cached prefixes after a step, what each tier holds and in which slots, the holders and their copies, and the
clock. Which slots are filled, pins, owners of host pages and sizes follow from these by the state formulas, and are not repeated.
"""

from collections.abc import Callable
from functools import partial

from radixcheck.spec.host import host_signature
from radixcheck.spec.host.host_signature import *
from radixcheck.spec.host.host_transitions import t
from radixcheck.spec.logic import Function, Term, conj, forall, ite, old
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import c, h, m, n, x, y
from radixcheck.verification.proofs import step_postconditions
from radixcheck.verification.proofs.step_postconditions import (
    FIXED_HOLDERS,
    NO_TIME,
    STATE_FUNCTIONS,
    STEPS,
    grows,
    holders,
    postconditions,
    same,
    shrinks,
)
from radixcheck.verification.proofs.tier_reading import ON_DEVICE

_SYMBOLS = [s.args[0] if isinstance(s, Term) else s for s in vars(host_signature).values()]
HOST_FUNCTIONS = tuple(s for s in _SYMBOLS if isinstance(s, Function) and s.kind == "state" and s not in STATE_FUNCTIONS)


def means(function: Function, *args: Term) -> Term:
    """Return whether the function is defined for these arguments, in the state in which this is read."""
    if function in (page, host_page):
        return (resident if function is page else hosted)(*args)
    if function in (filled, host_filled):
        return owner(*args) != FREE if function is filled else host_owner(*args) == TREE
    if function is holder:
        return (owner(*args) == OWN) | ((owner(*args) == TREE) & ~filled(*args))
    if function is host_holder:
        return (host_owner(*args) == OWN) | ((host_owner(*args) == TREE) & ~host_filled(*args))
    if function is host_content:
        return host_owner(*args) != FREE
    if function is pins:
        return node(*args)
    if function in (stage, running):
        return held(*args)
    if function in (floor, aim):
        return copying(*args)
    if function is reserved:
        return copying(*args) & (stage(*args) <= DOWN)
    if function is host_row:
        g, q = args
        return copying(g) & (floor(g) < q) & (q <= ite(stage(g) == RESERVING, reserved(g), aim(g)))
    return step_postconditions.means(function, *args)


kept = partial(step_postconditions.kept, means=means)
FIXED_TREE = same(node) & same(cached)
FIXED_DEVICE = same(resident) & kept(page)
FIXED_HOST = same(hosted) & kept(host_page)
FIXED_COPIES = kept(stage, floor, aim, reserved, host_row)


def _is_h(g: Term, *_: Term) -> Term:
    return g == h


def _on_node(q: Term) -> Term:
    return old(up(n) < q) & (q <= n)


def _in_span(q: Term) -> Term:
    return old((floor(h) < q) & (q <= aim(h)))


def _revived(q: Term) -> Term:
    return (old(at(h)) < q) & (q <= x)


def _gets_the_row(where: Callable[[Term], Term], bound: Term) -> Term:
    """Return the formula that the device gets exactly these positions, in the slots of h, which locks them."""
    given = forall(POS, lambda q: where(q) >> (page(q) == old(row(h, q))))
    return conj(
        FIXED_TREE, grows(resident, where), kept(page), given, holders(), kept(tok, row, running), kept(at, unless=_is_h), at(h) == bound
    )


def _moves(before: int, after: int) -> Term:
    """Return the formula that the copy of h alone goes from one stage to another."""
    others = kept(stage, floor, aim, reserved, host_row, unless=_is_h)
    return conj(others, old(held(h)), old(stage(h)) == before, stage(h) == after)


_STILL = conj(FIXED_TREE, FIXED_HOLDERS, kept(running), NO_TIME)
_NO_OTHER_RUNS = kept(running, unless=_is_h)
_ADOPTED_FILLED = forall(POS, lambda q: ((at(h) < q) & (q <= x)) >> filled(page(q)))
_TREE = {"split": grows(node, lambda q: q == m) & same(cached), "grow": grows(node, lambda q: q == x) & grows(cached, _revived)}
_SAME_SPAN = kept(floor, aim, reserved, host_row)

# What the steps of a cache without a host tier do: on the device tier the same, and nothing on the host and to copies.
_RUNS = {
    "begin": _NO_OTHER_RUNS & ~running(h),
    # Who runs goes on if what it adopts is filled.
    "relock": _NO_OTHER_RUNS & (running(h) == old(running(h) & _ADOPTED_FILLED)),
}
_TODAYS = {
    name: conj(ON_DEVICE.of(STEPS[name]), _TREE.get(name, FIXED_TREE), FIXED_HOST, FIXED_COPIES, _RUNS.get(name, kept(running)))
    for name in ("touch", "begin", "extend", "fill", "grow", "relock", "release")
}
HOST_STEPS: dict[str, Term] = {
    **_TODAYS,
    # Only the nodes change; the node may be on either tier.
    "split": conj(_TREE["split"], up(c) == m, FIXED_DEVICE, FIXED_HOST, FIXED_HOLDERS, kept(running), FIXED_COPIES, NO_TIME),
    # Only h runs that did not.
    "run": conj(FIXED_TREE, FIXED_DEVICE, FIXED_HOST, FIXED_HOLDERS, FIXED_COPIES, NO_TIME, _NO_OTHER_RUNS, held(h) & running(h)),
    # The device gets what only the host had, in the slots of h, which locks it.
    "revive": conj(_gets_the_row(_revived, x), FIXED_HOST, FIXED_COPIES, NO_TIME),
    # Exactly the tokens of the node n leave the tree; the host did not have them.
    "delete": conj(
        shrinks(node, lambda q: q == n) & shrinks(cached, _on_node) & shrinks(resident, _on_node) & kept(page),
        old(node(n) & resident(n) & ~hosted(n)) & FIXED_HOST & FIXED_HOLDERS & kept(running) & FIXED_COPIES & NO_TIME,
    ),
    # Exactly the tokens of the node n leave the device.
    "demote": conj(_STILL, shrinks(resident, _on_node), kept(page), FIXED_HOST, FIXED_COPIES, old(node(n) & resident(n) & hosted(n))),
    # Exactly the tokens of the node n leave the tree; only the host had them.
    "evict_host": conj(
        shrinks(node, lambda q: q == n) & shrinks(cached, _on_node) & shrinks(hosted, _on_node) & kept(host_page),
        old(node(n) & ~resident(n)) & FIXED_DEVICE & FIXED_HOLDERS & kept(running) & FIXED_COPIES & NO_TIME,
    ),
    # Exactly the tokens of the node n leave the host; the device has them.
    "drop_host": conj(_STILL, shrinks(hosted, _on_node), kept(host_page), FIXED_DEVICE, FIXED_COPIES, old(node(n) & hosted(n))),
    # A backup of the node that h locks is prepared; nothing is reserved yet.
    "save": conj(
        _STILL & FIXED_DEVICE & FIXED_HOST & _moves(IDLE, RESERVING),
        (aim(h) == at(h)) & (floor(h) == up(at(h))) & (reserved(h) == floor(h)),
    ),
    # One more host page is reserved, which was free.
    "reserve": conj(
        _STILL & FIXED_DEVICE & FIXED_HOST & kept(stage, floor, aim, host_row) & kept(reserved, unless=_is_h),
        (reserved(h) == y) & (prev(y) == old(reserved(h))) & (host_row(h, y) == t) & (old(host_owner(t)) == FREE),
    ),
    # The host gets the span, in the reserved pages.
    "send": conj(
        _STILL & FIXED_DEVICE & grows(hosted, _in_span) & kept(host_page) & _moves(RESERVING, DOWN) & _SAME_SPAN,
        forall(POS, lambda q: _in_span(q) >> (host_page(q) == old(host_row(h, q)))),
    ),
    # Only the copy of h ends.
    "ack_save": conj(_STILL, FIXED_DEVICE, FIXED_HOST, _moves(DOWN, IDLE)),
    "ack_load": conj(_STILL, FIXED_DEVICE, FIXED_HOST, _moves(UP, IDLE)),
    "cancel_save": conj(_STILL, FIXED_DEVICE, FIXED_HOST, _moves(RESERVING, IDLE)),
    "cancel_load": conj(_STILL, FIXED_DEVICE, FIXED_HOST, _moves(PINNING, IDLE)),
    # The copy of h ends, and the host loses its span.
    "fail_save": conj(_STILL, FIXED_DEVICE, shrinks(hosted, _in_span), kept(host_page), _moves(DOWN, IDLE)),
    # A load of what only the host has is prepared.
    "pin": conj(_STILL, FIXED_DEVICE, FIXED_HOST, _moves(IDLE, PINNING), (floor(h) == at(h)) & (aim(h) == x)),
    # The device gets the span, in the slots of h, which locks it.
    "load": conj(_gets_the_row(_in_span, old(aim(h))), FIXED_HOST, _moves(PINNING, UP), _SAME_SPAN, NO_TIME),
    # The copy of h ends, and the device loses its span.
    "fail_load": conj(
        FIXED_TREE & shrinks(resident, _in_span) & kept(page, running) & FIXED_HOST & _moves(UP, IDLE) & NO_TIME,
        holders() & kept(at, tok, row, unless=_is_h) & (at(h) == old(floor(h))) & (tok(h) == at(h)),
    ),
    "reset": STEPS["reset"],
}


LEAVES_TREE = ("delete", "evict_host")


def host_postconditions(name: str) -> dict[str, Term]:
    """Return the promises of operations that a transition keeps by itself: what the tokens carry, and that nothing leaves the tree."""
    promised = postconditions(name if name in STEPS else "")
    return {id_: formula for id_, formula in promised.items() if id_ != "HIT_PRESERVES" or name not in LEAVES_TREE}
