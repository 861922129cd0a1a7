"""The case of a run: the states and the call from which reasons are made."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE
from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.checker.reasons.case import Case
from radixcheck.verification.core.short_text import counted

RELEASED = {"free": "caller", "unlock": "lock"}  # what a call releases: it is no holder any more
NEEDING = ("start", "decode", "alloc")  # calls that take what they need, and no more


def case_of(run: CheckedRun, values: Mapping[str, int] | None = None, admitted: bool = True, last_size: int = 0) -> Case:
    """Return the case of a run whose cache shows its inside. `values`: of the variables of a formula."""
    return _case(run, run.before, run.seen, values or {}, admitted, last_size)


def spec_case(run: CheckedRun) -> Case:
    """Return the case of the same run as the specification has it, which shows the inside of every cache.

    In a large pool the state before the operation was not kept: the state after it stands for it.
    """
    after = run.oracle.model.state
    return replace(_case(run, run.spec_before or after, after, {}, True, 0), kept=run.spec_before is not None)


def _case(run: CheckedRun, before: State, seen: State, values: Mapping[str, int], admitted: bool, last_size: int) -> Case:
    answered = run.answers[-1][1] if run.answers else None
    return Case(
        run.oracle.positions,
        run.policy,
        run.oracle.call,
        before,
        seen,
        values,
        answered if isinstance(answered, int) else None,
        admitted,
        last_size,
        holder_names(run),
    )


def taken_text(run: CheckedRun) -> str:
    """Return that a call has taken more or fewer slots than it needs, or such as are in use; empty if neither is plain."""
    call, taken, size = run.oracle.call, run.engine.pool.allocated, run.oracle.positions.page_size
    needed = call.needed // size
    if call.operation in NEEDING and len(taken) != needed:
        return f"this {call.operation} has taken {counted(len(taken), 'page')} of slots, expected {needed}"
    s = run.spec_before
    used = [page for page in taken if s is not None and s.owner[page] != FREE and page not in run.engine.pool.freed]
    return f"this {call.operation} has taken {spec_case(run).slots(used[0])}, which is in use" if used else ""


def holder_names(run: CheckedRun) -> dict[int, str]:
    """Return the names, as a trace has them, of holders that are no requests."""
    copies: Any = run.host.oracle.model.copies if run.host else ()
    call, names = run.oracle.call, dict.fromkeys(copies, "a copy in flight")
    names |= {call.h: f"{RELEASED[call.operation]} h{call.h}"} if call.operation in RELEASED else {}
    return names | {h: f"lock h{h}" for h in run.oracle.locks} | {h: f"caller h{h}" for h in run.oracle.loans}
