"""Formulas of the cache without a host tier, read of one tier alone: of the positions and the nodes that this tier holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from radixcheck.spec.host.host_signature import host_available, host_content, host_holder, host_owner, host_page, hosted, resident
from radixcheck.spec.logic import BOOL, Function, Term, expand, rebuild
from radixcheck.spec.signature import available, cached, content, holder, node, owner, page


@dataclass(frozen=True, slots=True)
class TierReading:
    """Which positions a tier holds, and its functions in place of those of the cache without a host tier."""

    holds: Function
    instead: Mapping[Function, Function]

    def of(self, term: Term) -> Term:
        """Return the term as it reads of this tier: a node is one that the tier holds."""

        def read(t: Term) -> Term:
            if t.op != "app" or t.args[0].kind != "state":
                return rebuild(t, read)
            function, *args = t.args
            args = [read(arg) for arg in args]
            there = Term("app", (self.instead.get(function, function), *args), t.sort)
            return there & Term("app", (self.holds, *args), BOOL) if function is node else there

        return read(expand(term))


ON_DEVICE = TierReading(resident, {cached: resident})
ON_HOST = TierReading(
    hosted,
    {
        **{cached: hosted, page: host_page, owner: host_owner, content: host_content, holder: host_holder},
        available.args[0]: host_available.args[0],
    },
)
