"""Guards of the loop and of the deletion: which of them can never fail on a correct cache (Q2, Q5 to Q7, Q10, L1)."""

from collections.abc import Iterator

from radixcheck.spec.heap_machine import POP_DEAD, e, f, live
from radixcheck.spec.logic import BOOL, Term, conj, forall, old, substitute
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import EVICT, n
from radixcheck.verification.proofs.claim import ANY_GIVEN, Claim, given, resting_on, step_of
from radixcheck.verification.proofs.conditions import ANY, follows, preserved
from radixcheck.verification.proofs.decide import REFUTED
from radixcheck.verification.proofs.variants import variants

DELETED = queued(e) & ~node(on(e))  # an entry whose node has left the tree


def claims() -> Iterator[Claim]:
    """What is an assertion, and what has to be asked."""
    yield from _deleted()
    yield from _deletion()
    yield from _unreached()
    yield Claim(
        "LEAFSET-EXACT",
        "The nodes of live entries are exactly the evictable leaves, each once: a set kept at the same places is exact at all times.",
        "L1 C1",
        follows("LEAFSET-EXACT", _exact(), given(heap=True)),
    )


def _deleted() -> Iterator[Claim]:
    """The entry of a node that is gone: `node.value is None` in the loop."""
    evict = step_of(ANY, "evict")
    skipped = DELETED >> (POP_DEAD.guard & ~evict.guard)
    yield Claim(
        "Q2-GUARD",
        "An entry whose node has left the tree is dead: it is popped, and no eviction takes it.",
        "Q2 Q5",
        follows("Q2-GUARD", Term("forall", ((e, f, n), skipped), BOOL), ANY_GIVEN),
    )
    yield Claim(
        "Q2-NO-GUARD",
        "A loop that does not ask whether the node is still there keeps the sizes when a second entry of the victim surfaces.",
        "Q2 Q5 C3",
        variants()["Q2-NO-GUARD"],
        REFUTED,
    )


def _deletion() -> Iterator[Claim]:
    """What an eviction asks of the tree when it deletes."""
    behind = forall(POS, lambda k: old(cached(k)) >> ~(n < k))
    yield Claim(
        "Q6-LEAF",
        "Behind a node that is deleted nothing is cached: with one tier, that it has no children is an assertion.",
        "Q6",
        resting_on(preserved("Q6-LEAF", behind, EVICT, given()), "COVER", "PARENT"),
    )

    def first_page(y: Term, n: Term) -> Term:
        return node(n) & (prev(y) == up(n)) & (y != eps) & (y <= n)

    found = forall((POS, POS), lambda n, y: first_page(y, n) >> (cached(y) & (end(y) == n)))
    alone = forall((POS, POS, POS), lambda n, m, y: (first_page(y, n) & first_page(y, m)) >> (n == m))
    yield Claim(
        "Q7-CHILD-KEY",
        "The first page of a node's segment leads its parent to that node and no other: that the lookup succeeds is an assertion.",
        "Q7 C5",
        resting_on(follows("Q7-CHILD-KEY", found & alone, given()), "NO_ORPHAN", "COVER", "PARENT", "CHILD_KEY"),
    )
    yield Claim(
        "Q10-ROOT",
        "The root is no evictable leaf, and no live entry speaks for it: that the victim is not the root is an assertion.",
        "Q10",
        follows("Q10-ROOT", ~candidate(eps) & forall(ENTRY, lambda d: live(d) >> (on(d) != eps)), given(heap=True)),
    )


def _unreached() -> Iterator[Claim]:
    """Who can still reach a node that was deleted."""
    (pages,) = (update for update in EVICT.updates if update.function is owner)
    (s,) = pages.parameters

    def freed(page_: Term) -> Term:
        return old(substitute(pages.where, {s.args[0]: page_}))

    yield Claim(
        "UNREACHED",
        "No holder's path runs through a node that is evicted: whoever still knows it only has a stale handle.",
        "Q5 Q10",
        resting_on(preserved("PROTECTED", forall(REQUEST, lambda h: old(held(h)) >> ~(n <= at(h))), EVICT, given()), "COVER", "PROTECTED"),
    )
    shown = forall((REQUEST, POS), lambda h, q: (held(h) & (q <= tok(h)) & (q != eps)) >> ~freed(row(h, q)))
    yield Claim(
        "UNREACHED-ROWS",
        "No row of a live request shows a slot that an eviction frees.",
        "Q5",
        resting_on(preserved("NO_UAF", shown, EVICT, given()), "COVER", "PARENT", "CHILD_KEY", "MATCH_SOUND", "NO_UAF", "PROTECTED"),
    )
    yield Claim(
        "UNREACHED-ENTRIES",
        "After an eviction every entry left for the victim is dead.",
        "Q2 Q5",
        preserved("HEAP_FULL", forall(ENTRY, lambda d: (queued(d) & (on(d) == n)) >> ~live(d)), step_of(ANY, "evict"), ANY_GIVEN),
    )


def _exact() -> Term:
    """Each evictable leaf has a live entry, each live entry speaks for one, and no two for the same."""
    complete = forall(POS, lambda k: candidate(k) >> (live(entry(k)) & (on(entry(k)) == k)))
    once = forall((ENTRY, ENTRY), lambda d, e: (live(d) & live(e) & (on(d) == on(e))) >> (d == e))
    return conj(complete, forall(ENTRY, lambda d: live(d) >> candidate(on(d))), once)
