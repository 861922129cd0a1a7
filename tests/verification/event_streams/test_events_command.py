"""`radixcheck replay --events` and `record` at the terminal: what they show, and what they say where a package is missing."""

import subprocess
import sys
from pathlib import Path

import pytest
from commands import Command
from event_trials import frames

from radixcheck.verification.core.installing import install_command
from radixcheck.verification.event_streams.recording import Complete, Frame, header, line_of

CLEAN = frames(seed=1)


def written(folder: Path, items: list[Frame | Complete]) -> Path:
    path = folder / "events.jsonl"
    path.write_bytes(header("ipc://a") + b"".join(map(line_of, items)))
    return path


@pytest.mark.parametrize(
    ("items", "status", "words"),
    [
        ([*CLEAN, Complete(59)], 0, ("60, 0 to 59", "resident: device 60 pages, 240 tokens", "EVENT_ORDER TESTED", "events.jsonl holds")),
        (CLEAN, 0, ("not noticed: batches after 59 may be missing",)),
        ([*CLEAN[:20], *CLEAN[21:]], 3, ("not decided: batches are missing: 20", "--replay-endpoint", "in doubt at batch", "is undecided")),
        ([*CLEAN[:9], CLEAN[3], *CLEAN[9:]], 1, ("EVENT_ORDER REFUTED at batch 3: it comes again after batch 8", "is refuted")),
    ],
)
def test_the_terminal_shows_tiers_verdicts_faults_and_what_is_not_decided(
    items: list[Frame | Complete], status: int, words: tuple[str, ...], tmp_path: Path, command: Command
) -> None:
    ran = command("replay", "--events", written(tmp_path, items))

    assert ran.status == status
    assert [each for each in words if each not in ran.words] == []


@pytest.mark.parametrize("package", ["msgpack", "zmq"])
def test_a_package_that_is_missing_is_named_with_the_remedy(package: str, tmp_path: Path) -> None:
    """Without either, everything else is imported."""
    asking = (
        ["replay", "--events", str(written(tmp_path, [*CLEAN]))] if package == "msgpack" else ["record", "ipc://a", str(tmp_path / "new")]
    )
    script = f"import sys; sys.modules[{package!r}] = None; from radixcheck.verification.cli.app import run; sys.exit(run(sys.argv[1:]))"
    ran = subprocess.run([sys.executable, "-c", script, *asking], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.endswith(f"which is not installed: {install_command('events')}\n")
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()
