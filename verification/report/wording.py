"""Words for an outcome as JSON, shared by the files for continuous integration."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from itertools import groupby
from typing import Any

from radixcheck.verification.core.found import Config
from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.short_text import brief, counted
from radixcheck.verification.core.status import Status
from radixcheck.verification.mutants.mutant_results import KILLED, NOT_RUN, VERDICTS
from radixcheck.verification.operations import Op

Json = Mapping[str, Any]
TRACE_MAX = 40  # lines shown of a trace
REPEATED = 3  # times in a row from which on operations are shown once
PERIOD_MAX = 4  # operations that are looked for in a row
WRONG = "   <-- wrong"
HOLDERS = (  # the mark of a holder in an operation, what it is, and the operations that begin to use it
    ("r", "is a request", ("start",)),
    ("h", "is a lock", ("lock",)),
    ("h", "is a caller that has slots", ("alloc",)),
)


def version() -> str:
    """Return the version of this package; from a checkout that is not installed there is none."""
    try:
        return metadata.version("radixcheck")
    except metadata.PackageNotFoundError:
        return "of a checkout"


def operations(found: Json) -> list[str]:
    """Return the operations of a trace, without the middle of long keys."""
    return [brief(str(Op.from_json(op))) for op in found["trace"]]


def numbered(lines: Sequence[object]) -> list[str]:
    """Return operations with their numbers, without the middle of a long trace. Of equal operations in a row there is one line.

    A line that is marked as wrong is always there.

    >>> numbered(["a", "b", "a", "b", "a", "b", "c"])
    ['  1  a', '  2  b', '     .. these 2 lines 3 times, up to 6 ..', '  7  c']
    >>> numbered(["a"] * 500)
    ['  1  a', '     .. this line 500 times, up to 500 ..']
    """
    shown = list[str]()
    for start, length, times in _repeated([str(line) for line in lines]):
        shown += [f"{i:>3}  {lines[i - 1]}" for i in range(start + 1, start + length + 1)]
        if times > 1:
            which = "this line" if length == 1 else f"these {length} lines"
            shown.append(f"     .. {which} {times:,} times, up to {start + length * times:,} ..")
    if len(shown) <= TRACE_MAX:
        return shown
    middle = list[str]()
    for marked, part in groupby(shown[TRACE_MAX // 2 : -TRACE_MAX // 2], lambda line: line.endswith(WRONG)):
        left_out = list(part)
        middle += left_out if marked else [f"     .. {counted(len(left_out), 'more line')} .."]
    return [*shown[: TRACE_MAX // 2], *middle, *shown[-TRACE_MAX // 2 :]]


def _repeated(lines: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Yield the parts of a sequence: where each begins, how long it is, and how often it comes in a row."""
    at = 0
    while at < len(lines):
        length, times = max(((n, _times(lines, at, n)) for n in range(1, PERIOD_MAX + 1)), key=lambda part: (part[1] >= REPEATED, part[1]))
        if times < REPEATED:
            length, times = 1, 1
        yield at, length, times
        at += length * times


def _times(lines: Sequence[str], at: int, length: int) -> int:
    """Return how often the lines from `at` on come in a row."""
    block, times = lines[at : at + length], 1
    while lines[at + times * length : at + (times + 1) * length] == block:
        times += 1
    return times


def trace_lines(found: Json) -> list[str]:
    """Return the lines of a trace: its operations, and the trees around the last one, if these are known."""
    lines = operation_lines(found)
    for title, shown in trees(found):
        lines += [title, shown]
    return lines + ([found["orphans"]] if found.get("orphans") else [])


def operation_lines(found: Json) -> list[str]:
    """Return the configuration and the operations of a trace, each with its answer if it is known. The wrong one is marked."""
    count, answers = len(found["trace"]), found.get("answers", ())
    told = operations(found)
    if count <= TRACE_MAX:
        told = [f"{op}: {printable(answer)}" for op, answer in zip(told, answers, strict=False)] + told[len(answers) :]
    if found.get("wrong"):
        told[found["wrong"] - 1] += WRONG  # before equal lines become one: this one is shown
    explained = legend([Op.from_json(op) for op in found["trace"]])
    return [f"{count} operation{'s' * (count != 1)} under {Config(**found['config'])}:", *numbered(told), *explained]


