"""The list of `radixcheck claims`."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.claim_table import Claim
from radixcheck.verification.core.installing import NAME

LEGEND = (
    "Words in capitals are yours: PATH is a Python that has the engines, TRACE and FILE are files. `.venv` and files are of a checkout."
)


def listing(claims: Sequence[Claim]) -> list[Any]:
    """Return the claims under the headings of their groups, each with its command and its files, and a line that counts."""
    parts: list[Any] = []
    for group, members in groupby(claims, lambda each: each.group):
        parts.append(Text(group, "bold"))
        for each in members:
            parts.append(Padding(Text(each.claim), (0, 0, 0, 2)))
            parts += [Padding(Text(line, look), (0, 0, 0, 4)) for line, look in ((each.command, "cyan"), (", ".join(each.files), "dim"))]
        parts.append(Text())
    count = Text(f"{len(claims)} claim{'' if len(claims) == 1 else 's'} of {NAME}")
    return [*parts, Text(LEGEND), count] if claims else [Text("no claim has all of these words")]


def listing_json(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """Return the claims as JSON."""
    return [asdict(each) for each in claims]
