"""Wrong caches under names that the command line takes, from this folder: `radixcheck verify faulty:double_free`.

Also two mutants that are none of the catalogue: `radixcheck mutants faulty:harmless`.
"""

from dataclasses import replace

from radixcheck.verification.mutants import MUTANTS
from radixcheck.verification.mutants.mutant import mutant
from radixcheck.verification.subjects.reference import ReferenceSubject

walk_past_divergence = MUTANTS["walk_past_divergence"].factory  # FB-01
aliased_slots = MUTANTS["insert_keeps_callers_array"].factory
hits_lost_in_split = MUTANTS["split_forgets_hits"].factory
namespace_without_salt = MUTANTS["namespace_drops_component"].factory  # FB-66
double_free = MUTANTS["finish_frees_from_zero"].factory  # FB-27


class Harmless(ReferenceSubject):
    """Says what it always said, in other words."""

    def evict(self, tokens: int) -> int:
        return super().evict(int(tokens))


harmless = mutant("harmless", "EVICT_EXACT", Harmless)
misnamed = replace(MUTANTS["evict_decrements_twice"], name="misnamed", property="FREQ")
