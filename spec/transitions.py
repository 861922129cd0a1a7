"""The cache machine: guarded atomic updates, written as macros over the old state.

An update says `function(x...) := value(x...) where ...`; everything else stays. Substituting the updates into a formula is its
weakest precondition; running them over a finite state is the executable model. `forget` marks what means nothing afterwards (any
value will do), `touched` names the only nodes whose share of a sum over nodes may change, `image` names the only pages that an
update can reach (a page is the row or the slots of a position), so that a running state need not look at all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from radixcheck.spec.logic import INT, Function, Term, conj, expand, ite, lift, rebuild, rename, substitute, total, var
from radixcheck.spec.signature import *


@dataclass(frozen=True, slots=True)
class Image:
    """The pages `at(q)` of the positions q that satisfy `where`."""

    where: Callable[[Term], Term]
    at: Callable[[Term], Term]


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """function(parameters) := value where `where`."""

    function: Function
    parameters: tuple[Term, ...]
    where: Term
    value: Term
    image: Image | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Transition:
    """One atomic step: when it is allowed, and what it changes."""

    name: str
    parameters: tuple[Term, ...]
    guard: Term
    updates: tuple[Update, ...]
    forgets: tuple[Update, ...] = ()  # value unused
    touched: tuple[Term, ...] = ()


def _params(function: Function, like: Callable[..., object]) -> tuple[Term, ...]:
    names = like.__code__.co_varnames[: like.__code__.co_argcount]
    return tuple(var(n, s) for n, s in zip(names, function.domain, strict=True))


def put(function: Function, where: Callable[..., Term], value: Callable[..., Term | int], image: Image | None = None) -> Update:
    """An update of a function wherever `where` holds."""
    x = _params(function, where)
    return Update(function, x, where(*x), lift(value(*x)), image)


def at_point(function: Function, *point_and_value: Term | int) -> Update:
    """An update at one point: `at_point(f, a, b, value)` is f(a, b) := value."""
    *point, value = point_and_value
    x = tuple(var(f"x{i}", s) for i, s in enumerate(function.domain))
    where = conj(*(a == p for a, p in zip(x, point, strict=True)))
    return Update(function, x, where, lift(value))


def assign(symbol: Term, value: Term | int) -> Update:
    """An update of a function without arguments."""
    return Update(symbol.args[0], (), lift(True), lift(value))


def forget(function: Function, where: Callable[..., Term], image: Image | None = None) -> Update:
    """What means nothing afterwards."""
    return put(function, where, lambda *_: False, image)


def raised(floor: Term, value: Term) -> Term:
    """The larger of two integers."""
    return ite(floor < value, value, floor)


p, n, m, c, x, y = (var(name, POS) for name in ("p", "n", "m", "c", "x", "y"))
h, s = var("h", REQUEST), var("s", PAGE)
hit, rank = var("hit", INT), var("rank", INT)
tick = now + 1
counts = (0 <= hit) & (hit <= 1) & (0 <= rank)


def at_points(*updates: tuple[Function, Term, Term | int]) -> tuple[Update, ...]:
    """Updates of several functions of one argument, each at one point."""
    return tuple(at_point(*update) for update in updates)


def _counted(bound: Term) -> tuple[Update, ...]:
    """An access to the path that ends at `bound`: one tick, `hit` hits, at least priority `rank`."""
    return (
        put(time, lambda q: node(q) & (q <= bound), lambda q: tick),
        put(hits, lambda q: node(q) & (q <= bound), lambda q: hits(q) + hit),
        put(priority, lambda q: node(q) & (q <= bound), lambda q: raised(priority(q), rank)),
        assign(now, tick),
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
)

TOUCH = Transition("touch", (n, hit, rank), (node(n) | (n == eps)) & counts, _counted(n))

BEGIN = Transition(
    "begin",
    (h, n, rank),
    ~held(h) & (node(n) | (n == eps)) & (0 <= rank),
    (
        *at_points((held, h, True), (at, h, n), (tok, h, n), (urgency, h, rank)),
        put(row, lambda g, q: (g == h) & cached(q) & (q <= n), lambda g, q: page(q)),
        put(lock, lambda q: node(q) & (q <= n), lambda q: lock(q) + 1),
        assign(evictable, evictable - protected_path(n, eps)),
        assign(protected, protected + protected_path(n, eps)),
    ),
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
)

FILL = Transition(
    "fill",
    (h, y),
    held(h) & ~whole(tok(h)) & (prev(y) == prev(tok(h))) & (length(y) == length(tok(h)) + 1) & (namespace(y) == namespace(tok(h))),
    (at_point(content, row(h, tok(h)), y), at_point(row, h, y, row(h, tok(h))), at_point(tok, h, y)),
    (forget(row, lambda g, q: (g == h) & (q == tok(h))),),
)

_own_up_to_x = Image(lambda q: (at(h) < q) & (q <= x), lambda q: row(h, q))


def _given(page_: Term) -> Term:
    """The request's own pages up to x."""
    return (owner(page_) == OWN) & (holder(page_) == h) & (content(page_) <= x)


