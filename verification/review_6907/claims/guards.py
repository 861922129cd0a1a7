"""Checks in the eviction loop and in the delete: which of them can never fail on a correct cache (Q2, Q5 to Q7, Q10, L1)."""

from collections.abc import Iterator

from radixcheck.spec.heap_machine import POP_DEAD, e, f, live
from radixcheck.spec.logic import BOOL, Term, conj, forall, old, substitute
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import EVICT, n
from radixcheck.verification.proofs.claim import ANY_GIVEN, Claim, given, resting_on, step_of
from radixcheck.verification.proofs.conditions import ANY, follows, preserved
from radixcheck.verification.proofs.proof_results import REFUTED
from radixcheck.verification.proofs.variants import variants

DELETED = queued(e) & ~node(on(e))  # an entry whose node has left the tree


def claims() -> Iterator[Claim]:
    """Yield the claims about deleted nodes, the delete, and who reaches a deleted node."""
    yield from _deleted()
    yield from _deletion()
    yield from _unreached()
    yield Claim(
        "LEAFSET-EXACT",
        "The nodes of live entries are exactly the evictable leaves, and no two live entries have the same node.",
        "L1 C1",
        follows("LEAFSET-EXACT", _exact(), given(heap=True)),
    )


def _deleted() -> Iterator[Claim]:
    """Yield the claims about entries of deleted nodes: the check `node.value is None` in the loop."""
    evict = step_of(ANY, "evict")
    skipped = DELETED >> (POP_DEAD.guard & ~evict.guard)
    yield Claim(
        "Q2-GUARD",
        "An entry whose node has left the tree can be popped as dead, and allows no eviction.",
        "Q2 Q5",
        follows("Q2-GUARD", Term("forall", ((e, f, n), skipped), BOOL), ANY_GIVEN),
    )
    yield Claim(
        "Q2-NO-GUARD",
        "A loop that checks only the lock count leaves the sizes right when it evicts a node and then, by a second entry, the same node "
        "again.",
        "Q2 Q5 C3",
        variants()["Q2-NO-GUARD"],
        REFUTED,
    )


def _deletion() -> Iterator[Claim]:
    """Yield the claims about checks that a delete makes."""
    behind = forall(POS, lambda k: old(cached(k)) >> ~(n < k))
    yield Claim(
        "Q6-LEAF",
        "Below a node that is evicted nothing was cached.",
        "Q6",
        resting_on(preserved("Q6-LEAF", behind, EVICT, given()), "COVER", "PARENT"),
    )

    def first_page(y: Term, n: Term) -> Term:
        return node(n) & (prev(y) == up(n)) & (y != eps) & (y <= n)

    found = forall((POS, POS), lambda n, y: first_page(y, n) >> (cached(y) & (end(y) == n)))
    alone = forall((POS, POS, POS), lambda n, m, y: (first_page(y, n) & first_page(y, m)) >> (n == m))
    yield Claim(
        "Q7-CHILD-KEY",
        "The first page of a node's segment is cached and covered by that node, and no other node has the same first page.",
        "Q7 C5",
        resting_on(follows("Q7-CHILD-KEY", found & alone, given()), "NO_ORPHAN", "COVER", "PARENT", "CHILD_KEY"),
    )
    yield Claim(
        "Q10-ROOT",
        "The root is not an evictable leaf, and no live entry is for the root.",
        "Q10",
        follows("Q10-ROOT", ~candidate(eps) & forall(ENTRY, lambda d: live(d) >> (on(d) != eps)), given(heap=True)),
    )


def _unreached() -> Iterator[Claim]:
    """Yield the claims about who still reaches a node that was deleted."""
    (pages,) = (update for update in EVICT.updates if update.function is owner)
    (s,) = pages.parameters

    def freed(page_: Term) -> Term:
        return old(substitute(pages.where, {s.args[0]: page_}))

    yield Claim(
        "UNREACHED",
        "No holder's path contains a node that is evicted.",
        "Q5 Q10",
        resting_on(preserved("PROTECTED", forall(REQUEST, lambda h: old(held(h)) >> ~(n <= at(h))), EVICT, given()), "COVER", "PROTECTED"),
    )
    shown = forall((REQUEST, POS), lambda h, q: (held(h) & (q <= tok(h)) & (q != eps)) >> ~freed(row(h, q)))
    yield Claim(
        "UNREACHED-ROWS",
        "No row of a live request contains a slot that an eviction frees.",
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
    """Each evictable leaf has a live entry, each live entry is for an evictable leaf, and no two are for the same."""
    complete = forall(POS, lambda k: candidate(k) >> (live(entry(k)) & (on(entry(k)) == k)))
    once = forall((ENTRY, ENTRY), lambda d, e: (live(d) & live(e) & (on(d) == on(e))) >> (d == e))
    return conj(complete, forall(ENTRY, lambda d: live(d) >> candidate(on(d))), once)
