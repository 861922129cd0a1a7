"""Accounting: where the evictable size is decremented, and by which length (Q3, Q4).

An eviction frees the slots of a node, then deletes the node. The decrement is either right after the free, by the slots freed
(`len(value)`), or in the delete, by the tokens of the key (`len(key)`).
"""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.logic import Term, forall, ite, substitute
from radixcheck.spec.signature import *
from radixcheck.spec.updates import Image
from radixcheck.verification.proofs.claim import Claim, but, given, goal
from radixcheck.verification.proofs.conditions import Condition, follows, preserved
from radixcheck.verification.proofs.proof_results import PROVED, REFUTED
from radixcheck.verification.proofs.variants import FREED_PAGES, free, pages_counted, slots, variants


def claims() -> Iterator[Claim]:
    """Yield the claims about where the decrement is, then those about the two lengths."""
    both_steps = {
        "Q4-AT-FREE": ("decrements the evictable size right after the free, by the slots freed,", PROVED),
        "Q4-AT-DELETE": ("decrements the evictable size in the delete, by the tokens of the key,", PROVED),
        "Q4-TWICE": ("decrements the evictable size in both places", REFUTED),
        "Q4-NEVER": ("decrements the evictable size in neither place", REFUTED),
    }
    for id_, (words, expected) in both_steps.items():
        yield Claim(
            id_, f"An eviction that {words} leaves the evictable, protected and available sizes right.", "Q3 Q4", variants()[id_], expected
        )
    yield Claim(
        "Q4-DELETE-ALONE",
        "With the decrement at the free, a caller that deletes a node without freeing its slots leaves the sizes right.",
        "Q4",
        variants()["Q4-DELETE-ALONE"],
        REFUTED,
    )
    yield Claim(
        "Q4-FREE-ALONE",
        "With the decrement in the delete, a caller that frees the slots of a node and leaves it in the tree keeps the sum of the sizes "
        "within the capacity.",
        "Q4",
        variants()["Q4-FREE-ALONE"],
        REFUTED,
    )
    yield from _equal()


def _equal() -> Iterator[Claim]:
    """Yield the claims that the two lengths are equal: in the specification, and in three other modes."""
    equal = forall(POS, lambda n: node(n) >> (slots(n) == size(n)))
    yield Claim(
        "Q3-EQUAL",
        "Every node has as many slots as tokens: `len(value)` equals `len(key)`.",
        "Q3",
        _counted(follows("Q3-EQUAL", equal, given())),
    )
    yield Claim(
        "Q3-TAIL",
        "Every node has as many slots as tokens even if a node may end in an unfinished page, which has a whole page of slots.",
        "Q3",
        follows("Q3-TAIL", equal, but(given(), "PAGE_ALIGN")),
        REFUTED,
    )
    yield Claim(
        "Q3-PAIRS",
        "Every node has as many slots as its key has pairs of neighbouring tokens, where a prefix of k tokens has k - 1 pairs.",
        "Q3",
        follows("Q3-PAIRS", forall(POS, lambda n: node(n) >> (slots(n) == pairs(n) - pairs(up(n)))), given()),
        REFUTED,
        no_run="no cache here has keys of pairs",
    )
    yield Claim(
        "Q3-EVICTED",
        "Every node has as many slots as tokens after the slots of a node are freed and the node stays in the tree, as for a copy on the "
        "host.",
        "Q3",
        preserved("Q3-EVICTED", equal, free(), given()),
        REFUTED,
    )


def pairs(position: Term) -> Term:
    """Return the number of pairs of neighbouring tokens in a prefix."""
    return ite(position == eps, 0, length(position) - 1)


def _counted(found: Condition) -> Condition:
    """Return the condition with the law that counts the pages of the goal's node by position."""

    def of(term: Term) -> Term:
        return substitute(term, {"n": goal("n")})

    image = FREED_PAGES.image
    assert image is not None, "an eviction says which pages it frees"
    of_node = replace(FREED_PAGES, where=of(FREED_PAGES.where), image=Image(lambda q: of(image.where(q)), lambda q: of(image.at(q))))
    return replace(found, laws=(*found.laws, pages_counted(of_node)))
