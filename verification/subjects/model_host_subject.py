"""The specification of a cache with a host tier as a subject: `HostModel` with its inside in the open.

It is the oracle of the checks, so checking it says only that the harness agrees with itself.
"""

from typing import Self

from radixcheck.spec.run.host_model import HostModel
from radixcheck.spec.run.model import Handle
from radixcheck.spec.run.positions import EPS
from radixcheck.verification.core.page_sizes import EVERY
from radixcheck.verification.protocol import MODES, Observation, SeenCopy, SeenNode, SeenRequest, Setup, Supports
from radixcheck.verification.subjects.host_setup import host_of


class ModelHostSubject(HostModel):
    """The model, and what it shows of its inside."""

    supports = Supports(page_sizes=EVERY, remembers="its table of prefixes keeps every key", modes=MODES)

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return a model over the pools and the copier of the checker; with an empty host if the setup has none."""
        host_pool, copier, mode = host_of(setup)
        return cls(setup.page_size, setup.policy, mode=mode, pool=setup.pool, host_pool=host_pool, copier=copier)

    def observe(self) -> Observation:
        """The state of the specification, in tokens and slots."""
        s, p = self.machine.state, self.positions
        rows = {h: SeenRequest(_name(s.at[h]), p.length[s.at[h]], self.row(h).slots) for h in self.requests}
        nodes = [self._seen_node(n) for n in sorted(s.node, key=p.level.__getitem__)]
        return Observation(s.now, nodes, rows, copies=[self._seen_copy(h) for h in self.tickets])

    def locate(self, node: object) -> int | None:
        """The node of a handle; None: the root."""
        assert isinstance(node, Handle)
        return _name(node.position)

    def _seen_node(self, n: int) -> SeenNode:
        s, p = self.machine.state, self.positions
        path = p.path(n)[p.level[s.up[n]] :]
        segment = tuple(t for q in path for t in p.page[q])
        slots = self._slots([s.page[q] for q in path if q in s.resident])
        host_slots = self._slots([s.host_page[q] for q in path if q in s.hosted])
        attributes = (s.lock[n], s.time[n], s.creation[n], s.hits[n], s.priority[n])
        return SeenNode(n, _name(s.up[n]), segment, slots, p.namespace[n], segment[: self.page_size], *attributes, host_slots, s.pins[n])

    def _seen_copy(self, holder: int) -> SeenCopy:
        copy = self.machine.copies[holder]
        return SeenCopy(copy.up, _name(copy.floor), copy.aim, self._slots(copy.sources), self._slots(copy.targets))


def _name(position: int) -> int | None:
    return None if position == EPS else position


def model_host_subject(setup: Setup) -> ModelHostSubject:
    """The model under a setup."""
    return ModelHostSubject.of(setup)