GROW = Transition(
    "grow",
    (h, x, hit, rank),
    (held(h) & (at(h) < x) & (x <= tok(h)) & whole(x) & (rank == urgency(h)) & counts)
    & every(lambda q: ((q <= x) & cached(q)) >> (q <= at(h))),
    (
        *_counted(at(h)),
        *at_points((node, x, True), (up, x, at(h)), (at, h, x)),
        put(cached, lambda q: (at(h) < q) & (q <= x), lambda q: True),
        put(end, lambda q: (at(h) < q) & (q <= x), lambda q: x),
        put(page, lambda q: (at(h) < q) & (q <= x), lambda q: row(h, q)),
        *at_points((time, x, tick), (creation, x, tick), (hits, x, hit), (priority, x, rank), (lock, x, 1)),
        put(owner, _given, lambda s: TREE, _own_up_to_x),
        assign(protected, protected + (length(x) - length(at(h)))),
    ),
    (forget(holder, _given, _own_up_to_x),),
    touched=(x,),
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
)

_own = Image(lambda q: (at(h) < q) & (q <= tok(h)), lambda q: row(h, q))


def _owned(page_: Term) -> Term:
    return (owner(page_) == OWN) & (holder(page_) == h)


_freed = total(POS, lambda k: node(k) & (k <= at(h)) & (lock(k) == 1), lambda k: size(k))

RELEASE = Transition(
    "release",
    (h,),
    held(h),
    (
        put(lock, lambda q: node(q) & (q <= at(h)), lambda q: lock(q) - 1),
        put(owner, _owned, lambda s: FREE, _own),
        at_point(held, h, False),
        assign(evictable, evictable + _freed),
        assign(protected, protected - _freed),
        assign(available, available + (room(tok(h)) - length(at(h)))),
    ),
    (
        forget(holder, _owned, _own),
        forget(content, _owned, _own),
        forget(row, lambda g, q: (g == h) & (q <= tok(h)) & (q != eps)),
        *(forget(f, lambda g: g == h) for f in (at, tok, urgency)),
    ),
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
)

RESET = Transition(
    "reset",
    (),
    every(lambda g: ~held(g)),
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
)

CACHE = (SPLIT, TOUCH, BEGIN, EXTEND, FILL, GROW, RELOCK, RELEASE, EVICT, RESET)


def after(term: Term, transition: Transition) -> Term:
    """The weakest precondition: `term` (definitions expanded) with every state function as the transition leaves it.

    Terms under `old` speak of the state before and lose only the mark. The transition's parameters stay free.
    """

    def step(t: Term) -> Term:
        if t.op == "old":
            return expand(t.args[0])
        if t.op != "app" or t.args[0].kind != "state":
            return rebuild(t, step)
        function, args = t.args[0], tuple(step(a) for a in t.args[1:])
        result = Term("app", (function, *args), t.sort)
        for update in reversed(transition.updates):
            if update.function is function:
                values = {v.args[0]: a for v, a in zip(update.parameters, args, strict=True)}
                where = substitute(expand(update.where), values)
                result = ite(where, substitute(expand(update.value), values), result)
        return result

    return step(rename(expand(term), "'"))
