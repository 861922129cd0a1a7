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
from radixcheck.verification.search.run import replay

IMPURE = "PEEK_PURE"


def attributed(factory: Factory, found: Sequence[Found]) -> list[Found]:
    """Return the faults, the most direct first. Those that follow from another one name it."""
    known = {f.violation.property for f in found}
    named = [_following(f, _cause(factory, f, known)) for f in found]
    impure = [f for f in named if f.violation.follows_from == IMPURE and IMPURE not in known]
    if impure:
        named.append(_impure_peek(min(impure, key=lambda f: len(f.trace))))
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
    ranks = {p: (again.after[p], directness(p)) for p in again.found if p in known}
    first = min(ranks, key=lambda p: ranks[p])
    return "" if first == id_ else first


def _needs_a_peek(factory: Factory, found: Found) -> bool:
    """Return whether the same operations without the peeks before the last one do not break the property."""
    *before, last = found.trace
    without = [op for op in before if op.name != "peek"]
    return len(without) < len(before) and not replay(factory, found.config, (*without, last)).broken(found.violation.property)


def _impure_peek(found: Found) -> Found:
    id_ = found.violation.property
    text = f"a peek changed the cache: without the peeks the same operations do not break {id_} ({found.violation.text})"
    return Found(Violation(IMPURE, text), found.trace, found.config)
