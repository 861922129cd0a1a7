"""Decides every contract and its twin, in worker processes."""

from collections.abc import Callable
from concurrent.futures import as_completed

from radixcheck.verification.contracts import heap_contracts, key_contracts, node_contracts, order_contracts, page_contracts, tree_contracts
from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.contract_results import Decided
from radixcheck.verification.contracts.crosshair_run import explore
from radixcheck.verification.contracts.gate import judge
from radixcheck.verification.core.workers import workers

# The slowest first, so that both workers end at about the same time.
_FILES = (heap_contracts, tree_contracts, key_contracts, page_contracts, node_contracts, order_contracts)

CONTRACTS: dict[str, Contract] = {c.name: c for file in _FILES for c in file.CONTRACTS}

assert len(CONTRACTS) == sum(len(file.CONTRACTS) for file in _FILES), "two contracts have the same name"


def decide(contract: Contract, seconds: float) -> Decided:
    """Decide the function under its contract, then the twin, each within `seconds`."""
    right, wrong = explore(contract, contract.function, seconds), explore(contract, contract.twin, seconds)
    judged, twin = judge(contract, contract.function, right), judge(contract, contract.twin, wrong)
    return Decided(contract, judged, twin, right.paths, right.seconds + wrong.seconds)


def decide_all(seconds: float, progress: Callable[[Decided, int], None]) -> tuple[Decided, ...]:
    """Decide every contract, and return the results in the order of `CONTRACTS`.

    `progress` is called with each result and the number of results so far.
    """
    with workers() as pool:
        waiting = [pool.submit(decide, contract, seconds) for contract in CONTRACTS.values()]
        for done, future in enumerate(as_completed(waiting), 1):
            progress(future.result(), done)
        return tuple(future.result() for future in waiting)
