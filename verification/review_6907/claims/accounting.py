"""Accounting: where the evictable size is decremented, and by what (Q3, Q4).

An eviction does two things: it frees the slots of a node, and deletes the node. The decrement stands right after the free,
by the slots freed (`len(value)`), or in the delete, by the tokens of the key (`len(key)`).
"""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.logic import Term, forall, ite, substitute
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import EVICT, n
from radixcheck.spec.updates import Image, Transition, Update, assign
from radixcheck.verification.proofs.conditions import Condition, follows, preserved
from radixcheck.verification.proofs.laws import freed
from radixcheck.verification.proofs.proof_results import PROVED, REFUTED
from radixcheck.verification.review_6907.claims.claim import Claim, but, given, goal
from radixcheck.verification.review_6907.claims.sequence import then

(_PAGES,) = (update for update in EVICT.updates if update.function is owner)


def slots(node_: Term) -> Term:
    """Slots of the tree that hold a node's tokens: the length of its value."""
    (s,) = _PAGES.parameters
    return Term("sum", (s, substitute(_PAGES.where, {"n": node_}), page_size), page_size.sort)


def free(*more: Update) -> Transition:
    """The slots of a node go back to the pool; the node stays."""
    updates = tuple(update for update in EVICT.updates if update.function in (owner, available.args[0]))
    forgets = tuple(update for update in EVICT.forgets if update.function is content)
    return Transition("free", (n,), EVICT.guard, (*updates, *more), forgets)


def delete(*more: Update) -> Transition:
    """A node leaves the tree; its slots stay where they are."""
    updates = tuple(update for update in EVICT.updates if update.function in (node, cached))
    forgets = tuple(update for update in EVICT.forgets if update.function is not content)
    return Transition("delete", (n,), EVICT.guard, (*updates, *more), forgets, touched=(n,))


BY_SLOTS = assign(evictable, evictable - slots(n))
BY_KEY = assign(evictable, evictable - size(n))


def claims() -> Iterator[Claim]:
    """Which decrements keep the sizes."""
    sizes = given()["COUNT"]
    both_steps = {
        "Q4-AT-FREE": ("decrements the evictable size right after the free, by the slots freed,", free(BY_SLOTS), delete(), PROVED),
        "Q4-AT-DELETE": ("decrements the evictable size in the delete, by the tokens of the key,", free(), delete(BY_KEY), PROVED),
        "Q4-TWICE": ("decrements the evictable size in both places", free(BY_SLOTS), delete(BY_KEY), REFUTED),
        "Q4-NEVER": ("decrements the evictable size in neither place", free(), delete(), REFUTED),
    }
    for id_, (words, first, second, expected) in both_steps.items():
        condition = replace(preserved("COUNT", sizes, then(first, second), given()), laws=(_slots_counted(_PAGES),))
        yield Claim(id_, f"An eviction that {words} keeps the sizes.", "Q3 Q4", condition, expected)
    yield Claim(
        "Q4-DELETE-ALONE",
        "With the decrement at the free, the sizes stay right if a caller deletes a node without freeing it first.",
        "Q4",
        preserved("COUNT", sizes, delete(), given()),
        REFUTED,
    )
    yield Claim(
        "Q4-FREE-ALONE",
        "With the decrement in the delete, the sizes together stay within the capacity if a caller frees a node and leaves it in the tree.",
        "Q4",
        preserved("Q4-FREE-ALONE", available + evictable + protected <= capacity, free(), given()),
        REFUTED,
    )
    yield from _equal()


def _equal() -> Iterator[Claim]:
    """Whether the two lengths are one, and in which modes not."""
    equal = forall(POS, lambda n: node(n) >> (slots(n) == size(n)))
    yield Claim(
        "Q3-EQUAL",
        "Every node has as many slots as its key has tokens: `len(key)` and `len(value)` are one number.",
        "Q3",
        _counted(follows("Q3-EQUAL", equal, given())),
    )
    yield Claim(
        "Q3-TAIL",
        "That is so too where a node may end in an unfinished page, which a whole page of slots holds.",
        "Q3",
        follows("Q3-TAIL", equal, but(given(), "PAGE_ALIGN")),
        REFUTED,
    )
    yield Claim(
        "Q3-PAIRS",
        "That is so too where keys are made of pairs, k tokens making k - 1 of them.",
        "Q3",
        follows("Q3-PAIRS", forall(POS, lambda n: node(n) >> (slots(n) == pairs(n) - pairs(up(n)))), given()),
        REFUTED,
        no_run="no cache here has keys of pairs",
    )
    yield Claim(
        "Q3-EVICTED",
        "That is so too where a node stays in the tree when its slots have been freed, as one does whose tokens are kept on the host.",
        "Q3",
        preserved("Q3-EVICTED", equal, free(), given()),
        REFUTED,
    )


def pairs(position: Term) -> Term:
    """Pairs of neighbours among the tokens of a prefix."""
    return ite(position == eps, 0, length(position) - 1)


def _counted(found: Condition) -> Condition:
    """With the law that counts the pages of the goal's node by position."""

    def of(term: Term) -> Term:
        return substitute(term, {"n": goal("n")})

    image = _PAGES.image
    assert image is not None, "an eviction says which pages it frees"
    of_node = replace(_PAGES, where=of(_PAGES.where), image=Image(lambda q: of(image.where(q)), lambda q: of(image.at(q))))
    return replace(found, laws=(*found.laws, _slots_counted(of_node)))


def _slots_counted(pages: Update) -> Term:
    """The law that counts pages by position, of one state: without its `old`."""
    counted: Term = freed(pages)[1].args[0]
    return counted
