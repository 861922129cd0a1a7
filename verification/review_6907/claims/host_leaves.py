"""Nodes whose children are not on the device (Q6): which check for children a deletion needs beside a host tier.

A node that is on the device alone may leave the tree only if nothing is cached below it. Whether the check for children that only the host
holds can fail depends on the mode, and on the order of the backups.
"""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.host.host_signature import device_candidate, device_leaf, host_candidate, hosted, resident
from radixcheck.spec.host.host_transitions import DELETE
from radixcheck.spec.logic import Term, forall
from radixcheck.spec.signature import POS, leaf, node, time, up
from radixcheck.spec.transitions import n
from radixcheck.verification.proofs.claim import Claim, but, goal
from radixcheck.verification.proofs.host_conditions import (
    WRITE_BACK,
    WRITE_THROUGH,
    host_follows,
    host_formulas,
    host_given,
    host_preserved,
)
from radixcheck.verification.proofs.laws import towards
from radixcheck.verification.proofs.proof_results import REFUTED

DEVICE_LEAF_ALONE = forall(POS, lambda n: (node(n) & resident(n) & ~hosted(n) & device_leaf(n)) >> leaf(n))
_NO_RUN = "no cache here has this fault of a host tier"
_BY_DESIGN = "it is a correct state of the write-back mode"


def claims() -> Iterator[Claim]:
    """Yield the claims about device leaves, about nodes that only the host holds, and about the progress of evictions."""
    yield Claim(
        "Q6-THROUGH",
        "In the write-through modes a node that is on the device alone and has no child on the device has no child at all.",
        "Q6",
        host_follows("Q6-THROUGH", DEVICE_LEAF_ALONE, WRITE_THROUGH),
    )
    yield Claim(
        "Q6-BACK",
        "In the write-back mode a node that is on the device alone and has no child on the device has no child at all.",
        "Q6",
        host_follows("Q6-BACK", DEVICE_LEAF_ALONE, WRITE_BACK),
        REFUTED,
        _BY_DESIGN,
    )
    unchecked = replace(DELETE, guard=device_candidate(n) & ~hosted(n))
    yield Claim(
        "Q6-UNCHECKED-THROUGH",
        "In the write-through modes a deletion that looks for children on the device alone cuts nothing off from the root.",
        "Q6",
        host_preserved("Q6-UNCHECKED-THROUGH", host_formulas()["NO_ORPHAN"], unchecked, WRITE_THROUGH),
    )
    yield Claim(
        "Q6-UNCHECKED-BACK",
        "In the write-back mode a deletion that looks for children on the device alone cuts nothing off from the root.",
        "Q6",
        host_preserved("Q6-UNCHECKED-BACK", host_formulas()["NO_ORPHAN"], unchecked, WRITE_BACK),
        REFUTED,
        _NO_RUN,
    )
    yield from _on_the_host_alone()
    yield from _progress()
    yield from _no_ties()


def _hosted_alone(n: Term) -> Term:
    return node(n) & ~resident(n)


def _on_the_host_alone() -> Iterator[Claim]:
    childless = forall(POS, lambda n: (_hosted_alone(n) & forall(POS, lambda m: (node(m) & hosted(m)) >> (up(m) != n))) >> leaf(n))
    yield Claim(
        "Q6-HOST",
        "A node that only the host holds, and that has no child on the host, has no child at all.",
        "Q6",
        host_follows("Q6-HOST", childless, host_given()),
    )
    evicted = forall(POS, lambda n: (_hosted_alone(n) & forall(POS, lambda m: (node(m) & (up(m) == n)) >> resident(m))) >> leaf(n))
    yield Claim(
        "Q6-HOST-EVICTED",
        "A node that only the host holds, and all of whose children are on the device, has no child at all.",
        "Q6",
        host_follows("Q6-HOST-EVICTED", evicted, host_given()),
    )
    yield Claim(
        "Q6-HOST-DEFERRED",
        "A node that only the host holds, and all of whose children are on the device, has no child at all, even if a node may leave the "
        "device before its children do.",
        "Q6",
        host_follows("Q6-HOST-DEFERRED", evicted, but(host_formulas(), "DEVICE_CLOSED", "NO_UAF")),
        REFUTED,
        _NO_RUN,
    )


def _progress() -> Iterator[Claim]:
    at_once = forall(POS, lambda n: device_candidate(n) >> (hosted(n) | leaf(n)))
    yield Claim(
        "TIER-PROGRESS",
        "In the write-through modes each device leaf that is not locked can be demoted or deleted at once.",
        "Q6 C10",
        host_follows("TIER-PROGRESS", at_once, WRITE_THROUGH),
    )
    yield Claim(
        "TIER-PROGRESS-BACK",
        "In the write-back mode each device leaf that is not locked can be demoted or deleted at once.",
        "Q6 C10",
        host_follows("TIER-PROGRESS-BACK", at_once, WRITE_BACK),
        REFUTED,
        _BY_DESIGN,
    )
    below = forall((POS, POS), lambda n, m: (node(n) & device_leaf(n) & node(m) & (n < m)) >> ~resident(m))
    found = host_follows("TIER-DROP", below, host_given())
    yield Claim(
        "TIER-DROP",
        "Below a device leaf no node is on the device: what lies there can be evicted from the host leaf by leaf, and then the device leaf "
        "can be deleted.",
        "Q6 C10",
        replace(found, laws=(*found.laws, towards(goal("n"), goal("m")))),
    )


def _no_ties() -> Iterator[Claim]:
    for tier, leaf_of_tier in (("DEVICE", device_candidate), ("HOST", host_candidate)):
        apart = forall((POS, POS), lambda a, b: (leaf_of_tier(a) & leaf_of_tier(b) & (a != b)) >> (time(a) != time(b)))  # noqa: B023
        found = host_follows(f"UNIQUE-{tier}", apart, host_given())
        laws = (towards(goal("a"), goal("b")), towards(goal("b"), goal("a")))
        yield Claim(
            f"UNIQUE-{tier}",
            f"No two nodes that can leave the {tier.lower()} next by their locks, pins and children were last accessed at the same time.",
            "C6 L3 C10",
            replace(found, laws=(*found.laws, *laws)),
        )
