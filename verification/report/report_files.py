"""The files of a report: HTML, Markdown, JSON, and JUnit XML and a summary for continuous integration."""

import json
from pathlib import Path

from radixcheck.verification.core.atomic_write import write_atomically
from radixcheck.verification.report.html import html
from radixcheck.verification.report.junit import junit
from radixcheck.verification.report.markdown import markdown
from radixcheck.verification.report.sections import document
from radixcheck.verification.report.step_summary import summary
from radixcheck.verification.runs.report_data import ReportData


def write(folder: Path, data: ReportData) -> list[Path]:
    """Write the files into the folder and return their paths."""
    page, outcomes = document(data), [data.stored(subject) for subject in data.subjects]
    texts = {
        "report.html": html(page),
        "report.md": markdown(page),
        "report.json": json.dumps(data.to_json(), indent=1) + "\n",
        "junit.xml": junit(outcomes, data.kill_matrix),
        "summary.md": summary(outcomes, data.kill_matrix),
    }
    for name, text in texts.items():
        write_atomically(folder / name, text)
    return [folder / name for name in texts]
