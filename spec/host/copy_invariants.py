"""State formulas of copies between the tiers, and of what may be read when; and all state formulas of a cache with a host tier."""

from functools import partial

from radixcheck.spec.host.host_invariants import OF_TIERS, TREE_FORMULAS
from radixcheck.spec.host.host_signature import *
from radixcheck.spec.logic import Term, exists, forall, ite, lift, total
from radixcheck.spec.policies import Policy
from radixcheck.spec.property import Property, stated

state = partial(stated, "state")

_load = exists(REQUEST, lambda h: held(h) & (stage(h) == UP))
_backup = exists(REQUEST, lambda h: held(h) & (stage(h) == DOWN))
_copy = exists(REQUEST, lambda h: copying(h))


def loads_of(n: Term) -> Term:
    """The loads, prepared or in flight, whose span contains a position."""
    return total(REQUEST, lambda g: held(g) & ((stage(g) == PINNING) | (stage(g) == UP)) & (floor(g) < n) & (n <= aim(g)), lambda g: 1)


@state("PIN_COUNT", _load, "load_without_pins")
def pin_count(policy: Policy) -> Term:
    """A node's pins are the number of live holders that prepare a load, or have one in flight, whose span contains it.

    One too few, and what a load reads is evicted from the host under it; one too many, and it stays there for ever.
    """
    return forall(POS, lambda n: node(n) >> (pins(n) == loads_of(n)))


@state("ARRIVAL", _load, "load_lets_go_at_once")
def arrival(policy: Policy) -> Term:
    """A device page of the tree that is not filled is filled by the live holder of a load in flight, whose span contains its position.

    A page that no copy fills is read as KV although nothing was ever written there.
    """

    def carried(q: Term) -> Term:
        h = holder(page(q))
        return held(h) & (stage(h) == UP) & in_span(h, q)

    return forall(POS, lambda q: (resident(q) & ~filled(page(q))) >> carried(q))


@state("HOST_ARRIVAL", _backup, "backup_ack_skips_upper_half")
def host_arrival(policy: Policy) -> Term:
    """A host page of the tree that is not filled is filled by the live holder of a backup in flight, whose span contains its position.

    An acknowledgement must cover the whole span, however its nodes were split meanwhile.
    """

    def carried(q: Term) -> Term:
        h = host_holder(host_page(q))
        return held(h) & (stage(h) == DOWN) & in_span(h, q)

    return forall(POS, lambda q: (hosted(q) & ~host_filled(host_page(q))) >> carried(q))


@state("SPAN", _copy, "copy_locks_parent_only")
def span(policy: Policy) -> Term:
    """A live holder is at one of the five stages. The span of a copy is not empty, ends at a node, and begins at a node or the root. A
    backup locks up to its aim, has no tokens after it, and has reserved up to a position of its span; in flight it has reserved all. A
    load in flight locks up to its aim and has no tokens after it; a load that is prepared locks up to its floor, and has tokens up to its
    aim at most.

    A copy reads and writes slots of nodes that nothing else protects.
    """

    def backup(h: Term) -> Term:
        return (at(h) == aim(h)) & (tok(h) == aim(h)) & (floor(h) <= reserved(h)) & (reserved(h) <= aim(h))

    def load(h: Term) -> Term:
        return ite(stage(h) == UP, (at(h) == aim(h)) & (tok(h) == aim(h)), (at(h) == floor(h)) & (tok(h) <= aim(h)))

    return (
        forall(REQUEST, lambda h: held(h) >> ((lift(IDLE) <= stage(h)) & (stage(h) <= UP)))
        & forall(REQUEST, lambda h: copying(h) >> ((floor(h) < aim(h)) & node(aim(h)) & (node(floor(h)) | (floor(h) == eps))))
        & forall(REQUEST, lambda h: (copying(h) & (stage(h) <= DOWN)) >> backup(h))
        & forall(REQUEST, lambda h: (copying(h) & (stage(h) == DOWN)) >> (reserved(h) == aim(h)))
        & forall(REQUEST, lambda h: (copying(h) & (lift(PINNING) <= stage(h))) >> load(h))
    )


@state("SOURCE", _copy, "host_evict_ignores_pins")
def source(policy: Policy) -> Term:
    """Every page that a backup reads is filled. Every page that a load reads is the host's for that position, is the one that was captured,
    and is filled.

    So a copy that fails can always be issued again.
    """
    down = forall((REQUEST, POS), lambda h, q: (copying(h) & (stage(h) <= DOWN) & in_span(h, q)) >> filled(page(q)))
    up_ = forall(
        (REQUEST, POS),
        lambda h, q: (
            (copying(h) & (lift(PINNING) <= stage(h)) & in_span(h, q))
            >> (hosted(q) & (host_row(h, q) == host_page(q)) & host_filled(host_page(q)))
        ),
    )
    return down & up_


@state("TARGET", _copy, "drop_host_while_written")
def target(policy: Policy) -> Term:
    """Host pages that a backup has reserved are its own, each for its position. A host page that a backup in flight writes is the host's
    for that position, is not filled, and is the one that was captured; a device page that a load in flight writes is not filled; no other
    holder fills either.

    Two copies into one slot leave the KV of whichever arrives last.
    """

    def kept(h: Term, q: Term) -> Term:
        t = host_row(h, q)
        return (host_owner(t) == OWN) & (host_holder(t) == h) & (host_content(t) == q)

    def coming(h: Term, q: Term) -> Term:
        t = host_row(h, q)
        return hosted(q) & (host_page(q) == t) & ~host_filled(t) & (host_holder(t) == h)

    def at_stage(h: Term, stage_: int, q: Term) -> Term:
        return copying(h) & (stage(h) == stage_) & in_span(h, q)

    return (
        forall((REQUEST, POS), lambda h, q: (at_stage(h, RESERVING, q) & (q <= reserved(h))) >> kept(h, q))
        & forall((REQUEST, POS), lambda h, q: at_stage(h, DOWN, q) >> coming(h, q))
        & forall((REQUEST, POS), lambda h, q: at_stage(h, UP, q) >> (~filled(page(q)) & (holder(page(q)) == h)))
    )


@state("ARRIVED_BEFORE_READ", exists(REQUEST, lambda h: held(h) & running(h)), "run_before_arrival")
def arrived_before_read(policy: Policy) -> Term:
    """A live holder that runs copies nothing, and every page that it reads is filled.

    The slots of a load are in a row from its issue on; the request must wait for the copies that fill them.
    """
    idle_ = forall(REQUEST, lambda h: (held(h) & running(h)) >> (stage(h) == IDLE))
    return idle_ & forall((REQUEST, POS), lambda h, q: (held(h) & running(h) & (q <= tok(h)) & (q != eps)) >> filled(row(h, q)))


OF_COPIES: tuple[Property, ...] = (pin_count, arrival, host_arrival, span, source, target, arrived_before_read)
HOST_STATE_FORMULAS: tuple[Property, ...] = (*TREE_FORMULAS, *OF_TIERS, *OF_COPIES)
