"""The cache machine: the ten transitions that change a state. Every operation is a chain of them (`spec/operations.py`).

Each transition has a REQUIRES, its guard, and an EFFECT, its updates: once as a sentence, once as terms over the old state. The counters
(evictable, protected, available) follow what becomes locked, unlocked, taken or free, as COUNT says; the sentences do not repeat it.
"""

from radixcheck.spec.logic import INT, Term, forall, ite, total, var
from radixcheck.spec.signature import *
from radixcheck.spec.updates import Image, Transition, Update, assign, at_point, at_points, forget, put

# Parameters: positions (n, m, c, x, y), a holder, a page; the hits and the priority that an access adds.
n, m, c, x, y = (var(name, POS) for name in ("n", "m", "c", "x", "y"))
h, s = var("h", REQUEST), var("s", PAGE)
hit, new_priority = var("hit", INT), var("new_priority", INT)

_tick = now + 1
_an_access = (0 <= hit) & (hit <= 1) & (0 <= new_priority)


def larger(a: Term, b: Term) -> Term:
    """The larger of two integers."""
    return ite(a < b, b, a)


def _access(bound: Term) -> tuple[Update, ...]:
    """The clock ticks once; the nodes up to `bound` get this time, `hit` hits, and at least the new priority."""
    return (
        put(time, lambda q: node(q) & (q <= bound), lambda q: _tick),
        put(hits, lambda q: node(q) & (q <= bound), lambda q: hits(q) + hit),
        put(priority, lambda q: node(q) & (q <= bound), lambda q: larger(priority(q), new_priority)),
        assign(now, _tick),
    )


SPLIT = Transition(
    "split",
    (m, c),
    node(c) & cached(m) & ~node(m) & (end(m) == c),
    (
        *at_points((node, m, True), (up, m, up(c)), (up, c, m)),
        put(end, lambda q: cached(q) & (end(q) == c) & (q <= m), lambda q: m),
        *at_points(*((f, m, f(c)) for f in (time, creation, hits, priority, lock))),
    ),
    touched=(m, c),
    requires="m lies inside the node c, before its end.",
    effect="c becomes two nodes, m above c; both keep the time, creation, hits, priority and lock count of c.",
)

TOUCH = Transition(
    "touch",
    (n, hit, new_priority),
    (node(n) | (n == eps)) & _an_access,
    _access(n),
    requires="n is a node or the root; the access adds no hit or one, and its priority is not negative.",
    effect="The clock ticks; every node up to n gets that time, the hit, and the larger of its own and the new priority.",
)

BEGIN = Transition(
    "begin",
    (h, n, new_priority),
    ~held(h) & (node(n) | (n == eps)) & (0 <= new_priority),
    (
        *at_points((held, h, True), (at, h, n), (tok, h, n), (request_priority, h, new_priority)),
        put(row, lambda g, q: (g == h) & cached(q) & (q <= n), lambda g, q: page(q)),
        put(lock, lambda q: node(q) & (q <= n), lambda q: lock(q) + 1),
        assign(evictable, evictable - protected_path(n, eps)),
        assign(protected, protected + protected_path(n, eps)),
    ),
    requires="h is not live; n is a node or the root; the priority is not negative.",
    effect="h is live with this priority; it locks every node up to n, reads the tree's pages up to n, and its tokens end at n.",
)

EXTEND = Transition(
    "extend",
    (h, y, s),
    held(h) & whole(tok(h)) & (prev(y) == tok(h)) & (y != eps) & (owner(s) == FREE),
    (
        *at_points((owner, s, OWN), (holder, s, h), (content, s, y), (tok, h, y)),
        at_point(row, h, y, s),
        assign(available, available - page_size),
    ),
    requires="h is live and its tokens end at a page boundary; y is longer by one page or a part of one; the page s is free.",
    effect="h owns s, which holds the last page of y, and its tokens end at y.",
)

FILL = Transition(
    "fill",
    (h, y),
    held(h) & ~whole(tok(h)) & (prev(y) == prev(tok(h))) & (length(y) == length(tok(h)) + 1) & (namespace(y) == namespace(tok(h))),
    (at_point(content, row(h, tok(h)), y), at_point(row, h, y, row(h, tok(h))), at_point(tok, h, y)),
    (forget(row, lambda g, q: (g == h) & (q == tok(h))),),
    requires="h is live and its last page is unfinished; y has the same whole pages, the same namespace, and one token more.",
    effect="The last page of h holds the last page of y, and its tokens end at y.",
)

_own_up_to_x = Image(lambda q: (at(h) < q) & (q <= x), lambda q: row(h, q))


def _given(page_: Term) -> Term:
    """The request's own pages up to x."""
    return (owner(page_) == OWN) & (holder(page_) == h) & (content(page_) <= x)


