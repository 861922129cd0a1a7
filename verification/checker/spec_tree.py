"""The tree of the specification, as a cache would show it; and the tree of a cache with the specification's times."""

from collections.abc import Sequence
from dataclasses import replace

from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.state import State
from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.core.watched_pool import slots_of
from radixcheck.verification.protocol import Observation, SeenNode

ATTRIBUTES = ("time", "creation", "hits", "priority")


def spec_tree(state: State, hidden: Sequence[str] = ()) -> Observation:
    """Return the nodes of a state. Of `hidden` attributes, which the cache does not show, none is shown here either."""
    p, size = state.positions, state.positions.page_size
    nodes = []
    for n in state.node:
        path = p.path(n)[p.level[state.up[n]] :]
        segment = tuple(token for q in path for token in p.page[q])
        slots = slots_of((state.page[q] for q in path if q in state.page), size)
        parent = None if state.up[n] == EPS else state.up[n]
        time, creation, hits, priority = (0 if name in hidden else getattr(state, name)[n] for name in ATTRIBUTES)
        seen = SeenNode(n, parent, segment, slots, p.namespace[n], None, state.lock[n], time, creation, hits, priority)
        if isinstance(state, HostState):
            on_host = slots_of((state.host_page[q] for q in path if q in state.hosted), size)
            seen = seen._replace(slots=slots if n in state.resident else [], host_slots=on_host, pins=state.pins[n])
        nodes.append(seen)
    return Observation(state.now, in_order_of_keys(nodes))


def in_order_of_keys(nodes: Sequence[SeenNode]) -> list[SeenNode]:
    """Return nodes in the order of their keys, so that two trees stand line by line. A node whose parent is not shown comes last."""
    of = {n.name: n for n in nodes}

    def key(n: SeenNode) -> tuple[str, tuple[int, ...]]:
        segments, at, left = [tuple(n.segment)], n.parent, len(nodes)
        while at is not None and at in of and left:
            segments.append(tuple(of[at].segment))
            at, left = of[at].parent, left - 1
        return repr(n.namespace), tuple(token for segment in reversed(segments) for token in segment)

    return sorted(nodes, key=key)


def cache_tree(run: CheckedRun, seen: Observation) -> Observation:
    """Return what a cache shows, in the order of the keys, with its clock readings as the ticks of which the sentences speak."""
    in_ticks = with_ticks(run, seen)
    return replace(in_ticks, nodes=in_order_of_keys(in_ticks.nodes))


def with_ticks(run: CheckedRun, seen: Observation) -> Observation:
    """Return what a cache shows, with ticks in place of the clock readings of its nodes."""
    known = run.ticks or run.abstraction.clock.known

    def tick(reading: float) -> float:
        return known.get(reading, reading)

    return replace(seen, nodes=[n._replace(time=tick(n.time), creation=tick(n.creation)) for n in seen.nodes])
