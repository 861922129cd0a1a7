"""What the proofs assume: laws of the order of prefixes, and laws of finite sums.

Both are formulas of the specification's own logic, so that a test can run them on states. A law of sums speaks of two
states (`old(...)` is the one before) and is always `frame implies conclusion`: without its frame it would prove
anything. Z3 sees a sum as an uninterpreted function of what it depends on, and knows nothing of it but these laws.
"""

from collections.abc import Callable, Sequence
from inspect import getdoc

from radixcheck.spec.logic import BOOL, INT, Function, Term, conj, exists, forall, ite, lift, old, substitute, var
from radixcheck.spec.signature import (
    POS,
    candidate,
    capacity,
    content,
    eps,
    length,
    lock,
    namespace,
    node,
    page_size,
    prev,
    room,
    up,
    whole,
)
from radixcheck.spec.updates import Update

AXIOMS: dict[str, Term] = {
    "reflexive": forall(POS, lambda p: p <= p),
    "transitive": forall((POS, POS, POS), lambda p, q, r: ((p <= q) & (q <= r)) >> (p <= r)),
    "antisymmetric": forall((POS, POS), lambda p, q: ((p <= q) & (q <= p)) >> (p == q)),
    "chain": forall((POS, POS, POS), lambda p, q, r: ((p <= r) & (q <= r)) >> ((p <= q) | (q <= p))),
    "root": forall(POS, lambda p: eps <= p),
    "prev_below": forall(POS, lambda p: (p != eps) >> (prev(p) < p)),
    "prev_next": forall((POS, POS), lambda p, q: (p < q) >> (p <= prev(q))),
    "prev_root": prev(eps) == eps,
    "whole_below": forall((POS, POS), lambda p, q: (p < q) >> whole(p)),
    "whole_root": whole(eps) & (length(eps) == 0) & (room(eps) == 0),
    "whole_full": forall(POS, lambda p: (whole(p) >> (room(p) == length(p))) & ((room(p) == length(p)) >> whole(p))),
    "length_page": forall(
        (POS,), lambda p: (p != eps) >> ((length(prev(p)) < length(p)) & (length(p) <= room(p)) & (room(p) == length(prev(p)) + page_size))
    ),
    "length_order": forall((POS, POS), lambda p, q: (p < q) >> (length(p) < length(q))),
    "namespace_kept": forall((POS, POS), lambda p, q: ((p <= q) & (p != eps)) >> (namespace(p) == namespace(q))),
    "sizes": (lift(0) < page_size) & (lift(0) <= capacity),
}


def instance(axiom: str, *things: Term) -> Term:
    """An axiom for these things, where a solver would not think of them."""
    bound, body = AXIOMS[axiom].args
    return substitute(body, {v.args[0]: thing for v, thing in zip(bound, things, strict=True)})


def _same(term: Term) -> Term:
    return term


def _parts(sum_: Term) -> tuple[Term, Term, Term, Callable[[Term], Term]]:
    """Bound variable, condition and weight of a sum, and in which state they are read."""
    if sum_.op == "old":
        return (*_parts(sum_.args[0])[:3], old)
    x, where, weight = sum_.args
    return x, where, weight, _same


def share(sum_: Term, point: Term) -> Term:
    """What one thing adds to a sum."""
    x, where, weight, state = _parts(sum_)
    values = {x.args[0]: point}
    return state(ite(substitute(where, values), substitute(weight, values), 0))


def members(sum_: Term, claim: Callable[[Term], Term]) -> Term:
    """Everything that a sum counts satisfies the claim."""
    x, where, _, state = _parts(sum_)
    z = var("z", x.sort)
    return Term("forall", ((z,), state(substitute(where, {x.args[0]: z})) >> claim(z)), BOOL)


def _added(terms: Sequence[Term]) -> Term:
    result = lift(0)
    for term in terms:
        result = result + term
    return result


def balance(left: Sequence[Term], right: Sequence[Term], points: Sequence[Term] = ()) -> Term:
    """Sums whose shares balance everywhere but at `points` differ by what they differ by at the points.

    With one sum on each side and no points it is extensionality, with points the law of an update, with three sums
    linearity, with one sum in all the law of the empty sum.
    """

    def balanced(z: Term) -> Term:
        equal = _added([share(s, z) for s in left]) == _added([share(s, z) for s in right])
        for point in points:
            equal = (z == point) | equal
        return equal

    # A point that is named twice counts once.
    once = [(p, conj(*(p != q for q in points[:i]))) for i, p in enumerate(points)]
    here, there = (
        _added([*sums, *(ite(new, share(s, p), 0) for p, new in once for s in others)]) for sums, others in ((left, right), (right, left))
    )
    return conj(*(members(s, balanced) for s in (*left, *right))) >> (here == there)


def nonnegative(sum_: Term) -> Term:
    """A sum of non-negative weights is not negative."""
    return members(sum_, lambda z: share(sum_, z) >= 0) >> (sum_ >= 0)


def member(sum_: Term, point: Term) -> Term:
    """A sum of non-negative weights is at least each of its shares."""
    return members(sum_, lambda z: share(sum_, z) >= 0) >> (sum_ >= share(sum_, point))


def monotone(less: Term, more: Term) -> Term:
    """A sum whose every share is at most that of the other is at most the other."""
    frame = members(less, lambda z: share(less, z) <= share(more, z)) & members(more, lambda z: share(more, z) >= 0)
    return frame >> (less <= more)


