"""Judges what a cache with a host tier answers and does on the tier: lengths, tickets, pages freed on the host, its free size.

Copies are compared as they are issued (`followed.py`).
"""

from collections.abc import Sequence

from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.checker.reasons.eviction_reasons import host_freed_text
from radixcheck.verification.checker.reasons.of_run import spec_case
from radixcheck.verification.checker.run_parts import HostParts
from radixcheck.verification.core.found import Violation

MATCHING = ("match", "load_back", "backup")


def judge_host_answer(run: CheckedRun, host: HostParts, done: Performed) -> list[Violation]:
    """Return what is wrong with an answer that concerns the host. Both sides have performed the operation."""
    name, call = done.op.name, host.oracle.call
    run.tally.count("BACKUP_PARENTS", any(not copy.up for copy in call.issued))
    for id_ in ("HOST_EXACT", "HOST_ORDER"):
        run.tally.count(id_, bool(call.host_victims))
    if name in MATCHING:
        run.tally.count("MATCH_TIERS", host.oracle.host_length > 0)
    if name in ("load_back", "start"):
        run.tally.count("LOAD_EXACT", call.loaded > 0)
    if name in MATCHING:
        return _judge_match(host, done)
    if name == "evict_host":
        return _judge_freed(host, done)
    if name == "poll":
        return _judge_handled(host, done)
    return _judge_waits(host, done) if name in ("start", "chunk") else []


def _judge_match(host: HostParts, done: Performed) -> list[Violation]:
    oracle, answer = host.oracle, done.answer
    if answer.host_length != oracle.host_length:
        found = f"answered {answer.host_length} as the tokens that only the host has behind the match"
        text = f"{found}, expected {oracle.host_length}: {prefix_text(oracle.positions, oracle.call.longest)} is cached"
        return [Violation("MATCH_TIERS", text)]
    if done.op.name != "match" and answer.moved != oracle.moved:
        id_ = "LOAD_EXACT" if done.op.name == "load_back" else "BACKUP_PARENTS"
        return [Violation(id_, f"answered that copies of {answer.moved} tokens were issued, expected {oracle.moved}")]
    return []


def _judge_freed(host: HostParts, done: Performed) -> list[Violation]:
    freed = len(host.engine.host_pool.freed) * host.engine.page_size
    if done.answer.length == freed:
        return []
    return [Violation("HOST_EXACT", f"answered {done.answer.length} as the tokens that were freed on the host, but slots of {freed} were")]


def _judge_handled(host: HostParts, done: Performed) -> list[Violation]:
    """A poll handles every copy that is done, and no other."""
    found, expected = set(done.answer.tickets), set(host.oracle.handled)
    early, late = sorted(found - expected), sorted(expected - found)
    if early:
        return [Violation("ARRIVAL", f"this poll has handled {_copies(early)}, which is not done, or was handled before")]
    return [Violation("REFINEMENT", f"this poll has not handled {_copies(late)}, which is done")] if late else []


def _judge_waits(host: HostParts, done: Performed) -> list[Violation]:
    """A row names the copies that fill its slots. One that has arrived and is not acknowledged may be left out."""
    found, expected = set(done.answer.tickets), host.oracle.waits(done.op.holder)
    due = {number for number in expected if not host.oracle.tickets[number][0].done}
    missing, others = sorted(due - found), sorted(found - expected)
    if missing:
        return [Violation("ARRIVED_BEFORE_READ", f"the row does not wait for {_copies(missing)}, which fills slots of it")]
    return [Violation("REFINEMENT", f"the row waits for {_copies(others)}, which fills no slot of it")] if others else []


def _copies(numbers: list[int]) -> str:
    """Copies by their numbers, of which the first of a run is 0."""
    return f"copy {', '.join(map(str, numbers))}"


def judge_arrival(host: HostParts, pages: Sequence[int]) -> list[Violation]:
    """Return the first page of an answer that is still empty, although no copy fills it any more."""
    unfilled, filled = host.engine.copier.device.unfilled, host.oracle.model.state.filled
    empty = next((page for page in pages if page in unfilled and page in filled), None) if unfilled else None
    if empty is None:
        return []
    return [Violation("ARRIVAL", f"answered page {empty}, which was never filled, and which no copy in flight fills")]


def _count_black_box(run: CheckedRun, host: HostParts, done: Performed) -> None:
    """Count what the pools and the copier check of a subject that does not show its inside."""
    issued, call = host.engine.copier.issued, host.oracle.call
    for id_ in ("SOURCE", "TARGET"):
        run.tally.count(id_, bool(issued))
    run.tally.count("HOST_SOUND", any(ticket.up for ticket in issued))
    run.tally.count("HOST_PARTITION", bool(call.host_freed))
    run.tally.count("HOST_COUNT", bool(host.oracle.model.state.hosted))
    if done.op.name == "poll":
        for id_ in ("ARRIVAL", "HOST_ARRIVAL"):
            run.tally.count(id_, bool(host.oracle.handled))
    if done.op.name in ("start", "chunk", "run"):
        run.tally.count("ARRIVED_BEFORE_READ", done.refused or bool(host.oracle.waits(done.op.holder)))


def _of_host_freed(operation: str, freed: Sequence[int], expected: Sequence[int]) -> str:
    """The property that is broken if other host pages are freed than the specification frees."""
    if operation == "reset":
        return "RESET_QUIESCENT"
    if operation == "poll":  # a failed backup gives its pages back
        return "HOST_PARTITION"
    return "HOST_ORDER" if len(freed) == len(expected) else "HOST_EXACT"


def judge_host_black_box(run: CheckedRun, host: HostParts, done: Performed) -> list[Violation]:
    """Return the first difference on the host of a subject that does not show its inside."""
    freed, expected = sorted(host.engine.host_pool.freed), sorted(host.oracle.call.host_freed)
    _count_black_box(run, host, done)
    if freed != expected:
        text = host_freed_text(spec_case(run), set(freed), set(expected), host.oracle.host_written)
        return [Violation(_of_host_freed(done.op.name, freed, expected), text)]
    size, found = host.oracle.model.state.host_available, host.engine.host_available()
    return [Violation("HOST_COUNT", f"the host says that {found} tokens are free, expected {size}")] if found != size else []
