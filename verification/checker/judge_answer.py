"""Judges the answer to one operation: whether it was rightly admitted or refused, and the number of tokens answered."""

from radixcheck.verification.checker import blame
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.judge_slots import judge_slots
from radixcheck.verification.core.found import Violation

COUNTS_CACHED = ("match", "peek", "insert", "start", "chunk")  # the number answered is that of the tokens found in the cache


def judge_answer(run: CheckedRun, done: Performed) -> list[Violation]:
    """Return what is wrong with the answer."""
    if done.answer.failed:
        return _judge_failure(run, done)
    if done.answer.refused != done.refused:
        return [_wrongly_refused(done) if done.answer.refused else _wrongly_admitted(done)]
    if done.refused or done.diverged:
        return []
    return _judge_length(run, done) + judge_slots(run, done)


def _judge_failure(run: CheckedRun, done: Performed) -> list[Violation]:
    answer = done.answer
    assert answer.error is not None
    if answer.length is None:
        return [Violation(blame.of_crash(answer.error), f"raised {answer.error_text}")]
    text = f"answered {answer.length} tokens as cached already, but freeing their slots raised {answer.error_text}"
    return _judge_length(run, done) or [Violation("REFINEMENT", text)]


def _wrongly_refused(done: Performed) -> Violation:
    assert done.answer.error is not None
    return Violation(blame.of_refusal(done.op, done.answer.error), f"expected the call to be admitted, it raised {done.answer.error_text}")


def _wrongly_admitted(done: Performed) -> Violation:
    assert done.refusal is not None
    return Violation(blame.of_refusal(done.op, done.refusal), f"expected the call to be refused ({done.refusal}), it was admitted")


def _judge_length(run: CheckedRun, done: Performed) -> list[Violation]:
    op, found = done.op, done.answer.length
    if op.name in COUNTS_CACHED:
        expected = run.oracle.positions.length[run.oracle.call.found]
        if found != expected:
            text = f"expected {expected} tokens, found {found}"
            return [Violation(blame.of_length(op, found or 0, expected), text)]
    freed = len(run.engine.pool.freed) * run.engine.page_size
    if op.name == "evict" and found != freed:
        return [Violation("EVICT_EXACT", f"expected {freed} tokens, as many as were freed; found {found}")]
    return []