def everything(sum_: Term) -> Term:
    """The pages together have the capacity."""
    x, where, _, state = _parts(sum_)
    frame = Term("forall", ((x,), state(where) & (share(sum_, x) == page_size)), BOOL)
    return frame >> (sum_ == capacity)


def freed(update: Update) -> tuple[Term, Term]:
    """The tokens of the pages that an update frees, and the law that counts them by position.

    Pages and the positions of the interval `(low, high]` correspond: page `at(q)` holds q. So they are as many.
    """
    assert update.image is not None, "an update of many pages says which"
    image, q, (page,) = update.image, var("q", POS), update.parameters
    below, above = image.where(q).args
    low, high = below.args[0], above.args[1]
    sum_ = Term("sum", (page, update.where, page_size), INT)

    def freed_at(q: Term) -> Term:
        return substitute(update.where, {page.args[0]: image.at(q)})

    to_page = forall(POS, lambda q: image.where(q) >> (freed_at(q) & (content(image.at(q)) == q)))
    to_position = members(sum_, lambda s: image.where(content(s)) & (image.at(content(s)) == s))
    counted = (whole(low) & (low <= high) & to_page & to_position) >> (sum_ == room(high) - length(low))
    return old(sum_), old(counted)


def interval(low: Term, high: Term) -> tuple[Term, Term]:
    """The tokens of the positions behind one and up to another, and the law that they are a page each."""
    q = var("q", POS)
    sum_ = Term("sum", (q, (low < q) & (q <= high), page_size), INT)
    return sum_, ((low <= high) & whole(low)) >> (sum_ == room(high) - length(low))


TREE = forall(POS, lambda m: node(m) >> ((up(m) < m) & (node(up(m)) | (up(m) == eps)))) & forall(
    (POS, POS), lambda m, k: (node(m) & (k < m) & node(k)) >> (k <= up(m))
)


def next_page(p: Term, q: Term) -> Term:
    """On the way to a longer prefix there is one that is one page longer: by induction along the way, which is finite."""
    return (p < q) >> exists(POS, lambda y: (y <= q) & (prev(y) == p) & (y != eps))


def descends(n: Term) -> Term:
    """A node with something below it has a child: true of every finite tree, but not to be had from its shape."""
    child = exists(POS, lambda k: node(k) & (up(k) == n))
    return (node(n) & TREE) >> forall(POS, lambda m: (node(m) & (n < m)) >> child)


def towards(n: Term, m: Term) -> Term:
    """A node above another has a child on the way to it: true of every finite tree."""
    child = exists(POS, lambda k: node(k) & (up(k) == n) & (k <= m))
    return (node(n) & node(m) & (n < m) & TREE) >> child


def ascends(claim: Callable[[Term], Term]) -> Term:
    """What is true of a node wherever it is true of all its children is true of every node: by induction from the leaves."""

    def below(n: Term) -> Term:
        return forall(POS, lambda k: (node(k) & (up(k) == n)) >> claim(k))

    step = forall(POS, lambda n: (node(n) & below(n)) >> claim(n))
    return (TREE & step) >> forall(POS, lambda n: node(n) >> claim(n))


def inherits(value: Function) -> Term:
    """What no child exceeds its parent in, no descendant does: by induction along a path, which is finite."""
    step = forall(POS, lambda m: (node(m) & (up(m) != eps)) >> (value(m) <= value(up(m))))
    return (TREE & step) >> forall((POS, POS), lambda n, k: (node(n) & node(k) & (n < k)) >> (value(k) <= value(n)))


def no_more(less: Term, more: Term, image: Function) -> Term:
    """Things of which `image` makes different things, each counted on the other side, are no more than those there."""
    (x, where, _, _), (y, there, _, _) = _parts(less), _parts(more)
    a, b = var("a", x.sort), var("b", x.sort)

    def counted(z: Term) -> Term:
        return substitute(where, {x.args[0]: z})

    lands = Term("forall", ((a,), counted(a) >> substitute(there, {y.args[0]: image(a)})), BOOL)
    apart = Term("forall", ((a, b), (counted(a) & counted(b) & (image(a) == image(b))) >> (a == b)), BOOL)
    ones = members(less, lambda z: share(less, z) == 1) & members(more, lambda z: share(more, z) == 1)
    return (lands & apart & ones) >> (less <= more)


def leaf_below() -> Term:
    """Where no child is locked more than its parent, an unlocked node has an evictable leaf at or below it: the tree is finite."""
    step = forall(POS, lambda m: node(m) >> ((lock(m) >= 0) & ((up(m) == eps) | (lock(m) <= lock(up(m))))))
    found = forall(POS, lambda n: (node(n) & (lock(n) == 0)) >> exists(POS, lambda k: candidate(k) & (n <= k)))
    return (TREE & step) >> found


def _sentence(law: Callable[..., object]) -> str:
    return (getdoc(law) or "").partition(".\n")[0].partition("\n\n")[0].rstrip(".")


# Every law, in a sentence: what is assumed of finite sums and trees.
LAWS = {
    law.__name__: _sentence(law)
    for law in (
        *(balance, nonnegative, member, monotone, everything, freed, interval, no_more),
        *(next_page, descends, towards, ascends, inherits, leaf_below),
    )
}
