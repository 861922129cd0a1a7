"""Progress where no line can move: one line now and then, with all that was said."""

from time import monotonic, sleep

import pytest

from radixcheck.verification.report import console


def test_a_long_report_is_one_line_and_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(console, "HEARTBEAT_SECONDS", 0.01)
    said = ", ".join(f"{k} of one thing and another" for k in range(20))

    with console.progress("campaign a") as tell:
        tell(0.25, said)
        until = monotonic() + 5.0
        printed = ""
        while "\n" not in printed and monotonic() < until:
            sleep(0.01)
            printed += capsys.readouterr().err

    assert printed.splitlines()[0] in (f"campaign a: 0 s, 25% {said}", "campaign a: 0 s")
    assert f"25% {said}\n" in printed + capsys.readouterr().err
