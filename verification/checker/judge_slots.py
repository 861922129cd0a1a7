"""Judges the slots in an answer: each must hold the token that was requested, as the engine's own writes show."""

from collections.abc import Sequence

from radixcheck.spec.run.positions import EPS
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.watched_pool import slots_of

ANSWERS_SLOTS = ("match", "start", "chunk", "decode")


def judge_slots(run: CheckedRun, done: Performed) -> list[Violation]:
    """Return the first fault of the slots answered: their number, their alignment, or the content of a page."""
    if done.op.name not in ANSWERS_SLOTS or done.answer.slots is None:
        return []
    size = run.engine.page_size
    slots, path, wanted = _expected(run, done, done.answer.slots)
    if len(slots) != wanted or len(slots) > len(path) * size:
        return [Violation("NO_UAF", f"expected {min(wanted, len(path) * size)} slots, found {len(slots)}")]
    pages, out = [first // size for first in slots[::size]], run.engine.pool.out
    if list(slots) != slots_of(pages, size)[: len(slots)]:
        return [Violation("PAGE_ALIGN", f"expected slots of whole aligned pages of {size} tokens, found {slots}")]
    if tuple(map(run.oracle.written.get, pages)) == path[: len(pages)] and all(map(out.__getitem__, pages)):
        return []
    return _wrong_page(run, slots, pages, path)


def _expected(run: CheckedRun, done: Performed, slots: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """The slots from the start of a page, the positions whose pages they must be, and the number of tokens.

    A decode answers one slot: its page is found by moving the slot to the start of that page.
    """
    p = run.oracle.positions
    if done.op.name == "match":
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
            return [Violation("NO_UAF", f"expected a slot in use for token {i * size}, found slot {slots[i * size]}, which is free")]
        held = run.oracle.written.get(page, EPS)
        if held != wanted:
            return [_wrong_content(run, i * size, page * size, held, wanted)]
    return []


def _wrong_content(run: CheckedRun, token: int, slot: int, held: int, wanted: int) -> Violation:
    p = run.oracle.positions
    only_namespace = held != EPS and p.tokens(held) == p.tokens(wanted)
    text = f"expected {prefix_text(p, wanted)} in slot {slot}, the answer for token {token}; found {prefix_text(p, held)}"
    return Violation("ISOLATION" if only_namespace else "MATCH_SOUND", text)
