"""Outcomes of `radixcheck verify` as JUnit XML, for servers of continuous integration: a suite for each subject, a case for each property.

REFUTED is a failure with the smallest trace as its text, NOT OBSERVABLE is skipped, and anything else that is undecided is an error. The
rules of the state machine, the agreement with the reference and the replay are cases of their own, because no property covers them. The
mutants of a report are a suite too: one that was not killed as it must be is a failure, or an error if that is undecided.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.report.wording import agreement, kill_text, trace_lines

Json = Mapping[str, Any]

FORBIDDEN = re.compile(r"[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # by XML 1.0


@dataclass(frozen=True, slots=True)
class Case:
    """One test case. `tag`: failure, error or skipped; empty if it passed."""

    name: str
    tag: str = ""
    message: str = ""
    text: str = ""


def junit(outcomes: Sequence[Json], matrix: Json | None = None) -> str:
    """Return the content of the file, from the objects that `radixcheck verify --json` prints for each subject, and a kill matrix."""
    root = Element("testsuites", name="radixcheck")
    for outcome in outcomes:
        _suite(root, outcome)
    if matrix is not None:
        suite = SubElement(root, "testsuite", name="radixcheck.mutants", time=str(matrix["seconds"]))
        _add(suite, map(_mutant, matrix["mutants"]))
    _total(root, [case for suite in root for case in suite.iter("testcase")])
    root.set("time", str(round(sum(float(suite.get("time", "0")) for suite in root), 1)))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False).join(('<?xml version="1.0" encoding="utf-8"?>\n', "\n"))


def _suite(root: Element, outcome: Json) -> None:
    name = _clean(f"radixcheck.{outcome['subject']}")
    suite = SubElement(root, "testsuite", name=name, time=str(outcome["seconds"]))
    properties = SubElement(suite, "properties")
    details = {
        "version": version("radixcheck"),
        "seed": outcome["seed"],
        "policies": ", ".join(outcome["policies"]),
        "page_sizes": ", ".join(map(str, outcome["page_sizes"])),
        "operations": outcome["operations"],
        "command": outcome["command"],
    }
    for key, value in details.items():
        SubElement(properties, "property", name=key, value=_clean(str(value)))
    _add(suite, _cases(outcome))


def _add(suite: Element, cases: Iterable[Case]) -> None:
    """Add test cases to a suite."""
    elements = []
    for case in cases:
        element = SubElement(suite, "testcase", classname=suite.get("name", ""), name=_clean(case.name), time="0")
        if case.tag:
            SubElement(element, case.tag, message=_clean(case.message)).text = _clean(case.text) or None
        elements.append(element)
    _total(suite, elements)


def _mutant(each: Json) -> Case:
    if each["verdict"] == Verdict.KILLED:
        return Case(each["mutant"])
    return Case(each["mutant"], "error" if each["verdict"] == Verdict.UNDECIDED else "failure", kill_text(each))


def _total(parent: Element, cases: Sequence[Element]) -> None:
    """Set the counts of cases."""
    parent.set("tests", str(len(cases)))
    for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        parent.set(plural, str(sum(case.find(tag) is not None for case in cases)))


def _cases(outcome: Json) -> Iterator[Case]:
    traces = {each["property"]: each for each in outcome["refuted"]}
    for row in outcome["properties"]:
        yield _property(row, traces.get(row["id"]))
    gaps = outcome["undecided"]
    yield Case("RULES", "error", "; ".join(gaps)) if gaps else Case("RULES")
    if outcome["reference"]:
        good, sentence, lines = agreement(outcome["reference"])
        yield Case("AGREEMENT", "" if good else _tag(outcome["reference"]["status"]), sentence, "\n".join(lines))
    if outcome["replay"]:
        yield _replay(outcome["replay"])


def _property(row: Json, found: Json | None) -> Case:
    if found is not None:
        questions = f" ({' '.join(row['questions'])})" if row["questions"] else ""
        lines = [f"{row['id']}{questions}: {EVERY[row['id']].sentence}", found["text"], *trace_lines(found)]
        return Case(row["id"], "failure", found["text"], "\n".join(lines))
    if row["verdict"] == Verdict.NOT_OBSERVABLE:
        return Case(row["id"], "skipped", f"NOT OBSERVABLE: {row['note']}")
    if row["verdict"] != Verdict.TESTED:
        return Case(row["id"], "error", f"{row['verdict']}: {row['note']}")
    return Case(row["id"])


def _replay(replay: Json) -> Case:
    if replay["fault"]:
        f = replay["fault"]
        where = f"at operation {f['step']} ({f['operation']}), request {f['request']} of {replay['trace']}"
        return Case("REPLAY", "failure", f"{f['property']}: {f['text']}", where)
    if replay["status"] == Status.REFUTED:
        return Case("REPLAY", "failure", f"{replay['leaked']} tokens leaked, {replay['protected']} are still locked")
    if replay["status"]:
        return Case("REPLAY", "error", replay["unread"] or "nothing was replayed")
    return Case("REPLAY")


def _tag(status: int) -> str:
    return "failure" if status == Status.REFUTED else "error"


def _clean(text: str) -> str:
    """Replace characters that XML does not allow: the messages of a subject may contain any."""
    return FORBIDDEN.sub("?", text)
