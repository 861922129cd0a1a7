"""Times of a subject that is looked at too rarely to tell which operation read its clock: their order is compared."""

from bisect import bisect_right

from radixcheck.verification.model.state import State
from radixcheck.verification.protocol import Observation
from radixcheck.verification.refinement.abstraction import Clock


def by_rank(clock: Clock, seen: Observation, spec: State) -> None:
    """Let the subject's readings, in their order, mean the specification's times, in theirs.

    A reading that stands in no node, but in a heap, falls between its neighbours. Where there are more or fewer readings
    on nodes than times, some node's time is wrong and the states will differ.
    """
    readings = sorted({reading for n in seen.nodes for reading in (n.time, n.creation)})
    times = sorted({*spec.time.values(), *spec.creation.values()})
    clock.known = dict(zip(readings, times, strict=False))
    others = {reading for e in seen.heap or () for key in e.key for reading in (key, -key)} - clock.known.keys()
    for reading in others:
        rank = bisect_right(readings, reading)
        clock.known[reading] = clock.known.get(readings[rank - 1], 0) + 0.5 if rank else -1
