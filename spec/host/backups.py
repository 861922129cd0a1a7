"""Backups: copies from the device to the host.

begin(h, n)  save(h)  reserve(h, y, t)*  send(h)      ...  ack_save(h)  release(h)
"""

from radixcheck.spec.host.host_signature import *
from radixcheck.spec.host.host_transitions import idle, t
from radixcheck.spec.logic import Term, forall
from radixcheck.spec.transitions import h, y
from radixcheck.spec.updates import Image, Transition, Update, assign, at_point, at_points, forget, put

span = Image(lambda q: (floor(h) < q) & (q <= aim(h)), lambda q: host_row(h, q))
_so_far = Image(lambda q: (floor(h) < q) & (q <= reserved(h)), lambda q: host_row(h, q))


def _kept(page_: Term) -> Term:
    """Reserved by the backup."""
    return (host_owner(page_) == OWN) & (host_holder(page_) == h)


def _coming(page_: Term) -> Term:
    """Filled by the backup in flight."""
    return (host_owner(page_) == TREE) & ~host_filled(page_) & (host_holder(page_) == h)


def no_copy_any_more(bound: Term) -> tuple[Update, ...]:
    """What has no meaning once the holder copies nothing; host pages were captured up to `bound`."""
    return (
        forget(host_row, lambda g, q: (g == h) & (floor(h) < q) & (q <= bound)),
        *(forget(f, lambda g: g == h) for f in (floor, aim, reserved)),
    )


SAVE = Transition(
    "save",
    (h,),
    held(h) & idle & ~running(h) & (tok(h) == at(h)) & (at(h) != eps) & ~hosted(at(h)),
    at_points((stage, h, RESERVING), (floor, h, up(at(h))), (aim, h, at(h)), (reserved, h, up(at(h)))),
    requires="h is live, copies nothing and does not run; it has locked a node that is not on the host, and has no tokens after it.",
    effect="h prepares a backup of that node.",
)
RESERVE = Transition(
    "reserve",
    (h, y, t),
    held(h) & (stage(h) == RESERVING) & (prev(y) == reserved(h)) & (y != eps) & (y <= aim(h)) & (host_owner(t) == FREE),
    (
        *at_points((host_owner, t, OWN), (host_holder, t, h), (host_content, t, y), (reserved, h, y)),
        at_point(host_row, h, y, t),
        assign(host_available, host_available - page_size),
    ),
    requires="h prepares a backup; y is the next page of its span; the host page t is free.",
    effect="t is reserved for y.",
)
SEND = Transition(
    "send",
    (h,),
    (held(h) & (stage(h) == RESERVING) & (reserved(h) == aim(h)) & (gaps | (floor(h) == eps) | hosted(floor(h))))
    & forall(POS, lambda q: ((floor(h) < q) & (q <= aim(h))) >> ~hosted(q)),
    (
        put(hosted, lambda q: (floor(h) < q) & (q <= aim(h)), lambda q: True),
        put(host_page, lambda q: (floor(h) < q) & (q <= aim(h)), lambda q: host_row(h, q)),
        put(host_owner, _kept, lambda t: TREE, span),
        put(host_filled, _kept, lambda t: False, span),
        at_point(stage, h, DOWN),
    ),
    requires="Host pages are reserved for the whole span, nothing of it is on the host, and, under write-through, what is above it is.",
    effect="The backup is in flight. Its span is on the host, in pages that are not filled yet.",
)
ACK_SAVE = Transition(
    "ack_save",
    (h,),
    held(h) & (stage(h) == DOWN),
    (
        put(host_filled, _coming, lambda t: True, span),
        put(host_content, _coming, lambda t: content(row(h, host_content(t))), span),
        at_point(stage, h, IDLE),
    ),
    (forget(host_holder, _coming, span), *no_copy_any_more(aim(h))),
    requires="A backup of h is in flight.",
    effect="Its host pages are filled with what the device pages of h hold. h copies nothing any more.",
)
FAIL_SAVE = Transition(
    "fail_save",
    (h,),
    held(h)
    & (stage(h) == DOWN)
    & (gaps | forall((POS, POS), lambda q, p: (hosted(q) & (p <= q) & (floor(h) < p) & (p <= aim(h))) >> (q <= aim(h)))),
    (
        put(hosted, lambda q: (floor(h) < q) & (q <= aim(h)), lambda q: False),
        put(host_owner, _coming, lambda t: FREE, span),
        assign(host_available, host_available + (length(aim(h)) - length(floor(h)))),
        at_point(stage, h, IDLE),
    ),
    (
        *(forget(f, _coming, span) for f in (host_content, host_filled, host_holder)),
        forget(host_page, lambda q: (floor(h) < q) & (q <= aim(h))),
        *no_copy_any_more(aim(h)),
    ),
    requires="A backup of h is in flight; under write-through nothing behind its span is on the host.",
    effect="Its span leaves the host, and its host pages become free. h copies nothing any more.",
)
CANCEL_SAVE = Transition(
    "cancel_save",
    (h,),
    held(h) & (stage(h) == RESERVING),
    (
        put(host_owner, _kept, lambda t: FREE, _so_far),
        assign(host_available, host_available + (length(reserved(h)) - length(floor(h)))),
        at_point(stage, h, IDLE),
    ),
    (*(forget(f, _kept, _so_far) for f in (host_content, host_holder)), *no_copy_any_more(reserved(h))),
    requires="h prepares a backup.",
    effect="The host pages that were reserved become free. h copies nothing any more.",
)

BACKUPS = (SAVE, RESERVE, SEND, ACK_SAVE, FAIL_SAVE, CANCEL_SAVE)
