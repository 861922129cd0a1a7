"""The assumptions of the proofs: axioms of the prefix order, and laws of finite sums and finite trees.

All are formulas of the specification's logic, so that tests can run them on states. To a solver a sum is an uninterpreted function of what
it depends on, and these laws are its only axioms. A law of sums is about two states (`old(...)` is the one before) and has the form `frame
implies conclusion`. The frame says when the conclusion is true; without it the law would be inconsistent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import getdoc

from radixcheck.spec.host.host_signature import HOST_PAGE, host_capacity, host_content, host_owner
from radixcheck.spec.logic import BOOL, INT, Function, Term, conj, exists, forall, ite, lift, old, substitute, var
from radixcheck.spec.signature import (
    PAGE,
    POS,
    cached,
    candidate,
    capacity,
    content,
    eps,
    length,
    lock,
    namespace,
    node,
    owner,
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


@dataclass(frozen=True, slots=True)
class Tier:
    """The functions that say who owns the pages of one tier and what they hold, and the tokens of all its pages."""

    owner: Function
    content: Function
    capacity: Term


TIERS = {PAGE: Tier(owner, content, capacity), HOST_PAGE: Tier(host_owner, host_content, host_capacity)}


def instance(axiom: str, *things: Term) -> Term:
    """Return the axiom for these terms, which a solver would not instantiate by itself."""
    bound, body = AXIOMS[axiom].args
    return substitute(body, {v.args[0]: thing for v, thing in zip(bound, things, strict=True)})


def _same(term: Term) -> Term:
    return term


def _parts(sum_: Term) -> tuple[Term, Term, Term, Callable[[Term], Term]]:
    """Return the bound variable, condition and weight of a sum, and the state in which they are read."""
    if sum_.op == "old":
        return (*_parts(sum_.args[0])[:3], old)
    x, where, weight = sum_.args
    return x, where, weight, _same


def share(sum_: Term, point: Term) -> Term:
    """Return what one thing adds to a sum."""
    x, where, weight, state = _parts(sum_)
    values = {x.args[0]: point}
    return state(ite(substitute(where, values), substitute(weight, values), 0))


def members(sum_: Term, claim: Callable[[Term], Term]) -> Term:
    """Return the formula that everything that a sum counts satisfies the claim."""
    x, where, _, state = _parts(sum_)
    z = var("z", x.sort)
    return Term("forall", ((z,), state(substitute(where, {x.args[0]: z})) >> claim(z)), BOOL)


def _added(terms: Sequence[Term]) -> Term:
    result = lift(0)
    for term in terms:
        result = result + term
    return result


def balance(left: Sequence[Term], right: Sequence[Term], points: Sequence[Term] = ()) -> Term:
    """If the shares of the sums on both sides are equal except at `points`, the sums differ by their difference at the points.

    With one sum on each side and no points this is extensionality, with points the law of an update, with three sums linearity, and with a
    single sum the law of the empty sum.
    """

    def balanced(z: Term) -> Term:
        equal = _added([share(s, z) for s in left]) == _added([share(s, z) for s in right])
        for point in points:
            equal = (z == point) | equal
        return equal

    # A point that occurs twice is counted once.
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
    """A sum is at most another if each of its shares is at most that of the other."""
    frame = members(less, lambda z: share(less, z) <= share(more, z)) & members(more, lambda z: share(more, z) >= 0)
    return frame >> (less <= more)


def everything(sum_: Term) -> Term:
    """A sum of the page size over all pages of a tier is its capacity."""
    x, where, _, state = _parts(sum_)
    frame = Term("forall", ((x,), state(where) & (share(sum_, x) == page_size)), BOOL)
    return frame >> (sum_ == TIERS[x.sort].capacity)


def freed(update: Update) -> tuple[Term, Term]:
    """An update frees as many pages as there are positions in an interval `(low, high]`.

    Return the tokens of the pages, and this law, which holds because page `at(q)` holds position q.
    """
    assert update.image is not None, "an update of many pages has an image"
    image, q, (page,) = update.image, var("q", POS), update.parameters
    holds = TIERS[page.sort].content
    below, above = image.where(q).args
    low, high = below.args[0], above.args[1]
    sum_ = Term("sum", (page, update.where, page_size), INT)

    def freed_at(q: Term) -> Term:
        return substitute(update.where, {page.args[0]: image.at(q)})

    to_page = forall(POS, lambda q: image.where(q) >> (freed_at(q) & (holds(image.at(q)) == q)))
    to_position = members(sum_, lambda s: image.where(holds(s)) & (image.at(holds(s)) == s))
    counted = (whole(low) & (low <= high) & to_page & to_position) >> (sum_ == room(high) - length(low))
    return old(sum_), old(counted)


def interval(low: Term, high: Term) -> tuple[Term, Term]:
    """Each position in an interval `(low, high]` is one page. Return the tokens of the positions, and this law."""
    q = var("q", POS)
    sum_ = Term("sum", (q, (low < q) & (q <= high), page_size), INT)
    return sum_, ((low <= high) & whole(low)) >> (sum_ == room(high) - length(low))


TREE = forall(POS, lambda m: node(m) >> ((up(m) < m) & (node(up(m)) | (up(m) == eps)))) & forall(
    (POS, POS), lambda m, k: (node(m) & (k < m) & node(k)) >> (k <= up(m))
)


def next_page(p: Term, q: Term) -> Term:
    """Below a prefix, towards a longer one, there is a prefix that is one page longer: by induction along the finite path."""
    return (p < q) >> exists(POS, lambda y: (y <= q) & (prev(y) == p) & (y != eps))


def descends(n: Term) -> Term:
    """A node with a descendant has a child: true in every finite tree, but it does not follow from the shape of the tree."""
    child = exists(POS, lambda k: node(k) & (up(k) == n))
    return (node(n) & TREE) >> forall(POS, lambda m: (node(m) & (n < m)) >> child)


def towards(n: Term, m: Term) -> Term:
    """A node has a child on the path to each of its descendants: true in every finite tree."""
    child = exists(POS, lambda k: node(k) & (up(k) == n) & (k <= m))
    return (node(n) & node(m) & (n < m) & TREE) >> child


def first_failure(claim: Callable[[Term], Term], p: Term) -> Term:
    """If a claim fails for a cached position, it fails for a prefix without whose last page it is true, or that is one page long: paths are
    finite."""
    closed = forall(POS, lambda q: (cached(q) & (prev(q) != eps)) >> cached(prev(q)))
    first = exists(POS, lambda r: (r <= p) & cached(r) & ~claim(r) & ((prev(r) == eps) | claim(prev(r))))
    return (closed & cached(p) & ~claim(p)) >> first


def ascends(claim: Callable[[Term], Term]) -> Term:
    """A claim is true of every node if it is true of each node whose children all satisfy it: by induction from the leaves."""

    def below(n: Term) -> Term:
        return forall(POS, lambda k: (node(k) & (up(k) == n)) >> claim(k))

    step = forall(POS, lambda n: (node(n) & below(n)) >> claim(n))
    return (TREE & step) >> forall(POS, lambda n: node(n) >> claim(n))


def inherits(value: Function) -> Term:
    """If the value of no child exceeds that of its parent, no descendant's value exceeds that of an ancestor: by induction along a path."""
    step = forall(POS, lambda m: (node(m) & (up(m) != eps)) >> (value(m) <= value(up(m))))
    return (TREE & step) >> forall((POS, POS), lambda n, k: (node(n) & node(k) & (n < k)) >> (value(k) <= value(n)))


