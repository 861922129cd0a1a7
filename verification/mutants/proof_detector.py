"""Faults that the specification can state: the claim that a variant of a step is right, or the mutant of a step that makes the fault.

A claim must be REFUTED, a mutant of a step must be CAUGHT, each by a state on which the step was run. That kills the fault by the
property that the state breaks; it says nothing of the program, which is for the other detectors.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """A fault as the proofs know it."""

    name: str  # of a claim about a variant (`proofs/variants.py`), or of a mutant of a step (`proofs/spec_mutants.py`)
    property: str = ""  # that a refuted claim breaks; empty: it is a mutant of a step, and the formula that catches it gives the property


@dataclass(frozen=True, slots=True)
class Refutation:
    """What broke, and how that is known."""

    property: str
    text: str


STATED = {
    "split_forgets_lock": Statement("split, lock(m): no update"),
    "split_forgets_hits": Statement("split, hits(m): no update"),
    "split_forgets_priority": Statement("split, priority(m): no update"),
    "split_renews_creation": Statement("split, creation(m): becomes one more"),
    "split_forgets_parent": Statement("split, up(c): no update"),
    "match_forgets_touch": Statement("touch, time(q) where node(q) and q <= n: no update"),
    "insert_touches_leaf_only": Statement("grow, time(q) where node(q) and q <= at(h): no update"),
    "insert_without_tick": Statement("grow, now: no update"),
    "insert_keeps_tail": Statement("grow, guard without whole(x)"),
    "insert_counts_duplicates": Statement("grow, protected: becomes one more"),
    "lock_skips_ancestors": Statement("begin, lock(q) where node(q) and q <= n: no update"),
    "unlock_twice": Statement("release, lock(q) where node(q) and q <= at(h): reaches beyond q <= at(h)"),
    "unlock_walks_anew": Statement("release, lock(q) where node(q) and q <= at(h): reaches beyond q <= at(h)"),
    "unlock_accepts_old_receipt": Statement("release, guard without held(h)"),
    "leave_forgets_unlock": Statement("release, lock(q) where node(q) and q <= at(h): no update"),
    "chunk_keeps_old_lock": Statement("relock, lock(q) where node(q) and at(h) < q and q <= x: reaches beyond at(h) < q"),
    "chunk_keeps_own_duplicates": Statement("relock, row(g, q) where g = h and at(h) < q and q <= x: no update"),
    "chunk_keeps_stale_row": Statement("relock, row(g, q) where g = h and at(h) < q and q <= x: no update"),
    "abort_forgets_unlock": Statement("release, lock(q) where node(q) and q <= at(h): no update"),
    "finish_frees_from_zero": Statement(
        "release, owner(page_) where owner(page_) = 2 and holder(page_) = h: reaches beyond owner(page_) = 2"
    ),
    "match_counts_hit": Statement("touch, hits(q) where node(q) and q <= n: becomes one more"),
    "insert_forgets_priority": Statement("touch, priority(q) where node(q) and q <= n: no update"),
    "coarse_clock": Statement("touch, time(q) where node(q) and q <= n: becomes one less"),
    "touch_whole_edge": Statement("touch, time(q) where node(q) and q <= n: reaches beyond q <= n"),
    "evict_keeps_node": Statement("evict, cached(q) where up(n) < q and q <= n: no update"),
    "abort_leaks_row": Statement("release, owner(page_) where owner(page_) = 2 and holder(page_) = h: no update"),
    "abort_leaks_tail": Statement("release, owner(page_) where owner(page_) = 2 and holder(page_) = h: no update"),
    "evict_ignores_lock": Statement("evict, guard without lock(n) = 0"),
    "evict_internal": Statement("evict, guard without leaf(n)"),
    "reset_keeps_slots": Statement("reset, owner(s) where owner(s) /= 0: no update"),
    "reset_while_held": Statement("reset, guard without for all g: not held(g)"),
    "evict_decrements_twice": Statement("Q4-TWICE", "COUNT"),
    "evict_keeps_size": Statement("Q4-NEVER", "COUNT"),
    "evict_deletes_unfreed": Statement("Q4-DELETE-ALONE", "COUNT"),
    "evict_frees_and_keeps": Statement("Q4-FREE-ALONE", "COUNT"),
    "evict_frees_the_deleted": Statement("Q2-NO-GUARD", "COUNT"),
    "heap_trusts_old_entries": Statement("Q1-UNCHECKED", "NO_ORPHAN"),
    "evict_forgets_parent": Statement("lru evict, queued(f): no update"),
    "release_forgets_push": Statement("lru release, queued(e): no update"),
    "touch_without_push": Statement("LAZY-mru", "HEAP_STALE"),
}


def refutation(stated: Statement, seed: int) -> Refutation | None:
    """What refutes the fault; None if nothing does. Raises KeyError for a claim, or a mutant of a step, that there is none of."""
    return _of_claim(stated, seed) if stated.property else _of_step(stated.name, seed)


def _of_claim(stated: Statement, seed: int) -> Refutation | None:
    from radixcheck.verification.proofs.decide import refute_each
    from radixcheck.verification.proofs.proof_results import REFUTED
    from radixcheck.verification.proofs.variants import variants

    (decided,) = refute_each(variants()[stated.name], (seed,))
    return Refutation(stated.property, f"the claim {stated.name} is refuted") if decided.verdict == REFUTED else None


def _of_step(name: str, seed: int) -> Refutation | None:
    from radixcheck.verification.proofs.proof_results import CAUGHT
    from radixcheck.verification.proofs.spec_mutants.generate_mutants import mutants
    from radixcheck.verification.proofs.spec_mutants.judge_mutants import judge

    judged = judge({mutant.name: mutant for mutant in mutants()}[name], seed)
    if judged.verdict != CAUGHT:
        return None
    return Refutation(judged.by.partition(" ")[0].rpartition("/")[2], f"the changed step breaks {judged.by}")
