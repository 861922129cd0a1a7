"""Words for an outcome as JSON, shared by the files for continuous integration."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from radixcheck.verification.core.found import Config
from radixcheck.verification.core.short_text import brief
from radixcheck.verification.operations import Op
from radixcheck.verification.wrong_values import WRONG_CALLS

Json = Mapping[str, Any]
TRACE_MAX = 40  # operations shown of a trace


def operations(found: Json) -> list[str]:
    """Return the operations of a trace, without the middle of long keys."""
    return [brief(str(Op.from_json(op))) for op in found["trace"]]


def numbered(lines: Sequence[object]) -> list[str]:
    """Return operations with their numbers, without the middle of a long trace."""
    shown = [f"{i:>3}  {line}" for i, line in enumerate(lines, 1)]
    if len(shown) <= TRACE_MAX:
        return shown
    return [*shown[: TRACE_MAX // 2], f"     .. {len(shown) - TRACE_MAX} more ..", *shown[-TRACE_MAX // 2 :]]


def trace_lines(found: Json) -> list[str]:
    """Return the lines of a trace: configuration, operations and, of a white-box subject, the trees around the last operation."""
    lines = [f"{len(found['trace'])} operations under {Config(**found['config'])}:"]
    lines += numbered(operations(found))
    if "before" in found:
        lines += ["before the last one:", found["before"], "after it:", found["after"]]
    return lines + ([found["orphans"]] if found.get("orphans") else [])


def agreement(reference: Json) -> tuple[bool, str, list[str]]:
    """Return whether a subject agrees with the reference, a sentence about it, and the lines of each undeclared difference."""
    names = f"{reference['left']} and {reference['right']}"
    over = f"{reference['operations']:,} operations"
    faults = [d for d in reference["differences"] if not (d["departs"] and set(d["departs"]) <= set(d["declared"]))]
    if not reference["operations"]:
        return False, f"{names} were not compared", []
    if reference["status"] == 0:
        return True, f"{names} agree over {over}", []
    kinds = ", ".join(d["what"] for d in faults)
    return False, f"{names} differ over {over}: {kinds}", [line for d in faults for line in _difference(reference, d)]


def _difference(reference: Json, d: Json) -> list[str]:
    answers = ((reference["left"], d["left_answer"]), (reference["right"], d["right_answer"]), ("the specification", d["specification"]))
    departs = " and ".join(d["departs"]) or "neither"
    return [f"{d['what']}: {departs} departs from the specification", *trace_lines(d), *(f"{who}: {answer}" for who, answer in answers)]


def grouped(rules: Iterable[str]) -> str:
    """Return the names of rules in one line, those of calls with a wrong value by verb and kind of argument.

    >>> grouped(("chunk", "evict with amount -1", "evict with amount None"))
    'chunk, evict with amount (-1; None)'
    """
    groups: dict[str, list[str]] = {}
    for name in rules:
        call = WRONG_CALLS.get(name)
        groups.setdefault(f"{call.verb} with {call.kind}" if call else name, []).extend([call.wrong.name] if call else [])
    return ", ".join(f"{group} ({'; '.join(values)})" if values else group for group, values in groups.items())
