"""The jobs of `radixcheck report`: answer questions, and gather the data of a whole report."""

import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from radixcheck.verification.core.engine_caches import PEERS
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import Op
from radixcheck.verification.review_6907.answers import OURS, PROVE, Answer, about, sources
from radixcheck.verification.runs.answer_results import AnswersOutcome, answer_by
from radixcheck.verification.runs.campaign_job import CAMPAIGNS, stored_campaigns
from radixcheck.verification.runs.collect import EXPLORED, Collector, Draw
from radixcheck.verification.runs.findings_job import FindingsRequest, recorded_findings, repeat_findings
from radixcheck.verification.runs.report_data import MUTANTS, CacheNamed, Counterexample, ReportData
from radixcheck.verification.runs.show_job import frames
from radixcheck.verification.runs.stored_results import Results, Stored
from radixcheck.verification.subjects.registry import BUILT_IN, isolated, resolve

ALWAYS = (MUTANTS, *(f"explore {subject}" for subject in EXPLORED))  # sources of a whole report on which no answer rests


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """The answers to give, the subjects that replace the submitted change, and where results are stored."""

    answers: tuple[Answer, ...]
    subjects: tuple[str, ...]  # empty: the submitted change is reviewed
    folder: Path  # of stored results
    python: str | None  # an interpreter that has the caches of other projects; None: they are not run
    draw: Draw

    @property
    def answers_due(self) -> tuple[Answer, ...]:
        """Return the answers as far as the subjects under review decide them."""
        return about(self.answers, self.subjects) if self.subjects else self.answers

    def collect(self, needed: Iterable[str], progress: Progress) -> Results:
        """Return the results of these sources."""
        return Collector(self.folder, self.python, self.draw, progress).collect(needed)


def answer_questions(request: ReportRequest, progress: Progress = silent) -> AnswersOutcome:
    """Return the answers, with the results that they rest on."""
    subjects, answers = request.subjects, request.answers_due
    left_out = [answer.id for answer in request.answers if answer.id not in {due.id for due in answers}]
    if left_out:
        raise UsageError(f"no search of a cache decides {', '.join(left_out)}: ask them without --subject")
    return answer_by(request.collect((*sources(answers), *subjects), progress), answers, subjects)


def gather(request: ReportRequest, progress: Progress = silent) -> ReportData:
    """Return the data of a whole report."""
    replaced, subjects, answers = bool(request.subjects), request.subjects or (OURS,), request.answers_due
    needed = (*sources(answers), *subjects, *((PROVE, MUTANTS) if replaced else ALWAYS))
    results = request.collect(needed, progress)
    repeated = request.python and not replaced
    found = repeat_findings(FindingsRequest(None, request.python), progress) if repeated else recorded_findings()
    versions = _versions() | {"the solver": results.stored[PROVE]["solver"]}
    answered = answer_by(results, answers, request.subjects)
    data = ReportData(subjects, replaced, results, answered, (), found.to_json(), versions, _caches(results, answers))
    return replace(data, counterexamples=tuple(_counterexamples(data)), campaigns=stored_campaigns(request.folder / CAMPAIGNS))


def _counterexamples(data: ReportData) -> Iterator[Counterexample]:
    """Run each trace that refutes a property of a subject; of several traces for one property the first."""
    explored = ((name, each) for name, explorations in data.explored.items() for each in explorations)
    known = set[tuple[str, str]]()
    for name, stored in (*data.verified, *explored):
        for refuted in _by_trace(one for one in stored["refuted"] if (name, one["property"]) not in known):
            config, trace = Config(**refuted[0]["config"]), tuple(map(Op.from_json, refuted[0]["trace"]))
            subject = isolated(resolve(name)) if any(one.get("ends_process") for one in refuted) else resolve(name)
            yield Counterexample(name, tuple(refuted), frames(subject, config, trace))
        known |= {(name, one["property"]) for one in stored["refuted"]}


def _by_trace(refuted: Iterable[Stored]) -> Iterable[list[Stored]]:
    """Return the properties in groups, each of which one trace refutes."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for one in refuted:
        groups.setdefault(f"{one['config']} {one['trace']}", []).append(one)
    return groups.values()


def _caches(results: Results, answers: Iterable[Answer]) -> dict[str, CacheNamed]:
    """Return what each cache is that a result is about, and the module that makes it."""
    known = {named.name: named for named in (*BUILT_IN.values(), *PEERS.values())}
    every = [results.of(e) for answer in answers for e in answer.evidence]
    names = [*(name for result in every if result for name in result.about), *results.stored]
    return {name: CacheNamed(known[name].sentence, known[name].where.partition(":")[0]) for name in dict.fromkeys(names) if name in known}


def _versions() -> dict[str, str]:
    today = datetime.now(UTC).isoformat(timespec="minutes")
    return {"radixcheck": version("radixcheck"), "Python": platform.python_version(), "torch": version("torch"), "on": today}
