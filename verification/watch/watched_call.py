"""What one call of the scheduler did, as the watch saw it: for the checks, for the log of operations, and for the shadow."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from radixcheck.verification.watch.tree_record import Record

# The verbs, as the log and messages name them. `read` is `path_device_indices`; `free` is the allocator's, outside any other call.
MATCH, INSERT, CHECKPOINT, LOCK, UNLOCK, EVICT, READ, RESET, FREE, WINDOW = (
    *("match", "insert", "checkpoint", "lock", "unlock", "evict", "read", "reset", "free", "window"),
)


@dataclass(slots=True)
class Call:
    """One outermost call. Nodes are those of the cache."""

    number: int  # from 1
    verb: str
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    result: Any = None
    before: Any = None  # of a checkpoint: (protected, inserted, lock) of the request before the call
    touched: list[Any] = field(default_factory=list)  # nodes whose paths the call touched: ends of matches, locked and unlocked nodes
    locks: list[tuple[Any, int]] = field(default_factory=list)  # (node, +1 or -1) for each holder that came or went
    victims: list[Record] = field(default_factory=list)  # nodes that left the tree, in this order
    freed: list[Tensor] = field(default_factory=list)  # slots that went back to the allocator


class Listener(Protocol):
    """Takes each call after it was checked: the log of operations, the shadow."""

    def called(self, call: Call) -> None:
        """Take one call. `LiveWatch.ledger.record(node)` is the record of a node that is in the tree."""
