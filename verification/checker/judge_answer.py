"""Judges the answer to one operation: whether it was rightly admitted or refused, its number of tokens, and its slots.

Each slot must hold the token that was requested, as the engine's own writes show. A subject that does not show its inside is judged by
its sizes and by the pages that it frees too.
"""

from collections.abc import Sequence

from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.values import NoRoom, Sizes
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.checker.judge_host import MATCHING, judge_arrival, judge_host_answer, judge_host_black_box
from radixcheck.verification.checker.reasons.call_reasons import cached_text
from radixcheck.verification.checker.reasons.eviction_reasons import freed_text, room_text
from radixcheck.verification.checker.reasons.of_run import case_of, spec_case, taken_text
from radixcheck.verification.checker.reasons.tree_reasons import sizes_text
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.watched_pool import slots_of
from radixcheck.verification.operations import listed

AS_SPECIFIED = ", as the specification has them"
COUNTS_CACHED = (
    "match",
    "peek",
    "insert",
    "start",
    "chunk",
    "load_back",
    "backup",
)  # the number answered is that of the tokens found in the cache


def judge_answer(run: CheckedRun, done: Performed) -> list[Violation]:
    """Return what is wrong with the answer."""
    if done.answer.failed:
        return _judge_failure(run, done)
    if done.answer.refused != done.refused:
        return [_wrong_side(run, done)]
    if done.refused or done.diverged:
        return []
    of_host = judge_host_answer(run, run.host, done) if run.host else []
    return _judge_length(run, done) + judge_slots(run, done) + of_host


def _judge_failure(run: CheckedRun, done: Performed) -> list[Violation]:
    answer = done.answer
    assert answer.error is not None
    if answer.length is None:
        allowed = "which the specification refuses" if done.refused else "which the specification admits"
        return [Violation(blame.of_crash(answer.error), f"this {done.op.name}, {allowed}, raised {answer.error_text}")]
    text = f"answered {answer.length} tokens as cached already, but freeing their slots raised {answer.error_text}"
    return _judge_length(run, done) or [Violation("REFINEMENT", text)]


def _wrong_side(run: CheckedRun, done: Performed) -> Violation:
    """The violation for a call that one side refuses and the other admits."""
    error: Exception | None = done.refusal
    text = f"this {done.op.name} was admitted, but must be refused: {done.refusal}"
    if done.answer.refused:
        error = done.answer.error
        text = f"this {done.op.name} must be admitted{_room(run, done)}, but raised {done.answer.error_text}"
    assert error is not None
    return Violation(blame.of_refusal(done.op, error), text)


def _room(run: CheckedRun, done: Performed) -> str:
    """Return that there is room for a call that was refused for want of it."""
    case = spec_case(run) if isinstance(done.answer.error, NoRoom) and run.oracle.call.needed else None
    return f" ({room_text(case)})" if case and case.kept else ""


def _judge_length(run: CheckedRun, done: Performed) -> list[Violation]:
    op, found = done.op, done.answer.length
    if op.name in COUNTS_CACHED:
        expected = run.oracle.cached(op)
        if found != expected:
            text = cached_text(case_of(run), found or 0, expected)
            return [Violation(blame.of_length(op, found or 0, expected), text)]
    freed = len(run.engine.pool.freed) * run.engine.page_size
    if op.name == "evict" and found != freed:
        return [Violation("EVICT_EXACT", f"answered {found} as the tokens that were freed, but slots of {freed} were")]
    return []


ANSWERS_SLOTS = (*MATCHING, "start", "chunk", "decode")


