"""Counts the edges of a cache with a host tier, beside the others."""

from collections.abc import Iterator

from radixcheck.spec.run.positions import EPS
from radixcheck.verification.checker.edge_count import EdgeCount
from radixcheck.verification.checker.run_parts import HostParts
from radixcheck.verification.operations import Op

KEYED = ("match", "insert", "start", "load_back", "backup")  # operations that may split the node inside which a key ends
MOVING = ("load_back", "backup")


class HostEdgeCount(EdgeCount):
    """The edges of one run."""

    def __init__(self, host: HostParts) -> None:
        super().__init__(host.oracle)
        self._host = host
        self._moves = False  # the operation has something to copy

    def before(self, op: Op) -> None:
        """Count the edges of an operation that is made next."""
        self.taken.update(self._of_tier(op))
        super().before(op)

    def after(self, op: Op, refused: bool) -> None:
        """Remember an operation that was made, and count the edges that its result shows."""
        super().after(op, refused)
        if op.name in MOVING and self._moves and not self._host.oracle.moved:
            self.taken[f"{op.name} without room"] += 1
        if op.name == "run" and refused:
            self.taken["run before arrival"] += 1
        if any(ticket.failed for ticket in self._host.engine.copier.awaited):
            self.taken["write-back fails"] += 1

    def _of_tier(self, op: Op) -> Iterator[str]:
        model, in_flight = self._host.oracle.model, len(self._host.engine.copier.in_flight)
        if op.name in ("evict", "reset") and model.copies:
            yield f"{op.name} under a copy"
        if op.name == "evict_host" and op.amount == 0:
            yield "evict_host nothing"
        if op.name == "evict_host" and op.amount > model.state.host_capacity:
            yield "evict_host more than everything"
        if op.name == "poll" and (done := sum(ticket.done for ticket, _ in self._host.oracle.tickets.values())) != 1:
            yield "poll several" if done else "poll nothing"
        if op.name == "complete" and op.holder < in_flight:
            yield from ["copy fails"] if op.amount else ["complete out of order"] if op.holder else []
        yield from self._of_path(op)

    def _of_path(self, op: Op) -> Iterator[str]:
        """Yield the edges that follow from which tiers have what is cached of a key."""
        model, s, p = self._host.oracle.model, self._host.oracle.model.state, self._host.oracle.positions
        if op.name not in (*KEYED, "chunk", "finish"):
            return
        longest = model.deepest(p.cut(p.of(op.key) if op.name in KEYED else s.tok[op.holder]))
        found = model.resident_part(longest)
        if op.name in ("insert", "start") and found != longest:
            yield f"{op.name} what only the host has"
        if op.name == "load_back" and found == longest:
            yield "load_back nothing"
        if op.name == "backup" and found in s.hosted:
            yield "backup what is hosted"
        self._moves = found != longest if op.name == "load_back" else found != EPS and found not in s.hosted
        if longest != EPS and longest not in s.node and self._is_copied(s.end[longest], longest):
            yield "split under a copy"

    def _is_copied(self, node: int, within: int) -> bool:
        """Whether a copy in flight covers a node, inside which `within` ends."""
        p = self._host.oracle.positions
        return any(p.le(node, copy.aim) and p.le(copy.floor, within) for copy in self._host.oracle.model.copies.values())
