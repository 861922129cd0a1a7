"""The page of a campaign at the terminal, from its result as stored: so it is the same at the end of a campaign and later."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.envelope import Envelope
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.page_sizes import sizes_text
from radixcheck.verification.core.short_text import counted
from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.operations import Op
from radixcheck.verification.report.envelope_view import envelope
from radixcheck.verification.report.style import colour, styled, styled_status, table, warning
from radixcheck.verification.report.wording import numbered, policies_text

SHOWN_MAX = 20  # operations of a trace; a longer one is in its file only

Stored = Mapping[str, Any]


def page(data: Stored) -> list[Any]:
    """Return the findings, the verdicts, how far it went, what was performed, and the last line with the verdict."""
    parts: list[Any] = [part for refuted in data["refuted"] for part in _refuted(refuted)]
    parts += [*_verdicts(data), *_others(data["verdicts"]), Text(), *envelope(Envelope(**data["envelope"]))]
    parts += [Text(line) for line in _performed(data)]
    parts += [warning(f"undecided: {why}") for why in data["undecided"]]
    counts = Counter(v["verdict"] for v in data["properties"])
    counts.update(row["verdict"] for row in data["verdicts"])
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    return [*parts, Text.assemble(f"{data['subject']} ", styled_status(data["status"]), f": {words}")]


def _refuted(refuted: Stored) -> Iterator[Any]:
    """Yield a property that is refuted, its smallest trace, and the command that repeats it."""
    property_ = EVERY[refuted["property"]]
    yield Text.assemble((f"{property_.id} REFUTED", colour(Verdict.REFUTED)), f"  {property_.sentence}")
    trace = tuple(map(Op.from_json, refuted["trace"]))
    lines = [refuted["text"], f"{counted(len(trace), 'operation')} under {Config(**refuted['config'])}"]
    lines += numbered(trace) if len(trace) <= SHOWN_MAX else []
    lines += [f"repeat it: {refuted['repeat']}"] if refuted.get("repeat") else []
    yield Padding(Text("\n".join(lines)), (0, 0, 1, 2))


def _verdicts(data: Stored) -> Iterator[Any]:
    """Yield what was not refuted and not tested either, and how often the least tested property was exercised."""
    for verdict in (Verdict.NOT_EXERCISED, Verdict.NOT_OBSERVABLE):
        names = [v["id"] for v in data["properties"] if v["verdict"] == verdict]
        if names:
            yield Text.assemble((f"{verdict}: ", colour(verdict)), ", ".join(names))
    tested = [v for v in data["properties"] if v["verdict"] == Verdict.TESTED]
    if tested:
        least = min(tested, key=lambda v: v["non_vacuous"])
        yield Text(f"TESTED: {len(tested)} properties, each at least {least['non_vacuous']:,} times non-vacuous ({least['id']})")


def _others(rows: Sequence[Stored]) -> list[Any]:
    """Return the verdicts on explorations, mutants and conditions: of those that are as they must be, only the number."""
    if not rows:
        return []
    shown = table("checked", "verdict", "")
    wrong = [row for row in rows if row["status"] != Status.HOLDS]
    for row in rows if len(rows) <= SHOWN_MAX else wrong:
        shown.add_row(row["name"], styled(row["verdict"]), row["text"])
    return [shown, Text(f"{len(rows) - len(wrong):,} of {len(rows):,} explorations, mutants and conditions are as they must be")]


def _performed(data: Stored) -> Iterator[str]:
    """Yield what was checked, with which sources, and by whom."""
    shards, done = data["shards"], data["performed"]
    modes = f", with and without a host tier ({', '.join(data['modes'])})" if data["modes"] else ""
    yield (
        f"{data['operations']:,} operations in {data['runs']:,} runs, {policies_text(data['policies'])} x page sizes "
        f"{sizes_text(data['page_sizes'])}{modes}, seed {data['seed']}"
    )
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in shards["kinds"].items())
    yield f"{shards['done']:,} of {shards['planned']:,} shards ({kinds}), {shards['resumed']:,} of them from an earlier run"
    reached = [reach for reach in data["stretch"].values() if not reach["reason"] and not reach["refuted"]]
    if data["stretch"]:
        yield f"stretch: {len(reached)} of {len(data['stretch'])} dimensions were taken past their thresholds"
        yield from (f"  {name}: {each['sentence']}" for name, each in data["stretch"].items() if each not in reached)
    lost = f", {counted(done['nodes_lost'], 'shard')} submitted again after a node was lost" if done["nodes_lost"] else ""
    if done["operations"]:
        rate = done["operations"] / max(done["seconds"], 0.1)
        yield f"this run: {done['operations']:,} operations in {done['seconds']:,.0f} s ({rate:,.0f} a second), {done['workers']}{lost}"
    commit = f" at {data['commit']}" if data["commit"] else ""
    yield f"sources {data['sources']}{commit}, begun {data['date']}, stored in {data['store']}"
    if done.get("corpus_later"):
        yield f"{done['corpus_later']:,} traces of the corpus came after it was begun: a campaign in another --store replays them"
    if data["command"]:
        yield f"go on with it, or repeat it: {data['command']}"
