"""A persistent heap of host leaves (C1, C4 beside a host tier): each step that pushes an entry must."""

from collections.abc import Iterator

from radixcheck.spec.host.host_heap import HOST_HEAP_FORMULAS, pushes
from radixcheck.spec.policies import POLICIES
from radixcheck.verification.proofs.claim import Claim
from radixcheck.verification.proofs.host_conditions import host_formulas, host_preserved
from radixcheck.verification.proofs.proof_results import REFUTED

_WORDS = {
    "demote": "a demotion",
    "evict_host": "an eviction from the host",
    "cancel_load": "a load that is given up",
    "fail_load": "a load that fails",
    "touch": "a touch",
}
_NO_RUN = "no cache here has a persistent heap of host leaves without this push"
MRU = POLICIES["mru"]


def claims() -> Iterator[Claim]:
    """Yield, for each step that pushes, the claim that it need not."""
    heap = {p.id: p.formula(MRU) for p in HOST_HEAP_FORMULAS if p.formula is not None}
    for name, (step, _, _) in pushes(MRU).items():
        id_, late = f"HOST-PUSH-{name.upper().replace('_', '-')}", name == "touch"
        lost = "is in the heap with a key that is not greater than its own" if late else "has a current entry in the heap"
        yield Claim(
            id_,
            "Under mru, if every host leaf that is not pinned has a current entry in the heap, with a key that is not greater than its "
            f"own, then after {_WORDS[name]} that pushes nothing every such leaf {lost}.",
            "C1 C4 C10",
            host_preserved(id_, heap["HOST_HEAP_STALE" if late else "HOST_HEAP_FULL"], step, host_formulas() | heap),
            REFUTED,
            _NO_RUN,
        )
