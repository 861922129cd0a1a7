"""The rules of the state machine for a cache with a host tier: loads, backups and evictions there, and copies that complete or fail."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from radixcheck.verification.operations import Op
from radixcheck.verification.search.generate_host import host_only, in_flight, resident_node, settled, under_a_copy
from radixcheck.verification.search.recipes import Recipe, recipes, which

_amounts = st.sampled_from(((0, 1), (1, 0), (2, 0), (3, 1), (0, 0), (1000, 0)))  # pages and tokens to evict
_fails = st.sampled_from((0, 0, 0, 1))


def _on_host(name: str, when: Callable[[Any], bool] = lambda machine: True) -> Callable[[Any], Any]:
    """Enable a rule for a cache with a host pool that has this operation, while the condition holds."""
    return precondition(lambda machine: not machine.checker.stopped and name in machine.checker.operations and when(machine))


class HostRules:
    """To be mixed into the state machine."""

    checker: Any
    config: Any
    _fire: Callable[[Op], None]
    _key: Callable[[Recipe], Any]

    @_on_host("load_back")
    @rule(recipe=recipes(), only=st.booleans(), which=which)
    def load_back(self, recipe: Recipe, only: bool, which: int) -> None:
        """Load back what only the host has: of one of its nodes, or of any key."""
        directed = host_only(self.checker.oracle, lambda nodes: nodes[which % len(nodes)]) if only else None
        self._fire(Op("load_back", directed or self._key(recipe)))

    @_on_host("backup")
    @rule(recipe=recipes(), missing=st.booleans(), which=which)
    def backup(self, recipe: Recipe, missing: bool, which: int) -> None:
        """Back up a node: one that the host has not, or that of any key."""
        directed = resident_node(self.checker.oracle, lambda nodes: nodes[which % len(nodes)]) if missing else None
        self._fire(Op("backup", directed or self._key(recipe)))

    @_on_host("evict_host")
    @rule(pages_and_tokens=_amounts)
    def evict_host(self, pages_and_tokens: tuple[int, int]) -> None:
        """Evict nothing, a token, some pages or everything on the host."""
        pages, tokens = pages_and_tokens
        self._fire(Op("evict_host", amount=pages * self.config.page_size + tokens))

    @_on_host("complete")
    @rule(which=which, failed=_fails)
    def complete(self, which: int, failed: int) -> None:
        """Complete one of the copies in flight: it arrives or fails. Or let the next copy fail for which the cache waits."""
        copies = in_flight(self.checker)
        place = which % (copies + failed) if copies + failed else 0
        if copies + failed:
            self._fire(Op("complete", holder=place, amount=failed))

    @_on_host("poll")
    @rule()
    def poll(self) -> None:
        """Let the cache acknowledge the copies that are done."""
        self._fire(Op("poll"))

    @_on_host("run", lambda machine: bool(machine.checker.oracle.requests))
    @rule(which=which)
    def run(self, which: int) -> None:
        """Run a request, perhaps before the copies that it waits for have arrived."""
        live = self.checker.oracle.requests
        self._fire(Op("run", holder=live[which % len(live)]))

    @_on_host("poll", lambda machine: in_flight(machine.checker) > 0)
    @rule(which=which, settle=st.booleans())
    def cut(self, which: int, settle: bool) -> None:
        """Match a key that ends inside a node under a copy, so that the node is split; or let all copies arrive."""
        key = under_a_copy(self.checker.oracle, lambda positions: positions[which % len(positions)])
        can_match = key and "match" in self.checker.operations and not settle
        for op in [Op("match", key)] if key and can_match else settled(self.checker):
            if not self.checker.stopped:
                self._fire(op)
