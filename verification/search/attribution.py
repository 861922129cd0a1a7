"""Attribution: which of the properties that one fault breaks is the most direct, and which follow from it.

A property follows from another one if the same operations break that one earlier or, in the same operation, a more direct one. A peek that
changes a black box shows only later, in another property: it is named if the same operations without their peeks do not break that.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from radixcheck.verification.checker.blame import directness
from radixcheck.verification.core.catalogue import EVERY, PROBED
from radixcheck.verification.core.found import Found, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.search.run import replay

IMPURE, STALE = "PEEK_PURE", "MATCH_FRESH"


def attributed(factory: Factory, found: Sequence[Found]) -> list[Found]:
    """Return the faults, the most direct first. Those that follow from another one name it."""
    known = {f.violation.property for f in found}
    named = [_following(f, _cause(factory, f, known)) for f in found]
    impure = [f for f in named if f.violation.follows_from == IMPURE and IMPURE not in known]
    if impure:
        named.append(_impure_peek(factory, min(impure, key=lambda f: len(f.trace))))
    order = list(EVERY)
    return sorted(
        named, key=lambda f: (bool(f.violation.follows_from), directness(f.violation.property), order.index(f.violation.property))
    )


def _following(found: Found, cause: str) -> Found:
    return replace(found, violation=found.violation._replace(follows_from=cause))


def _cause(factory: Factory, found: Found, known: Collection[str]) -> str:
    """Return the property from whose violation this one follows; empty: it is the most direct one."""
    id_ = found.violation.property
    if id_ in PROBED or found.ends_process or not found.trace:
        return ""
    if id_ != IMPURE and _needs_a_peek(factory, found):
        return IMPURE
    again = replay(factory, found.config, found.trace)
    if id_ not in again.found:
        return ""
    if id_ == STALE:
        return next((p for p in _after_a_fresh_match(factory, found) if p in known), "")
    ranks = {p: (again.after[p], directness(p)) for p in again.found if p in known}
    first = min(ranks, key=lambda p: ranks[p])
    return "" if first == id_ else first


def _needs_a_peek(factory: Factory, found: Found) -> bool:
    """Return whether the same operations without the peeks before the last one do not break the property."""
    *before, last = found.trace
    without = [op for op in before if op.name != "peek"]
    return len(without) < len(before) and not replay(factory, found.config, (*without, last)).broken(found.violation.property)


def _after_a_fresh_match(factory: Factory, found: Found) -> list[str]:
    """Return what the last operation breaks after a new match, or a start that was not refused before; nothing: the old one is at fault."""
    *before, last = found.trace
    if last.name == "lock":
        before.append(Op("match", last.key))
    before = [op for op in before if op.name != "start" or last.name != "start" or op.key != last.key]
    again = replay(factory, found.config, (*before, last))
    return [p for p, after in again.after.items() if p in again.found and after == again.steps and p != STALE]


def impure_peek(factory: Factory, found: Found) -> Found | None:
    """Return the finding that a peek changes the cache, if the property is broken only because of one; None otherwise."""
    return _impure_peek(factory, found) if found.trace and _needs_a_peek(factory, found) else None


def _impure_peek(factory: Factory, found: Found) -> Found:
    id_ = found.violation.property
    text = f"a peek has changed the cache: without it the last operation does not break {id_} ({found.violation.text})"
    return replace(found, violation=Violation(IMPURE, text), at=_culprit(factory, found))


def _culprit(factory: Factory, found: Found) -> int:
    """Return the number of the last peek without which the property is not broken; of the last peek, if that takes more than one."""
    peeks = [number for number, op in enumerate(found.trace, 1) if op.name == "peek"][::-1]

    def is_needed(number: int) -> bool:
        without = (*found.trace[: number - 1], *found.trace[number:])
        return not replay(factory, found.config, without).broken(found.violation.property)

    return next(filter(is_needed, peeks), peeks[0])
