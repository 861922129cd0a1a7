"""The section of long campaigns, as they are stored, and of the long searches that were recorded. Nothing is run for it."""

from collections.abc import Mapping
from typing import Any

from radixcheck.verification.report.blocks import Badge, Block, Command, Paragraph, Section, Table, Words
from radixcheck.verification.report.style import status_words
from radixcheck.verification.runs.report_data import ReportData

COLUMNS = ("cache", "operations", "runs", "largest", "shards", "commit", "begun", "result")
NUMBERS = ("operations", "runs")
REACHED = {"holders": "holders of one node", "depth": "nodes on one path", "key_tokens": "tokens of one key"}


def section(data: ReportData) -> Section:
    """Return the section: a row for each campaign, the largest first, then one for each recorded search."""
    campaigns = sorted(data.campaigns, key=lambda campaign: -int(campaign["operations"]))
    rows = [*map(_campaign, campaigns), *map(_search, data.findings["searches"])]
    blocks: list[Block] = [
        Paragraph("Campaigns as they are stored, and long searches as they were recorded."),
        Table(COLUMNS, rows, NUMBERS),
        Command("radixcheck campaign SUBJECT"),
    ]
    return Section("campaigns", "Long campaigns", blocks)


def _campaign(campaign: Mapping[str, Any]) -> tuple[Words, ...]:
    shards, envelope = campaign["shards"], campaign["envelope"]
    refuted = [each["property"] for each in campaign["refuted"]]
    why = f": {', '.join(refuted)}" if refuted else f": {len(campaign['undecided'])} reasons" if campaign["undecided"] else ""
    return (
        f"`{campaign['subject']}`",
        f"{campaign['operations']:,}",
        f"{campaign['runs']:,}",
        ", ".join(f"{envelope[name]:,} {words}" for name, words in REACHED.items()),
        f"{shards['done']:,} of {shards['planned']:,}",
        f"`{campaign['commit'] or campaign['sources']}`",
        campaign["date"][:10],
        (Badge(status_words(campaign["status"])), why),
    )


def _search(search: Mapping[str, Any]) -> tuple[Words, ...]:
    version = ", ".join(search["versions"])
    return (
        f"`{search['subject']}` {version}",
        f"{search['operations']:,}",
        f"{search['runs']:,}",
        "",
        "",
        "recorded",
        "",
        search["result"],
    )
