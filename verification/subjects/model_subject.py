"""The model as a subject: `radixcheck.spec.Model` with its inside in the open.

It is the oracle of the checks, so checking it says only that the harness agrees with itself.
"""

from radixcheck.spec import Model
from radixcheck.spec.run.model import Handle
from radixcheck.spec.run.positions import EPS
from radixcheck.verification.core.page_sizes import EVERY
from radixcheck.verification.protocol import Observation, SeenNode, SeenRequest, Setup, Supports


class ModelSubject(Model):
    """The model, and what it shows of its inside."""

    supports = Supports(page_sizes=EVERY, remembers="its table of prefixes keeps every key")

    def observe(self) -> Observation:
        """The state of the specification, in tokens and slots."""
        s, p, size = self.machine.state, self.positions, self.page_size
        nodes = []
        for n in sorted(s.node, key=p.level.__getitem__):
            path = p.path(n)[p.level[s.up[n]] :]
            segment = tuple(t for q in path for t in p.page[q])
            slots = [slot for q in path for slot in range(s.page[q] * size, (s.page[q] + 1) * size)]
            parent = None if s.up[n] == EPS else s.up[n]
            attributes = (s.time[n], s.creation[n], s.hits[n], s.priority[n])
            nodes.append(SeenNode(n, parent, segment, slots, p.namespace[n], segment[:size], s.lock[n], *attributes))
        rows = {}
        for h in self.requests:
            at = s.at[h]
            rows[h] = SeenRequest(None if at == EPS else at, p.length[at], self.row(h).slots)
        return Observation(s.now, nodes, rows)

    def locate(self, node: object) -> int | None:
        """The node of a handle; None: the root."""
        assert isinstance(node, Handle)
        return None if node.position == EPS else node.position


def model_subject(setup: Setup) -> ModelSubject:
    """The model under a setup."""
    return ModelSubject(setup.page_size, setup.policy, pool=setup.pool)
