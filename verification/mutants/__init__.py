"""The mutants: deliberately wrong caches, each of which the catalogue must catch by the property that it was made for.

Every mutant overrides one operation, or one step of an operation, of a correct cache; correct code does not know of them. Two are caches
of the past, with the faults that they had. A check that passes its own mutant checks nothing.
"""

from radixcheck.verification.mutants import (
    attribute_mutants,
    device_mutants,
    eviction_mutants,
    heap_mutants,
    lock_mutants,
    misuse_mutants,
    request_mutants,
    storage_mutants,
    walk_mutants,
)
from radixcheck.verification.mutants.mutant import Mutant

__all__ = ["MUTANTS", "Mutant"]

_FILES = (
    *(walk_mutants, lock_mutants, eviction_mutants, attribute_mutants, request_mutants),
    *(heap_mutants, device_mutants, storage_mutants, misuse_mutants),
)

MUTANTS: dict[str, Mutant] = {m.name: m for file in _FILES for m in file.MUTANTS}

assert len(MUTANTS) == sum(len(file.MUTANTS) for file in _FILES), "two mutants have one name"
