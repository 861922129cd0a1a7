"""The steps of the host machine but those of copies (`backups.py`, `loads.py`): the cache machine's, and how a node leaves a tier.

Each step of the cache machine keeps its updates. Its guard becomes stronger where it must, and updates of the words of the host tier are
added; so what was proved of the cache machine about words that it knows holds here too. EVICT becomes three steps: a node leaves the tree
(DELETE, EVICT_HOST) or the device only (DEMOTE).
"""

from dataclasses import replace

from radixcheck.spec.host.host_signature import *
from radixcheck.spec.logic import Term, forall, lift, total, var
from radixcheck.spec.transitions import BEGIN, EVICT, EXTEND, FILL, GROW, RELEASE, RELOCK, RESET, SPLIT, TOUCH, c, h, m, n, s, x, y
from radixcheck.spec.updates import Image, Transition, Update, assign, at_point, at_points, forget, put

t = var("t", HOST_PAGE)


def _tiered(
    step: Transition, guard: Term, *updates: Update, forgets: tuple[Update, ...] = (), requires: str = "", effect: str = "", name: str = ""
) -> Transition:
    """A step of the cache machine with a stronger guard and more updates."""
    return replace(
        step,
        name=name or step.name,
        guard=step.guard & guard,
        updates=(*step.updates, *updates),
        forgets=(*step.forgets, *forgets),
        requires=f"{step.requires} {requires}".strip(),
        effect=f"{step.effect} {effect}".strip(),
    )


def own_up_to(bound: Term, page_: Term) -> Term:
    """The holder's own page, for a position up to a bound."""
    return (owner(page_) == OWN) & (holder(page_) == h) & (content(page_) <= bound)


def given_to_tree(bound: Term, pages: Image) -> tuple[Update, ...]:
    """The holder's own pages up to `bound` become those of nodes that only the host has; the holder locks these."""
    return (
        put(resident, lambda q: (at(h) < q) & (q <= bound), lambda q: True),
        put(page, lambda q: (at(h) < q) & (q <= bound), lambda q: row(h, q)),
        put(owner, lambda s: own_up_to(bound, s), lambda s: TREE, pages),
        put(lock, lambda q: node(q) & (at(h) < q) & (q <= bound), lambda q: lock(q) + 1),
        assign(protected, protected + total(POS, lambda k: node(k) & (at(h) < k) & (k <= bound), lambda k: size(k))),
        at_point(at, h, bound),
    )


idle = stage(h) == IDLE
_row_filled = forall(POS, lambda q: ((q <= tok(h)) & (q != eps)) >> filled(row(h, q)))
_adopted_filled = forall(POS, lambda q: ((at(h) < q) & (q <= x)) >> filled(page(q)))

H_SPLIT = _tiered(SPLIT, lift(True), at_point(pins, m, pins(c)), effect="They keep its pins and its tiers, too.")
H_TOUCH = TOUCH
H_BEGIN = _tiered(
    BEGIN,
    (n == eps) | resident(n),
    *at_points((stage, h, IDLE), (running, h, False)),
    requires="n is on the device, if it is a node.",
    effect="h copies nothing and does not run.",
)
H_EXTEND = _tiered(
    EXTEND,
    idle | ((stage(h) == PINNING) & (y <= aim(h))),
    at_point(filled, s, True),
    requires="h copies nothing; or it prepares a load, and y is not behind its aim.",
    effect="s counts as filled: whoever takes a page for tokens computes them.",
)
H_FILL = _tiered(FILL, idle, requires="h copies nothing.")
H_GROW = _tiered(
    GROW,
    idle,
    put(resident, lambda q: (at(h) < q) & (q <= x), lambda q: True),
    at_point(pins, x, 0),
    requires="h copies nothing.",
    effect="The new node is on the device, and not pinned.",
)
H_RELOCK = _tiered(
    RELOCK,
    idle & ((x == eps) | resident(x)),
    at_point(running, h, running(h) & _adopted_filled),
    requires="h copies nothing; x is on the device, if it is a node.",
    effect="If h runs, it goes on only if the pages that it adopts are filled.",
)
H_RELEASE = _tiered(
    RELEASE,
    idle,
    at_point(running, h, False),
    forgets=tuple(forget(f, lambda g: g == h) for f in (stage, floor, aim, reserved)),
    requires="h copies nothing.",
    effect="It does not run.",
)
RUN = Transition(
    "run",
    (h,),
    held(h) & idle & _row_filled,
    (at_point(running, h, True),),
    requires="h is live and copies nothing; every page that it reads is filled.",
    effect="h runs.",
)
REVIVE = Transition(
    "revive",
    (h, x),
    (held(h) & idle & (at(h) < x) & (x <= tok(h)) & node(x)) & forall(POS, lambda q: ((at(h) < q) & (q <= x)) >> ~resident(q)),
    given_to_tree(x, Image(lambda q: (at(h) < q) & (q <= x), lambda q: row(h, q))),
    (forget(holder, lambda s: own_up_to(x, s), Image(lambda q: (at(h) < q) & (q <= x), lambda q: row(h, q))),),
    requires="h is live and copies nothing; x is a node after at(h), and a prefix of the tokens of h; nothing after "
    "at(h) up to x is on the device.",
    effect="The own pages of h up to x become those of the nodes there, which are on the device now; h locks these nodes, and at(h) is x.",
)

