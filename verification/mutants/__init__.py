"""The mutants: deliberately wrong caches, each of which the catalogue must catch by the property that it was made for.

Every mutant overrides one operation, or one step of an operation, of a correct cache; no correct code knows of them. Two are caches
of the past, wrong as they were. A check that lets its mutant pass checks nothing.
"""

from radixcheck.verification.mutants import attribute_mutants as attributes
from radixcheck.verification.mutants import device_mutants as device
from radixcheck.verification.mutants import eviction_mutants as eviction
from radixcheck.verification.mutants import heap_mutants as heap
from radixcheck.verification.mutants import lock_mutants as locks
from radixcheck.verification.mutants import misuse_mutants as misuse
from radixcheck.verification.mutants import request_mutants as requests
from radixcheck.verification.mutants import slot_mutants as slots
from radixcheck.verification.mutants import storage_mutants as storage
from radixcheck.verification.mutants import trail_mutants as trails
from radixcheck.verification.mutants import walk_mutants as walking
from radixcheck.verification.mutants.mutant import Mutant

__all__ = ["MUTANTS", "Mutant"]

_FILES = (walking, locks, slots, eviction, attributes, requests, heap, device, trails, storage, misuse)

MUTANTS: dict[str, Mutant] = {m.name: m for file in _FILES for m in file.MUTANTS}

assert len(MUTANTS) == sum(len(file.MUTANTS) for file in _FILES), "two mutants have one name"
