"""Misuses: calls outside their guard, made only with --misuse. Each must raise a typed error and change nothing."""

from collections.abc import Callable
from functools import partial
from typing import Any

from radixcheck.spec.signature import TREE
from radixcheck.spec.values import Key
from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.checker.engine import Answer, Engine, SubjectFailed
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import REQUEST_MISUSES, TREE_MISUSES
from radixcheck.verification.protocol import Supports

Call = Callable[[], Any]
UNKNOWN = 10**9  # a request id that is never used


def misuses_for(supports: Supports) -> tuple[str, ...]:
    """Return the names of the misuses that are possible with a subject's verbs."""
    names = (TREE_MISUSES if supports.tree else ()) + (REQUEST_MISUSES if supports.requests else ())
    return tuple(name for name in names if name.partition(" ")[0] in supports.operations)


def misuse(engine: Engine, oracle: Oracle, name: str) -> Answer | None:
    """Make one misuse. Return None if it is not possible in the present state."""
    call = _CALLS[name](engine, oracle)
    if call is None:
        return None
    engine.pool.begin()
    try:
        engine.call(call)
    except Exception as error:  # a subject may raise anything
        return Answer(error=error.with_traceback(None))
    return Answer()


def _lock_stale(engine: Engine, oracle: Oracle) -> Call | None:
    stale = next((handle for key, handle in engine.handles.items() if key not in oracle.matched), None)
    return (lambda: engine.subject.lock(stale)) if stale is not None else None


def _tree_page(engine: Engine, oracle: Oracle) -> Any:
    """Return the slots of a page that the tree owns, in the container that the subject uses; None if there is none."""
    page = next((p for p, owner in enumerate(oracle.model.state.owner) if owner == TREE), None)
    size = engine.page_size
    return None if page is None else engine.container(list(range(page * size, (page + 1) * size)))


def _free_foreign(engine: Engine, oracle: Oracle) -> Call | None:
    slots = _tree_page(engine, oracle)
    return None if slots is None else lambda: engine.subject.free(slots)


def _insert_foreign(engine: Engine, oracle: Oracle) -> Call | None:
    slots = _tree_page(engine, oracle)
    return None if slots is None else lambda: engine.subject.insert(_unknown_key(engine), slots)


def _unknown_key(engine: Engine) -> Key:
    return Key((10**6,) * engine.page_size)


def _start_twice(engine: Engine, oracle: Oracle) -> Call | None:
    live = next(iter(oracle.requests), None)
    return None if live is None else lambda: engine.subject.start(live, _unknown_key(engine))


_CALLS: dict[str, Callable[[Engine, Oracle], Call | None]] = {
    "unlock twice": lambda engine, oracle: None if engine.released is None else partial(engine.subject.unlock, engine.released),
    "lock a stale handle": _lock_stale,
    "free slots of the tree": _free_foreign,
    "insert slots of the tree": _insert_foreign,
    "evict a negative number": lambda engine, oracle: lambda: engine.subject.evict(-1),
    "match a negative token": lambda engine, oracle: lambda: engine.subject.match(Key((-1,) * engine.page_size)),
    "reset while held": lambda engine, oracle: engine.subject.reset if oracle.model.state.held else None,
    "start a live request": _start_twice,
    "finish an unknown request": lambda engine, oracle: lambda: engine.subject.finish(UNKNOWN),
    "decode an unknown request": lambda engine, oracle: lambda: engine.subject.decode(UNKNOWN, 1),
    "abort an unknown request": lambda engine, oracle: lambda: engine.subject.abort(UNKNOWN),
}


def judge_misuse(run: CheckedRun, name: str) -> list[Violation]:
    """Make one misuse, if it is possible in the present state, and judge it."""
    run.before = run.seen
    answer = misuse(run.engine, run.oracle, name)
    run.tally.count("MISUSE", answer is not None)
    if answer is None:
        return []
    if not answer.refused:
        found = f"it raised {answer.error_text}" if answer.error else "the call was accepted"
        return [Violation("MISUSE", f"{name}: expected a typed error, {found}")]
    changes = [finding.text for finding in run.engine.pool.findings]
    if run.transparent:
        changes += _changes(run)
    return [Violation("MISUSE", f"{name}: refused, but {changes[0]}")] if changes else []


def _changes(run: CheckedRun) -> list[str]:
    try:
        findings = [violation.text for violation in run.observe()]
    except SubjectFailed as failed:
        findings = [str(failed)]
    return findings + [f"{name} changed" for name in run.differing(run.tainted)]