GROW = Transition(
    "grow",
    (h, x, hit, new_priority),
    (held(h) & (at(h) < x) & (x <= tok(h)) & whole(x) & (new_priority == request_priority(h)) & _an_access)
    & forall(POS, lambda q: ((q <= x) & cached(q)) >> (q <= at(h))),
    (
        *_access(at(h)),
        *at_points((node, x, True), (up, x, at(h)), (at, h, x)),
        put(cached, lambda q: (at(h) < q) & (q <= x), lambda q: True),
        put(end, lambda q: (at(h) < q) & (q <= x), lambda q: x),
        put(page, lambda q: (at(h) < q) & (q <= x), lambda q: row(h, q)),
        *at_points((time, x, _tick), (creation, x, _tick), (hits, x, hit), (priority, x, new_priority), (lock, x, 1)),
        put(owner, _given, lambda s: TREE, _own_up_to_x),
        assign(protected, protected + (length(x) - length(at(h)))),
    ),
    (forget(holder, _given, _own_up_to_x),),
    touched=(x,),
    requires="h is live; x ends at a page boundary of its tokens, after at(h), and no prefix of x longer than at(h) is cached; the access "
    "adds no hit or one, and has the priority of h.",
    effect="The clock ticks; the tree takes the own pages of h up to x as one new node with this time, hit and priority, which h locks; "
    "every node up to the old at(h) is accessed as by a touch.",
)

RELOCK = Transition(
    "relock",
    (h, x),
    held(h) & (at(h) <= x) & (x <= tok(h)) & (node(x) | (x == eps)),
    (
        put(row, lambda g, q: (g == h) & (at(h) < q) & (q <= x), lambda g, q: page(q)),
        put(owner, _given, lambda s: FREE, _own_up_to_x),
        put(lock, lambda q: node(q) & (at(h) < q) & (q <= x), lambda q: lock(q) + 1),
        assign(evictable, evictable - protected_path(x, at(h))),
        assign(protected, protected + protected_path(x, at(h))),
        assign(available, available + (length(x) - length(at(h)))),
        at_point(at, h, x),
    ),
    (forget(holder, _given, _own_up_to_x), forget(content, _given, _own_up_to_x)),
    requires="h is live; x is a node or the root, at or after at(h), and a prefix of the tokens of h.",
    effect="h reads the tree's pages up to x instead of its own, which become free, locks the nodes after at(h) up to x, and at(h) is x.",
)

_own = Image(lambda q: (at(h) < q) & (q <= tok(h)), lambda q: row(h, q))


def _owned(page_: Term) -> Term:
    return (owner(page_) == OWN) & (holder(page_) == h)


_unlocked = total(POS, lambda k: node(k) & (k <= at(h)) & (lock(k) == 1), lambda k: size(k))

RELEASE = Transition(
    "release",
    (h,),
    held(h),
    (
        put(lock, lambda q: node(q) & (q <= at(h)), lambda q: lock(q) - 1),
        put(owner, _owned, lambda s: FREE, _own),
        at_point(held, h, False),
        assign(evictable, evictable + _unlocked),
        assign(protected, protected - _unlocked),
        assign(available, available + (room(tok(h)) - length(at(h)))),
    ),
    (
        forget(holder, _owned, _own),
        forget(content, _owned, _own),
        forget(row, lambda g, q: (g == h) & (q <= tok(h)) & (q != eps)),
        *(forget(f, lambda g: g == h) for f in (at, tok, request_priority)),
    ),
    requires="h is live.",
    effect="h unlocks every node up to at(h), its own slots become free, and it is no longer live.",
)

_on_node = Image(lambda q: (up(n) < q) & (q <= n), lambda q: page(q))


def _of_node(page_: Term) -> Term:
    return (owner(page_) == TREE) & (up(n) < content(page_)) & (content(page_) <= n)


EVICT = Transition(
    "evict",
    (n,),
    node(n) & leaf(n) & (lock(n) == 0),
    (
        at_point(node, n, False),
        put(cached, lambda q: (up(n) < q) & (q <= n), lambda q: False),
        put(owner, _of_node, lambda s: FREE, _on_node),
        assign(evictable, evictable - size(n)),
        assign(available, available + size(n)),
    ),
    (
        forget(content, _of_node, _on_node),
        *(forget(f, lambda q: (up(n) < q) & (q <= n)) for f in (end, page)),
        *(forget(f, lambda q: q == n) for f in (up, time, creation, hits, priority, lock)),
    ),
    touched=(n,),
    requires="n is a leaf that is not locked.",
    effect="n leaves the tree, and its slots become free.",
)

RESET = Transition(
    "reset",
    (),
    forall(REQUEST, lambda g: ~held(g)),
    (
        put(node, lambda q: node(q), lambda q: False),
        put(cached, lambda q: cached(q), lambda q: False),
        put(owner, lambda s: owner(s) != FREE, lambda s: FREE),
        assign(evictable, 0),
        assign(protected, 0),
        assign(available, capacity),
    ),
    (
        forget(content, lambda s: owner(s) != FREE),
        *(forget(f, lambda q: cached(q)) for f in (end, page)),
        *(forget(f, lambda q: node(q)) for f in (up, time, creation, hits, priority, lock)),
    ),
    requires="No holder is live.",
    effect="Every node leaves the tree, and every slot is free.",
)

CACHE = (SPLIT, TOUCH, BEGIN, EXTEND, FILL, GROW, RELOCK, RELEASE, EVICT, RESET)