_on_node = Image(lambda q: (up(n) < q) & (q <= n), lambda q: page(q))
_host_on_node = Image(lambda q: (up(n) < q) & (q <= n), lambda q: host_page(q))


def _of_node(page_: Term) -> Term:
    return (owner(page_) == TREE) & (up(n) < content(page_)) & (content(page_) <= n)


def _host_of_node(page_: Term) -> Term:
    return (host_owner(page_) == TREE) & (up(n) < host_content(page_)) & (host_content(page_) <= n)


_leaves_host = (
    put(hosted, lambda q: (up(n) < q) & (q <= n), lambda q: False),
    put(host_owner, _host_of_node, lambda t: FREE, _host_on_node),
    assign(host_available, host_available + size(n)),
)
_forgets_host = (
    *(forget(f, _host_of_node, _host_on_node) for f in (host_content, host_filled)),
    forget(host_page, lambda q: (up(n) < q) & (q <= n)),
)

DELETE = _tiered(
    EVICT,
    resident(n) & ~hosted(n),
    put(resident, lambda q: (up(n) < q) & (q <= n), lambda q: False),
    forgets=(forget(pins, lambda q: q == n), forget(filled, _of_node, _on_node)),
    name="delete",
    requires="It is on the device, and not on the host.",
)
DEMOTE = Transition(
    "demote",
    (n,),
    node(n) & resident(n) & hosted(n) & device_leaf(n) & (lock(n) == 0),
    (
        put(resident, lambda q: (up(n) < q) & (q <= n), lambda q: False),
        put(owner, _of_node, lambda s: FREE, _on_node),
        assign(evictable, evictable - size(n)),
        assign(available, available + size(n)),
    ),
    (*(forget(f, _of_node, _on_node) for f in (content, filled)), forget(page, lambda q: (up(n) < q) & (q <= n))),
    touched=(n,),
    requires="n is on both tiers and not locked; no child of it is on the device.",
    effect="n leaves the device and stays in the tree; its device slots become free.",
)
EVICT_HOST = Transition(
    "evict_host",
    (n,),
    node(n) & ~resident(n) & leaf(n) & (pins(n) == 0),
    (at_point(node, n, False), put(cached, lambda q: (up(n) < q) & (q <= n), lambda q: False), *_leaves_host),
    (
        *_forgets_host,
        forget(end, lambda q: (up(n) < q) & (q <= n)),
        *(forget(f, lambda q: q == n) for f in (up, time, creation, hits, priority, lock, pins)),
    ),
    touched=(n,),
    requires="n is a leaf that is not on the device and not pinned.",
    effect="n leaves the tree, and its host slots become free.",
)
DROP_HOST = Transition(
    "drop_host",
    (n,),
    (node(n) & resident(n) & hosted(n) & (pins(n) == 0) & host_filled(host_page(n)))
    & forall(POS, lambda q: ((up(n) < q) & (q <= n)) >> host_filled(host_page(q)))
    & (gaps | forall(POS, lambda m: (node(m) & hosted(m)) >> (up(m) != n))),
    _leaves_host,
    _forgets_host,
    touched=(n,),
    requires="n is on both tiers, filled on the host, and not pinned; under write-through no child of it is on the host.",
    effect="n leaves the host and stays on the device; its host slots become free.",
)
H_RESET = _tiered(
    RESET,
    lift(True),
    put(resident, lambda q: resident(q), lambda q: False),
    put(hosted, lambda q: hosted(q), lambda q: False),
    put(host_owner, lambda t: host_owner(t) != FREE, lambda t: FREE),
    assign(host_available, host_capacity),
    forgets=(
        *(forget(f, lambda t: host_owner(t) != FREE) for f in (host_content, host_filled)),
        forget(filled, lambda s: owner(s) != FREE),
        forget(host_page, lambda q: hosted(q)),
        forget(pins, lambda q: node(q)),
    ),
    effect="On the host, too.",
)

TODAYS = (H_SPLIT, H_TOUCH, H_BEGIN, H_EXTEND, H_FILL, H_GROW, H_RELOCK, H_RELEASE, DELETE, H_RESET)  # those of the cache machine
LEAVING = (DEMOTE, EVICT_HOST, DROP_HOST)
