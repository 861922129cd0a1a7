"""Copies between the tiers (Q8, C10): what is offered for a backup, what an acknowledgement covers, and that no copy loses anything."""

from collections.abc import Iterator

from radixcheck.spec.host.backups import ACK_SAVE
from radixcheck.spec.host.host_signature import aim, device_candidate, filled, floor, host_content, host_filled, host_page, hosted, resident
from radixcheck.spec.host.host_transitions import DELETE, DEMOTE
from radixcheck.spec.host.loads import ACK_LOAD
from radixcheck.spec.logic import Term, forall, old
from radixcheck.spec.signature import ENTRY, POS, TREE, cached, content, node, on, owner, page, queued, up
from radixcheck.spec.transitions import h, n
from radixcheck.verification.proofs.claim import Claim
from radixcheck.verification.proofs.host_conditions import host_follows, host_formulas, host_given, host_preserved
from radixcheck.verification.proofs.proof_results import REFUTED

ENTRIES_RESIDENT = forall(ENTRY, lambda d: queued(d) >> (node(on(d)) & resident(on(d))))
_NO_RUN = "no cache here keeps such a heap beside a host tier"


def claims() -> Iterator[Claim]:
    """Yield the claims about what is offered for a backup, then those about acknowledgements and losses."""
    yield Claim(
        "Q8-OFFERED",
        "A node that the host does not hold is on the device: a caller that asks whether it has a backup needs not ask for its slots.",
        "Q8",
        host_follows("Q8-OFFERED", forall(POS, lambda n: (node(n) & ~hosted(n)) >> resident(n)), host_given()),
    )
    arrived = forall((POS, POS), lambda n, q: (node(n) & ~hosted(n) & (up(n) < q) & (q <= n)) >> filled(page(q)))
    yield Claim(
        "Q8-FILLED",
        "All device slots of a node that the host does not hold are filled: no load of it is in flight.",
        "Q8",
        host_follows("Q8-FILLED", arrived, host_given()),
    )
    slots = forall(
        (POS, POS), lambda n, q: (device_candidate(n) & (up(n) < q) & (q <= n)) >> ((owner(page(q)) == TREE) & (content(page(q)) == q))
    )
    yield Claim(
        "Q8-LEAF",
        "Each position on a device leaf that is not locked has a device page of the tree, for the tokens of its own prefix.",
        "Q8",
        host_follows("Q8-LEAF", slots, host_given()),
    )
    yield from _heap()
    yield from _acknowledged()


def _heap() -> Iterator[Claim]:
    """Yield the claims about a persistent heap of device leaves whose entries are not looked at."""
    for step, words in ((DEMOTE, "demote"), (DELETE, "deletion")):
        id_ = f"Q8-HEAP-{step.name.upper()}"
        yield Claim(
            id_,
            "If every entry of a heap is for a node that is on the device, this is so after a " + words + " that leaves the heap alone.",
            "Q8 C2",
            host_preserved(id_, ENTRIES_RESIDENT, step, host_formulas() | {"ENTRIES_RESIDENT": ENTRIES_RESIDENT}),
            REFUTED,
            _NO_RUN,
        )


def _in_span(q: Term) -> Term:
    return old((floor(h) < q) & (q <= aim(h)))


def _acknowledged() -> Iterator[Claim]:
    on_host = forall(POS, lambda q: _in_span(q) >> (hosted(q) & host_filled(host_page(q)) & (host_content(host_page(q)) == q)))
    yield Claim(
        "ACK-COVERS",
        "After a backup is acknowledged, each position of its span is on the host, in a filled page for the tokens of that very prefix, "
        "however nodes were split meanwhile.",
        "C10",
        host_preserved("ACK-COVERS", on_host, ACK_SAVE, host_given()),
    )
    on_device = forall(POS, lambda q: _in_span(q) >> (resident(q) & filled(page(q)) & (content(page(q)) == q)))
    yield Claim(
        "ACK-LOAD-COVERS",
        "After a load is acknowledged, each position of its span is on the device, in a filled page for the tokens of that very prefix, "
        "however nodes were split meanwhile.",
        "C10",
        host_preserved("ACK-LOAD-COVERS", on_device, ACK_LOAD, host_given()),
    )
    kept = forall(POS, lambda q: old(cached(q)) >> cached(q))
    loadable = forall(POS, lambda q: (old(up(n) < q) & (q <= n)) >> (hosted(q) & host_filled(host_page(q))))
    yield Claim(
        "NO-LOSS-DEMOTE",
        "A demote takes nothing out of the tree, and each position on the node is on the host, in a filled page.",
        "C10",
        host_preserved("NO-LOSS-DEMOTE", kept & loadable, DEMOTE, host_given()),
    )
    some = forall(POS, lambda q: cached(q) >> ((resident(q) & filled(page(q))) | (hosted(q) & host_filled(host_page(q)))))
    yield Claim(
        "SOME-COPY",
        "Each cached position has a filled page on the device or on the host.",
        "C10",
        host_follows("SOME-COPY", some, host_given()),
    )
    behind = forall(POS, lambda q: (cached(q) & ~resident(q)) >> (hosted(q) & host_filled(host_page(q))))
    yield Claim(
        "LOADABLE",
        "Each cached position that is not resident has a filled page on the host: what a match finds there can be loaded.",
        "C10",
        host_follows("LOADABLE", behind, host_given()),
    )