def judge_slots(run: CheckedRun, done: Performed) -> list[Violation]:
    """Return the first fault of the slots answered: their number, their alignment, or the content of a page."""
    if done.op.name not in ANSWERS_SLOTS or done.answer.slots is None:
        return []
    size = run.engine.page_size
    slots, path, wanted = _expected(run, done, done.answer.slots)
    if len(slots) != wanted or len(slots) > len(path) * size:
        return [Violation("NO_UAF", f"answered {len(slots)} slots, expected {min(wanted, len(path) * size)}: one for each token")]
    pages, out = [first // size for first in slots[::size]], run.engine.pool.out
    if list(slots) != slots_of(pages, size)[: len(slots)]:
        return [Violation("PAGE_ALIGN", f"answered slots {listed(slots)}, which are not those of whole aligned pages of {size} tokens")]
    if tuple(map(run.oracle.written.get, pages)) == path[: len(pages)] and all(map(out.__getitem__, pages)):
        return judge_arrival(run.host, pages) if run.host else []
    return _wrong_page(run, slots, pages, path)


def _expected(run: CheckedRun, done: Performed, slots: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """The slots from the start of a page, the positions whose pages they must be, and the number of tokens.

    A decode answers one slot: its page is found by moving the slot to the start of that page.
    """
    p = run.oracle.positions
    if done.op.name in MATCHING:
        return slots, p.path(run.oracle.call.key), done.answer.length or 0
    end = run.oracle.model.state.tok[done.op.holder]
    if done.op.name == "decode":
        offset = (p.length[end] - 1) % run.engine.page_size
        return tuple(slot - offset for slot in slots), (end,), 1
    return slots, p.path(end), p.length[end]


def _wrong_page(run: CheckedRun, slots: Sequence[int], pages: Sequence[int], path: Sequence[int]) -> list[Violation]:
    """Return the first page that is free or holds other tokens than those of its position."""
    size, out = run.engine.page_size, run.engine.pool.out
    for i, (page, wanted) in enumerate(zip(pages, path, strict=False)):
        if not (0 <= page < len(out) and out[page]):
            tokens = prefix_text(run.oracle.positions, wanted)
            return [Violation("NO_UAF", f"answered slot {slots[i * size]} for token {i * size} of {tokens}, but that slot is free")]
        held = run.oracle.written.get(page, EPS)
        if held != wanted:
            return [_wrong_content(run, i * size, page * size, held, wanted)]
    return []


def _wrong_content(run: CheckedRun, token: int, slot: int, held: int, wanted: int) -> Violation:
    p = run.oracle.positions
    only_namespace = held != EPS and p.tokens(held) == p.tokens(wanted)
    answered = f"answered slot {slot} for token {token} of {prefix_text(p, wanted)}"
    text = f"{answered}, but the tokens written there were those of {prefix_text(p, held)}"
    return Violation("ISOLATION" if only_namespace else "MATCH_SOUND", text)


def judge_black_box(run: CheckedRun, done: Performed, wrong: bool) -> list[Violation]:
    """Return the first difference. `wrong`: the answer was not right, so that differences would only follow from that."""
    s, freed, expected = run.oracle.model.state, sorted(run.engine.pool.freed), sorted(run.oracle.call.freed)
    run.tally.count("REFINEMENT")
    run.tally.count("COUNT", s.protected > 0)
    evicting = done.op.name in EVICTING
    if evicting:
        for id_ in ("ORDER", "EVICT_EXACT"):
            run.tally.count(id_, bool(freed))
    if wrong:
        return []
    if done.diverged:
        return [_diverged(run, done, freed, expected)]
    if not done.refused and freed != expected:
        return [_freed(run, done, freed, expected)]
    sizes, found = Sizes(s.available, s.evictable, s.protected), run.engine.sizes()
    if found != sizes:
        return [Violation("COUNT", sizes_text(found, sizes, AS_SPECIFIED))]
    return judge_host_black_box(run, run.host, done) if run.host else []


def _freed(run: CheckedRun, done: Performed, freed: Sequence[int], expected: Sequence[int]) -> Violation:
    """The violation for other pages that are freed than the specification frees."""
    before, call = run.spec_before or run.oracle.model.state, run.oracle.call
    id_ = blame.of_freed(done.op, before, set(freed), set(expected), call.wanted)
    matched = run.oracle.positions.path(call.found) if done.op.name == "start" else ()
    if any(before.page.get(q) in freed for q in matched):
        id_ = "ADMISSION"
    return Violation(id_, freed_text(spec_case(run), set(freed), set(expected), run.oracle.written | run.freed_held))


def _diverged(run: CheckedRun, done: Performed, freed: Sequence[int], expected: Sequence[int]) -> Violation:
    """The violation for pages that the specification cannot have taken."""
    op, call, length = done.op, run.oracle.call, run.oracle.positions.length
    if op.name == "start" and done.answer.length is not None and done.answer.length != length[call.found]:
        id_ = blame.of_length(op, done.answer.length, length[call.found])
        return Violation(id_, cached_text(case_of(run), done.answer.length, length[call.found]))
    if freed != expected:
        return _freed(run, done, freed, expected)
    return Violation("EVICT_EXACT" if op.name in EVICTING else "REFINEMENT", taken_text(run) or done.diverged)
