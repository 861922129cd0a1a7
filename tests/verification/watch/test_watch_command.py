"""`radixcheck watch` as a person meets it: it runs a server, and shows what the watch in it has found."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import Command
from places import PACKAGE, TESTS

SERVER = (sys.executable, TESTS / "reporting_server.py")


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server imports this package."""
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE.parent))


def watch(command: Command, folder: Path, *what: str, options: tuple[str, ...] = ()) -> Any:
    return command("watch", "--to", folder, *options, "--", *SERVER, *what)


def test_a_watch_without_a_finding_holds_and_shows_what_it_did(tmp_path: Path, command: Command) -> None:
    ran = watch(command, tmp_path / "new", "calls", "departure")

    assert ran.status == 0, ran
    for words in (
        "1,200 match, 3 evict",
        "10.0 us a call with a budget of 50, 94 us at most",
        "900 nodes checked; the budget left out 100 checks, 10.0%",
        "2 times round",
        "sglang-classic of 0.5.23",
        "accepted departures 1 TIME_MONO",
        "1,203 calls watched, 0 findings: nothing was found; the command ended with status 0",
    ):
        assert words in ran.words


def test_a_finding_refutes_and_comes_with_the_command_that_repeats_it(tmp_path: Path, command: Command) -> None:
    ran = watch(command, tmp_path, "calls", "finding")
    (line,) = (line.strip() for line in ran.out.splitlines() if line.strip().startswith("radixcheck replay "))
    _, *replay, _, python = line.split()

    assert ran.status == 1
    assert "EVICT_LEAF at call 1,203, evict: expected a leaf; found an internal node" in ran.words
    assert "1 finding: is refuted" in ran.words
    assert python == sys.executable
    repeated = command(*replay)
    assert (repeated.status, "EVICT_LEAF" in repeated.out) == (1, True)


def test_an_earlier_watch_is_shown_with_the_same_verdict(tmp_path: Path, command: Command) -> None:
    first = watch(command, tmp_path, "calls", "finding", options=("--json",))
    shown, as_json = command("watch", "--show", tmp_path), command("watch", "--show", tmp_path, "--json")

    assert first.status == shown.status == as_json.status == 1
    assert as_json.json["caches"] == first.json["caches"]
    assert (as_json.json["command"], first.json["command"]["status"]) == (None, 0)
    assert "EVICT_LEAF at call 1,203" in shown.words


def test_standard_output_is_the_answer_and_what_the_server_prints_goes_to_standard_error(tmp_path: Path) -> None:
    program = (sys.executable, "-m", "radixcheck", "watch", "--to", str(tmp_path), "--json", *map(str, SERVER), "calls")
    ran = subprocess.run(program, capture_output=True, text=True, check=False)

    assert ran.returncode == json.loads(ran.stdout)["status"] == 0
    assert ran.stderr == "the output of the server\n"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ((), "no process of the server loaded the watch: install this package in the environment of the server (PATH -m pip install "),
        (("nothing",), "the cache was not called"),
        (("note",), "this cache cannot be watched: its core is in Rust"),
        (
            ("calls", "shadow", "paused"),
            "1,000 calls compared, 2.0 us a call of the time above; 0 differences, 0 times made anew; 203 calls",
        ),
        (("calls", "shadow", "paused"), "compared nothing at the end: its tree has too many nodes"),
        (("calls", "failed"), "the watch failed in process"),
        (("calls", "fails"), "the command ended with status 5: what it would have done after that was not watched"),
    ],
)
def test_without_a_whole_watch_nothing_is_decided_and_the_reason_is_shown(
    what: tuple[str, ...], words: str, tmp_path: Path, command: Command
) -> None:
    ran = watch(command, tmp_path, *what)

    assert ran.status == 3
    assert words in ran.words
    assert "is undecided" in ran.words


@pytest.mark.parametrize("what", ["failed", "fails"])
def test_a_finding_refutes_also_where_something_is_undecided(what: str, tmp_path: Path, command: Command) -> None:
    assert watch(command, tmp_path, "calls", "finding", what).status == 1


def test_the_settings_reach_the_server(tmp_path: Path, command: Command) -> None:
    ran = watch(command, tmp_path, "calls", "finding", "wait", options=("--budget", "7", "--abort-on", "COUNT", "--abort-on", "EVICT_LEAF"))

    assert ran.status == 1
    assert "with a budget of 7" in ran.words
    assert "ended by the watch, at a finding of EVICT_LEAF" in ran.words


@pytest.mark.parametrize(("named", "words"), [("", ""), ("other", " other,radixcheck_watch"), ("radixcheck_watch", " radixcheck_watch")])
def test_a_server_that_loads_only_some_plugins_loads_the_watch_as_well(named: str, words: str, tmp_path: Path) -> None:
    program = (sys.executable, "-m", "radixcheck", "watch", "--to", str(tmp_path), *map(str, SERVER), "calls")
    ran = subprocess.run(program, capture_output=True, text=True, check=False, env=os.environ | {"SGLANG_PLUGINS": named})

    assert (ran.returncode, ran.stderr) == (0, f"the output of the server{words}\n")


def test_an_interrupt_ends_the_server_and_what_was_found_is_shown(tmp_path: Path) -> None:
    program = (sys.executable, "-m", "radixcheck", "watch", "--to", str(tmp_path), *map(str, SERVER), "calls", "wait")
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        while "waiting" not in running.stderr.readline():
            pass
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    (name,) = (path.stem.split("-")[1] for path in tmp_path.glob("summary-*"))

    assert running.returncode == 0, err
    assert "1,203 calls watched, 0 findings: nothing was found; the command was interrupted" in " ".join(out.split())
    with pytest.raises(ProcessLookupError):
        os.kill(int(name), 0)


def test_what_a_command_leaves_behind_is_ended(tmp_path: Path, command: Command) -> None:
    assert command("watch", "--to", tmp_path / "to", "--", "sh", "-c", f"sleep 60 & echo $! > {tmp_path}/left").status == 3
    left = int((tmp_path / "left").read_text())

    for _ in range(200):
        state = Path(f"/proc/{left}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("it still runs")


def test_each_watch_has_a_new_folder_if_none_is_named(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("watch", *SERVER, "calls").status == 0
    (folder,) = (tmp_path / "radixcheck-results").iterdir()

    assert folder.name.startswith("watch-2")
    assert command("watch", "--show", folder).status == 0


def test_a_program_that_cannot_be_run_is_wrong_use(tmp_path: Path, command: Command) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x00\x01 no program")
    program.chmod(0o755)

    assert f"{program}: cannot be run (Exec format error)" in command("watch", "--to", tmp_path / "to", program).complaint
