"""Wrong caches under names that the command line takes, from this folder: `radixcheck verify faulty:double_free`."""

from radixcheck.verification.mutants import MUTANTS

walk_past_divergence = MUTANTS["walk_past_divergence"].factory  # FB-01
aliased_slots = MUTANTS["insert_keeps_callers_array"].factory
hits_lost_in_split = MUTANTS["split_forgets_hits"].factory
namespace_without_salt = MUTANTS["namespace_drops_component"].factory  # FB-66
double_free = MUTANTS["finish_frees_from_zero"].factory  # FB-27
