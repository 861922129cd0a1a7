"""Loads: copies from the host to the device; and the host machine, all of its steps.

begin(h, n)  pin(h, x)  [demote | delete]*  extend(h, y, s)*  load(h)      ...  ack_load(h)  release(h)
"""

from radixcheck.spec.host.backups import BACKUPS, no_copy_any_more
from radixcheck.spec.host.host_signature import *
from radixcheck.spec.host.host_transitions import LEAVING, REVIVE, RUN, TODAYS, given_to_tree, idle, own_up_to
from radixcheck.spec.logic import Term, forall, total
from radixcheck.spec.transitions import h, x
from radixcheck.spec.updates import Image, Transition, assign, at_point, at_points, forget, put

span = Image(lambda q: (floor(h) < q) & (q <= aim(h)), lambda q: row(h, q))
_unpin = put(pins, lambda q: node(q) & (floor(h) < q) & (q <= aim(h)), lambda q: pins(q) - 1)


def _flying(page_: Term) -> Term:
    """Filled by the load in flight."""
    return (owner(page_) == TREE) & ~filled(page_) & (holder(page_) == h)


PIN = Transition(
    "pin",
    (h, x),
    (held(h) & idle & ~running(h) & (tok(h) == at(h)) & (at(h) < x) & node(x))
    & forall(POS, lambda q: ((at(h) < q) & (q <= x)) >> ~resident(q)),
    (
        *at_points((stage, h, PINNING), (floor, h, at(h)), (aim, h, x)),
        put(host_row, lambda g, q: (g == h) & (at(h) < q) & (q <= x), lambda g, q: host_page(q)),
        put(pins, lambda q: node(q) & (at(h) < q) & (q <= x), lambda q: pins(q) + 1),
    ),
    (forget(reserved, lambda g: g == h),),
    requires="h is live, copies nothing, does not run, and has no tokens after at(h); x is a node after at(h), and "
    "nothing after at(h) up to x is on the device.",
    effect="h prepares a load of what is after at(h) up to x; each node there has one pin more.",
)
LOAD = Transition(
    "load",
    (h,),
    (held(h) & (stage(h) == PINNING) & (tok(h) == aim(h))) & forall(POS, lambda q: ((floor(h) < q) & (q <= aim(h))) >> ~resident(q)),
    (*given_to_tree(aim(h), span), put(filled, lambda s: own_up_to(aim(h), s), lambda s: False, span), at_point(stage, h, UP)),
    requires="h prepares a load and has pages for its whole span, nothing of which is on the device.",
    effect="The load is in flight. Its span is on the device, in pages of h that are the tree's now and are not filled "
    "yet; h locks its nodes.",
)
ACK_LOAD = Transition(
    "ack_load",
    (h,),
    held(h) & (stage(h) == UP),
    (
        put(filled, _flying, lambda s: True, span),
        put(content, _flying, lambda s: host_content(host_row(h, content(s))), span),
        _unpin,
        at_point(stage, h, IDLE),
    ),
    (forget(holder, _flying, span), *no_copy_any_more(aim(h))),
    requires="A load of h is in flight.",
    effect="Its device pages are filled with what the host pages hold that were captured. Each node of its span has one "
    "pin less. h copies nothing any more.",
)
# Who else locks or extends what a load brings reads its slots: then a load that failed is issued again, which changes nothing here.
FAIL_LOAD = Transition(
    "fail_load",
    (h,),
    (held(h) & (stage(h) == UP))
    & forall(POS, lambda k: (node(k) & (floor(h) < k) & (k <= aim(h))) >> (lock(k) == 1))
    & forall((POS, POS), lambda q, p: (resident(q) & (p <= q) & (floor(h) < p) & (p <= aim(h))) >> (q <= aim(h))),
    (
        put(resident, lambda q: (floor(h) < q) & (q <= aim(h)), lambda q: False),
        put(owner, _flying, lambda s: FREE, span),
        put(lock, lambda q: node(q) & (floor(h) < q) & (q <= aim(h)), lambda q: 0),
        assign(protected, protected - total(POS, lambda k: node(k) & (floor(h) < k) & (k <= aim(h)), lambda k: size(k))),
        assign(available, available + (length(aim(h)) - length(floor(h)))),
        _unpin,
        *at_points((at, h, floor(h)), (tok, h, floor(h)), (stage, h, IDLE)),
    ),
    (
        *(forget(f, _flying, span) for f in (content, holder, filled)),
        forget(page, lambda q: (floor(h) < q) & (q <= aim(h))),
        forget(row, lambda g, q: (g == h) & (floor(h) < q) & (q <= aim(h))),
        *no_copy_any_more(aim(h)),
    ),
    requires="A load of h is in flight; no other holder locks a node of its span, and nothing behind the span is on the device.",
    effect="Its span leaves the device, and its device pages become free. Its nodes have no lock and one pin less; "
    "at(h) is the floor again. h copies nothing any more.",
)
CANCEL_LOAD = Transition(
    "cancel_load",
    (h,),
    held(h) & (stage(h) == PINNING),
    (_unpin, at_point(stage, h, IDLE)),
    no_copy_any_more(aim(h)),
    requires="h prepares a load.",
    effect="Each node of its span has one pin less. h copies nothing any more.",
)

LOADS = (PIN, LOAD, ACK_LOAD, FAIL_LOAD, CANCEL_LOAD)
TIERED: tuple[Transition, ...] = (*TODAYS[:-1], RUN, REVIVE, *LEAVING, *BACKUPS, *LOADS, TODAYS[-1])
