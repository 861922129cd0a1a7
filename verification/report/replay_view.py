"""The results of `radixcheck replay` at the terminal: a trace of requests, a trace of operations, and what shrinking made of it."""

from collections.abc import Iterator
from shlex import quote
from typing import Any

from rich.text import Text

from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.program import program
from radixcheck.verification.core.short_text import brief
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.style import colour, styled_status, table, warning
from radixcheck.verification.report.wording import WRONG, legend, numbered
from radixcheck.verification.runs.trace_results import TRACE, ReplayOutcome, ShrinkOutcome, TraceOutcome
from radixcheck.verification.trace_replay.replay_results import Replayed, Step, TierReplayed


def replay(outcome: ReplayOutcome) -> list[Any]:
    """Return the figures of a replay, what was checked how often, and the fault if there is one."""
    r, s = outcome.replayed, outcome.settings
    shown = table("replay", "")
    host = f", host pool of {s.host_pool:,}, {s.mode}" if s.mode else ""
    rows = {
        f"{outcome.trace} through {outcome.subject}": f"{s.policy}, pages of {s.page_size}, pool of {s.pool:,}{host}, {s.running} running",
        "format": f"{outcome.format}: {_scale(outcome)}",
        "requests": f"{r.requests:,}, {sum(r.operations.values()):,} operations, {r.refused:,} refused for lack of room",
        "hit rate": f"{r.hit_rate:.1%} of {r.prompt_tokens:,} prompt tokens",
        "evictions": f"{r.victims:,} nodes, {r.evicted_tokens:,} tokens",
        **(_tier(r, r.tier) if r.tier else {}),
        "leaks": f"{r.leaked:,} tokens; still locked: {r.protected:,}",
        "checked": "; ".join(f"{name} {count:,}" for name, count in r.looked.items()),
        "formulas": ", ".join(f"{name} {count:,}" for name, count in r.formulas.items()),
        "time": f"{r.seconds:.1f} s",
    }
    for name, value in rows.items():
        shown.add_row(name, value)
    parts: list[Any] = [shown]
    if not r.local:
        parts.append(warning("the subject shows no paths: only the comparisons of the whole state looked inside"))
    if r.fault:
        f = r.fault
        where = f"at operation {f.step:,} ({f.operation}), request {f.request:,}"
        parts.append(_refuted(f.violation.property, f" {where}: {f.violation.text}"))
    if outcome.unread:
        parts.append(warning(f"{outcome.unread}; the {r.requests:,} requests before it were replayed"))
    return [*parts, Text.assemble(f"{outcome.subject} ", styled_status(outcome.status), f" on {outcome.trace}"), *_shrunk(outcome.shrunk)]


def _scale(outcome: ReplayOutcome) -> str:
    """Return how the lengths of the trace and of the replay differ."""
    recorded, here = outcome.settings.recorded_per_id, outcome.settings.tokens_per_id
    if recorded == here:
        return "lengths as recorded" + (f", a hash id for {here:,} tokens" if here > 1 else "")
    return f"a hash id stands for {recorded:,} tokens there and for {here:,} here: lengths times {here / recorded:.3g}"


def _tier(r: Replayed, t: TierReplayed) -> dict[str, str]:
    """Return the rows of the host tier."""
    host, total = t.host_hit_tokens, max(1, r.prompt_tokens)
    return {
        "hits by tier": f"device {(r.hit_tokens - host) / total:.1%}, host {host / total:.1%}",
        "loads": f"{t.loads:,} copies, {t.loaded_tokens:,} tokens; {t.waited:,} requests waited for one",
        "backups": f"{t.backups:,} copies, {t.backed_up_tokens:,} tokens",
        "moved": f"{t.demoted_tokens:,} tokens left the device and stayed on the host; {t.host_evicted_tokens:,} evicted on the host",
        "losses": f"{t.lost_tokens:,} tokens left both tiers for want of a copy; {t.no_room_tokens:,} because the host had no room",
    }


def trace(outcome: TraceOutcome) -> list[Any]:
    """Return the operations of a trace with their answers, what they break, and the verdict."""
    recorded, count = outcome.recorded, len(outcome.recorded.trace)
    head = f"{outcome.trace} through {outcome.subject}: {count:,} operation{'s' * (count != 1)} under {recorded.config}"
    lines: list[Any] = [Text(printable(head))]
    lines += map(Text, numbered([printable(f"{brief(str(step.op))}: {step.answer}") + WRONG * bool(step.broken) for step in outcome.steps]))
    lines += map(Text, legend([step.op for step in outcome.steps]))
    rest = count - len(outcome.steps)
    if rest:
        lines.append(warning(f"the other {rest:,} were not performed: after this nothing can be judged"))
    for step in outcome.broken:
        lines += _broken(step)
    named = {v.property for step in outcome.broken for v in step.broken}
    if recorded.property and recorded.property not in (*named, *PROBED):
        lines.append(Text(printable(f"{recorded.property}, for which it was recorded, is not broken here")))
    if outcome.undecided:
        lines.append(warning(printable(outcome.undecided)))
    last = Text.assemble(printable(outcome.subject) + " ", styled_status(outcome.status), printable(f" on {outcome.trace}"))
    return [*lines, last, *_shrunk(outcome.shrunk)]


def _broken(step: Step) -> Iterator[Text]:
    for v in step.broken:
        cause = f", as {v.follows_from} is" if v.follows_from else ""
        yield _refuted(v.property, printable(f" at operation {step.number:,} ({brief(str(step.op))}): {v.text}{cause}"))


def _refuted(id_: str, rest: str) -> Text:
    return Text.assemble((f"{id_} REFUTED", colour(Verdict.REFUTED)), rest)


def _shrunk(outcome: ShrinkOutcome | None) -> list[Any]:
    """Return the operations that are left, and how to run them."""
    if outcome is None:
        return []
    if outcome.shrunk is None:
        return [warning(outcome.why)]
    s = outcome.shrunk
    steps = [Text(f"  {i}  {op}") for i, op in enumerate(s.found.trace, 1)]
    title = f"{s.recorded:,} operations shrunk to {len(steps)}, under {s.found.config}:"
    done = f"{s.attempts:,} attempts, {s.seconds:.1f} s" + ("" if s.complete else "; the effort or the time was spent, fewer might do")
    file = quote(str(outcome.out))
    command = f"show them: {program()} show {file}" if outcome.out.suffix == TRACE else f"run them: pytest {file}"
    return [Text(title), *steps, Text(f"{done}; {command}")]
