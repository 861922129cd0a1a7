"""Decides every contract and its twin, in worker processes."""

from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass

from radixcheck.verification.contracts import heap_contracts as heaps
from radixcheck.verification.contracts import key_contracts as keys
from radixcheck.verification.contracts import node_contracts as nodes
from radixcheck.verification.contracts import order_contracts as orders
from radixcheck.verification.contracts import page_contracts as pages
from radixcheck.verification.contracts import tree_contracts as trees
from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.crosshair_run import explore
from radixcheck.verification.contracts.gate import EXHAUSTED, REFUTED, Judged, judge
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.workers import workers

_FILES = (heaps, trees, keys, pages, nodes, orders)  # the longest first, so that no worker is left with them

CONTRACTS: dict[str, Contract] = {c.name: c for file in _FILES for c in file.CONTRACTS}

assert len(CONTRACTS) == sum(len(file.CONTRACTS) for file in _FILES), "two contracts have one name"


@dataclass(frozen=True, slots=True)
class Decided:
    """One contract, what became of it and of its twin."""

    contract: Contract
    judged: Judged
    twin: Judged
    paths: int  # of the function, all of them if it is EXHAUSTED
    seconds: float  # for both

    @property
    def good(self) -> bool:
        """Whether the contract holds within its bounds, and says something: its twin breaks it."""
        return self.judged.verdict == EXHAUSTED and self.twin.verdict == REFUTED


def decide(contract: Contract, seconds: float) -> Decided:
    """The function under its contract, then the twin, each for at most so long."""
    right, wrong = explore(contract, contract.function, seconds), explore(contract, contract.twin, seconds)
    judged, twin = judge(contract, contract.function, right), judge(contract, contract.twin, wrong)
    return Decided(contract, judged, twin, right.paths, right.seconds + wrong.seconds)


def decide_all(seconds: float, tell: Callable[[Decided, int], None]) -> tuple[Decided, ...]:
    """Every contract, in the order of `CONTRACTS`. `tell` hears of each as it is decided, and how many are by then."""
    with workers() as pool:
        waiting = [pool.submit(decide, contract, seconds) for contract in CONTRACTS.values()]
        for done, future in enumerate(as_completed(waiting), 1):
            tell(future.result(), done)
        return tuple(future.result() for future in waiting)


def status(decided: Sequence[Decided]) -> Status:
    """Return REFUTED if a contract is refuted, UNDECIDED if one is undecided or its twin passes, else HOLDS."""
    if any(each.judged.verdict == REFUTED for each in decided):
        return Status.REFUTED
    return Status.HOLDS if decided and all(each.good for each in decided) else Status.UNDECIDED
