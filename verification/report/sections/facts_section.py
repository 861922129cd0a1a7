"""The section of facts: what no property of a cache decides. Each was tried on many cases."""

from radixcheck.verification.report.blocks import Badge, Command, Paragraph, Section, Table, Words, mark
from radixcheck.verification.review_6907.answers import FACTS
from radixcheck.verification.runs.report_data import ReportData


def section(data: ReportData) -> Section:
    """Return the section: a row for each fact."""
    rows: list[tuple[Words, ...]] = [
        (mark("fact", f["id"]), f["claim"], Badge(f["verdict"]), f"`{f['about']}`" if "about" in f else "", f["against"] or f["detail"])
        for f in data.stored(FACTS)["facts"]
    ]
    intro = Paragraph("Claims about programs that are neither a property of a cache nor a formula.")
    return Section(
        "facts", "Facts", [intro, Table(("fact", "claim", "verdict", "about", "what was seen"), rows), Command("radixcheck facts")]
    )
