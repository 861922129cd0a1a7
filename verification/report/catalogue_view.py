"""The lists of `radixcheck subjects` and `radixcheck invariants`."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.spec.policies import Policy
from radixcheck.spec.property import Property
from radixcheck.spec.run.text import text
from radixcheck.verification.core.subject import Named
from radixcheck.verification.report.style import table
from radixcheck.verification.review_6907.questions import THREAD, urls


def subjects(rows: Iterable[Named], there: Mapping[str, Mapping[str, str]]) -> list[Any]:
    """Return the caches that can be named; for those of other projects the installed version, or how to install it."""
    shown = table("name", "what it is", "version")
    for n in rows:
        found = there.get(n.name, {"version": ""})
        shown.add_row(n.name, n.sentence, found.get("version", found.get("missing")))
    words = "as-submitted stands for both readings; module:factory for a cache of your own; exec:COMMAND and NAME@PYTHON for one elsewhere"
    return [shown, Text(), Text(words)]


def property_rows(properties: Iterable[Property], policy: Policy, of_host: Mapping[str, Property]) -> list[dict[str, Any]]:
    """Return the catalogue as rows. `of_host` are the properties of a cache with a host tier, whose sentence and formula may be others."""
    return [
        {
            "id": p.id,
            "kind": p.kind,
            "sentence": p.sentence,
            "formula": text(p.formula(policy)) if p.formula else None,
            "witness": text(p.witness(policy)) if p.witness else None,
            "mutant": p.mutant,
            "questions": p.questions,
            "question_urls": urls(p.questions.split()),
            "why": p.why,
            "with_host": _stated(of_host[p.id], policy) if p.id in of_host and of_host[p.id] is not p else None,
        }
        for p in properties
    ]


def _stated(p: Property, policy: Policy) -> dict[str, str]:
    return {"sentence": p.sentence, "formula": text(p.formula(policy)) if p.formula else ""}


def invariants(rows: Iterable[dict[str, Any]]) -> list[Any]:
    """Return a block for each property (id and kind, sentence, formula, why), and where the ids of questions lead."""
    parts: list[Any] = []
    for row in rows:
        questions = f"  ({row['questions']})" if row["questions"] else ""
        parts.append(Text.assemble((row["id"], "bold"), f"  {row['kind']}{questions}"))
        parts.append(Padding(Text(row["sentence"]), (0, 0, 0, 2)))
        if row["formula"]:
            parts.append(Padding(Text(row["formula"], "cyan"), (0, 0, 0, 2)))
        if row["with_host"]:
            parts.append(Padding(Text(f"With a host tier: {row['with_host']['sentence']}"), (0, 0, 0, 2)))
            parts.append(Padding(Text(row["with_host"]["formula"], "cyan"), (0, 0, 0, 2)))
        if row["why"]:
            parts.append(Padding(Text(row["why"], "dim"), (0, 0, 0, 2)))
    return [*parts, Text(), Text(f"in brackets: questions of the review {THREAD}; `radixcheck questions` lists them")]
