"""Wrong caches for the command line, to be run in this folder: `radixcheck verify faulty:double_free`.

Also mutants that are not in the catalogue: `radixcheck mutants faulty:harmless`.
"""

from dataclasses import replace
from itertools import count
from typing import Any

from radixcheck.reference.node import Node
from radixcheck.spec.values import Row
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.mutant import SteppedEviction, mutant
from radixcheck.verification.protocol import Observation, Setup, Supports
from radixcheck.verification.subjects.reference_subject import ReferenceSubject

walk_past_divergence = MUTANTS["walk_past_divergence"].factory  # FB-01
aliased_slots = MUTANTS["insert_keeps_callers_array"].factory
hits_lost_in_split = MUTANTS["split_forgets_hits"].factory
namespace_without_salt = MUTANTS["namespace_drops_component"].factory  # FB-66
double_free = MUTANTS["finish_frees_from_zero"].factory  # FB-27
FAULTS = {  # these, and the property that catches each
    **{"walk_past_divergence": "MATCH_SOUND", "aliased_slots": "NO_ALIAS", "hits_lost_in_split": "FREQ"},
    **{"namespace_without_salt": "ISOLATION", "double_free": "SLOT_PARTITION"},
}


class Harmless(ReferenceSubject):
    """Behaves like the reference."""

    def evict(self, tokens: int) -> int:
        return super().evict(int(tokens))


class TreeOnly(ReferenceSubject):
    """Has no request operations."""

    supports = Supports(requests=False)

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup.page_size, setup.policy, setup.pool)


harmless = mutant("harmless", "EVICT_EXACT", Harmless)
undirected = replace(MUTANTS["victims_by_address"], name="undirected", directed="")
misnamed = replace(MUTANTS["evict_decrements_twice"], name="misnamed", property="FREQ")


# Wrong only late in a replay, for one request of many, so that shrinking is needed.

LATE = 200


class SwapsLate(ReferenceSubject):
    """Swaps the slots of the first two pages of a prompt."""

    def chunk(self, request: int) -> Row[list[int]]:
        row = super().chunk(request)
        slots, size = self.requests[request].node.slots, self.page_size
        if request == LATE:
            slots[:size], slots[size : 2 * size] = slots[size : 2 * size], slots[:size]
        return row


class LocksLate(ReferenceSubject):
    """Keeps a lock when a request finishes."""

    def finish(self, request: int) -> None:
        node = self.requests[request].node
        super().finish(request)
        if request == LATE:
            node.lock += 1


class Once(ReferenceSubject):
    """Counts one page too many, once in a process: the same operations do not show it again."""

    shown = False

    def finish(self, request: int) -> None:
        super().finish(request)
        if not Once.shown:
            Once.shown = True
            self._evictable += self.page_size


swaps_late, locks_late, wrong_once = SwapsLate.of, LocksLate.of, Once.of


class ByReplica(SteppedEviction):
    """Every second cache of a process frees the slots of its first victims in another order."""

    made = count()

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._turned = next(ByReplica.made) % 2

    def _in_order(self, victims: list[Node]) -> list[Node]:
        return [*victims[-2::-1], *victims[-1:]] if self._turned else victims


class ShowsNothing(ReferenceSubject):
    """`observe` fails after an eviction."""

    evicted = False

    def evict(self, tokens: int) -> int:
        self.evicted = True
        return super().evict(tokens)

    def observe(self) -> Observation:
        if self.evicted:
            raise OSError("gone")
        return super().observe()


class Raises(ReferenceSubject):
    """Raises an error whose text has characters that XML and terminals do not allow."""

    def evict(self, tokens: int) -> int:
        raise ZeroDivisionError("1 \x00 \x1b[31m <&>")


by_replica, shows_nothing, raises = ByReplica.of, ShowsNothing.of, Raises.of
