"""The reason of every property that has a formula over states."""

from collections.abc import Callable

from radixcheck.verification.checker.reasons import (
    attribute_reasons,
    call_reasons,
    eviction_reasons,
    host_reasons,
    slot_reasons,
    tree_reasons,
)
from radixcheck.verification.checker.reasons.case import Case

Reason = Callable[[Case], str]
_FILES = (tree_reasons, slot_reasons, attribute_reasons, eviction_reasons, call_reasons, host_reasons)
REASONS: dict[str, Reason] = {id_: reason for file in _FILES for id_, reason in file.REASONS.items()}

assert len(REASONS) == sum(len(file.REASONS) for file in _FILES), "a property has two reasons"


def reason(id_: str, case: Case) -> str:
    """Return why a formula is false; empty if what the cache shows has no words, as a node without a parent."""
    try:
        return REASONS[id_](case) if id_ in REASONS else ""
    except (KeyError, IndexError, TypeError, AttributeError, AssertionError):
        return ""
