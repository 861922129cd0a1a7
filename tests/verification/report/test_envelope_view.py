"""The table of the envelope."""

from io import StringIO

from rich.console import Console

from radixcheck.verification.core.envelope import WORDS, Envelope
from radixcheck.verification.report.envelope_view import envelope


def test_every_quantity_has_its_value_before_it() -> None:
    console = Console(width=120, file=StringIO(), color_system=None)

    console.print(*envelope(Envelope(ticks=70_000, slot=65_537)))

    text = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO
    assert "70,000  accesses in one run" in text
    assert "65,537  largest slot" in text
    assert all(words in text for words in WORDS.values())
    assert len(text.splitlines()) == len(WORDS) // 3 + 2