def trees(found: Json) -> list[tuple[str, str]]:
    """Return the trees around the last operation, each with its title."""
    if "before" not in found:
        return []
    if found.get("specified"):
        return [("before the last one, as specified:", found["before"]), ("after it, as specified:", found["after"])]
    shown = [("before the last one:", found["before"]), ("after it:", found["after"])]
    return [*shown, ("after it, as specified:", found["expected"])] if found.get("expected") else shown


def legend(ops: Sequence[Op]) -> list[str]:
    """Return a line about what the names in the operations stand for; none if there is nothing to explain.

    >>> legend([Op.from_json({"op": "start", "tokens": [4] * 6, "holder": 2}), Op("finish", holder=2)])
    ['(4*6 is token 4, 6 times in a row; r2 is a request)']
    """
    repeated = re.search(r"(\d+)\*(\d+)", " ".join(map(str, ops)))
    words = [f"{repeated[0]} is token {repeated[1]}, {repeated[2]} times in a row"] if repeated else []
    for mark, what, names in HOLDERS:
        first = next((op.holder for op in ops if op.name in names and not op.loans), None)
        words += [f"{mark}{first} {what}"] if first is not None else []
    return [f"({'; '.join(words)})"] if words else []


def kill_counts(verdicts: Sequence[str]) -> str:
    """Return how many mutants were killed as they must be, and how many have another verdict.

    >>> kill_counts(["KILLED", "SURVIVED", "KILLED"])
    '2 of 3 mutants killed by the property that must catch them, 1 SURVIVED'
    """
    counted = Counter(verdicts)
    others = "".join(f", {counted[word]} {word}" for word in VERDICTS[1:] if counted[word])
    return f"{counted[KILLED]} of {len(verdicts)} mutants killed by the property that must catch them{others}"


def kills(matrix: Json) -> str:
    """Return the counts of a kill matrix, and the name and the verdict of each mutant that was not killed as it must be."""
    others = [f"{each['mutant']} {each['verdict']}" for each in not_killed(matrix)]
    return kill_counts([each["verdict"] for each in matrix["mutants"]]) + (f": {', '.join(others)}" if others else "")


def not_killed(matrix: Json) -> list[Json]:
    """Return the mutants that were not killed by the property and the detector that must catch them."""
    return [each for each in matrix["mutants"] if each["verdict"] != KILLED]


def kill_text(each: Json) -> str:
    """Return the verdict on a mutant that was not killed as it must be, what must kill it, and what was found instead."""
    where = f" in the detector {each['detector']}" if each["detector"] else ""
    cells = [f"{name}: {cell['verdict']}{_by(cell)}" for name, cell in each["detectors"].items() if cell["verdict"] != NOT_RUN]
    return f"{each['verdict']}: must be killed by {each['property']}{where}; {', '.join(cells) or 'no detector was run'}"


def _by(cell: Json) -> str:
    return f" by {', '.join(cell['properties'])}" if cell["properties"] else ""


def agreement(reference: Json) -> tuple[bool, str, list[str]]:
    """Return whether a subject agrees with the reference, a sentence about it, and the lines of each undeclared difference."""
    names = f"{reference['left']} and {reference['right']}"
    over = f"{reference['operations']:,} operations"
    faults = [d for d in reference["differences"] if not (d["departs"] and set(d["departs"]) <= set(d["declared"]))]
    if not reference["operations"]:
        return False, f"{names} were not compared", []
    if reference["status"] != Status.REFUTED:
        late = reference.get("unfinished", ())
        return not late, "; ".join((f"{names} agree over {over}", *late)), []
    kinds = ", ".join(d["what"] for d in faults)
    return False, f"{names} differ over {over}: {kinds}", [line for d in faults for line in _difference(reference, d)]


def _difference(reference: Json, d: Json) -> list[str]:
    answers = ((reference["left"], d["left_answer"]), (reference["right"], d["right_answer"]), ("the specification", d["specification"]))
    departs = " and ".join(d["departs"]) or "neither"
    return [f"{d['what']}: {departs} departs from the specification", *trace_lines(d), *(f"{who}: {answer}" for who, answer in answers)]


def policies_text(policies: Sequence[str]) -> str:
    """Return policies in words: the name of one, the number of several."""
    return f"policy {policies[0]}" if len(policies) == 1 else f"{len(policies)} policies"
