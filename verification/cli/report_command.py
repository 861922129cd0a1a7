"""`radixcheck report`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import answer, complain, extras, later, subject_output
from radixcheck.verification.cli.trace_argument import refuse_options
from radixcheck.verification.core.engine_caches import PEERS
from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console
from radixcheck.verification.subjects.registry import ELSEWHERE, names_of, resolve


@click.command(cls=Command)
@click.option("--subject", "named", multiple=True, help="review this cache instead of the submitted change (repeatable)")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("radixcheck-report"), show_default=True)
@click.option("--question", "ids", multiple=True, help="answer only these, here: ids, as Q1, C3 or L5 (repeatable)")
@click.option("--python", help="an interpreter that has the caches of other projects: measure them, and repeat the findings in them")
@options("results", "json")
def report(named: Sequence[str], out: Path, results: Path, ids: Sequence[str], python: str | None, as_json: bool) -> Status:
    """Answer the reviewers' questions with evidence, as one HTML file, as Markdown for a pull request, and as JSON.

    Results are read from --results. Those that are missing there, or older than the sources, are obtained and stored first.
    """
    with extras():
        from radixcheck.verification.report import mutants_view, questions_view
        from radixcheck.verification.report.drawing import drawn
        from radixcheck.verification.report.plots import check_library
        from radixcheck.verification.report.report_files import write
        from radixcheck.verification.runs.answer_results import chosen
        from radixcheck.verification.runs.findings_job import check_interpreter
        from radixcheck.verification.runs.report_job import ReportRequest, answer_questions, gather
        from radixcheck.verification.runs.store import folder

        check_library()
    answers = chosen(ids)
    check_interpreter(python, "caches")
    each = dict.fromkeys(one for name in named for one in names_of(name))
    subjects = tuple(f"{one}{ELSEWHERE}{python}" if python and one in PEERS else one for one in each)
    with subject_output():
        for subject in subjects:
            resolve(subject)
    if ids:
        refuse_options("--question", ("out",), "the answers are printed, and no files are written")
        with subject_output():
            outcome = answer_questions(ReportRequest(answers, subjects, folder(results, "--results"), python, drawn), console.progress)
        return answer(outcome, as_json, lambda: questions_view.answers(outcome))
    place, stored = folder(out, "--out"), folder(results, "--results")
    troubles, paths = list[UsageError](), list[Path]()
    with subject_output():
        data = gather(ReportRequest(answers, subjects, stored, python, drawn), console.progress)
        with later(troubles, f"--out {out}"), console.progress("writing"):
            paths = write(place, data)
    answer(data.answers, as_json, lambda: [*questions_view.brief(data.answers), mutants_view.kill_line(data.kill_matrix)])
    for path in paths:
        print(f"wrote {path}", file=sys.stderr)
    return worst([data.status, *complain(troubles)])
