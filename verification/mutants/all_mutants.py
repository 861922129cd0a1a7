"""All mutants, by name."""

from radixcheck.verification.mutants import (
    attribute_mutants,
    device_mutants,
    event_mutants,
    eviction_mutants,
    heap_mutants,
    host_backup_mutants,
    host_eviction_mutants,
    host_load_mutants,
    host_split_mutants,
    lock_mutants,
    misuse_mutants,
    page_event_mutants,
    request_mutants,
    storage_mutants,
    tier_memory_mutants,
    tier_tree_mutants,
    walk_mutants,
)
from radixcheck.verification.mutants.mutant import Mutant

_FILES = (
    *(walk_mutants, lock_mutants, eviction_mutants, attribute_mutants, request_mutants),
    *(heap_mutants, device_mutants, storage_mutants, misuse_mutants),
    *(host_backup_mutants, host_load_mutants, host_eviction_mutants, host_split_mutants),
    *(tier_tree_mutants, tier_memory_mutants),
    *(event_mutants, page_event_mutants),
)

MUTANTS: dict[str, Mutant] = {m.name: m for file in _FILES for m in file.MUTANTS}

assert len(MUTANTS) == sum(len(file.MUTANTS) for file in _FILES), "two mutants have one name"