def no_more(less: Term, more: Term, image: Function) -> Term:
    """A set is not larger than another if `image` maps it injectively into the other."""
    (x, where, _, _), (y, there, _, _) = _parts(less), _parts(more)
    a, b = var("a", x.sort), var("b", x.sort)

    def counted(z: Term) -> Term:
        return substitute(where, {x.args[0]: z})

    lands = Term("forall", ((a,), counted(a) >> substitute(there, {y.args[0]: image(a)})), BOOL)
    apart = Term("forall", ((a, b), (counted(a) & counted(b) & (image(a) == image(b))) >> (a == b)), BOOL)
    ones = members(less, lambda z: share(less, z) == 1) & members(more, lambda z: share(more, z) == 1)
    return (lands & apart & ones) >> (less <= more)


def leaf_below() -> Term:
    """If no child is locked more than its parent, an unlocked node has an evictable leaf at or below it: the tree is finite."""
    step = forall(POS, lambda m: node(m) >> ((lock(m) >= 0) & ((up(m) == eps) | (lock(m) <= lock(up(m))))))
    found = forall(POS, lambda n: (node(n) & (lock(n) == 0)) >> exists(POS, lambda k: candidate(k) & (n <= k)))
    return (TREE & step) >> found


def _sentence(law: Callable[..., object]) -> str:
    return (getdoc(law) or "").partition("\n\n")[0].partition(". ")[0].rstrip(".")


# The sentence of every law of finite sums and trees.
LAWS = {
    law.__name__: _sentence(law)
    for law in (
        *(balance, nonnegative, member, monotone, everything, freed, interval, no_more),
        *(next_page, descends, towards, first_failure, ascends, inherits, leaf_below),
    )
}
