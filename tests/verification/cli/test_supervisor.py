"""No exit status 0 without a verdict, and an end in time, whatever a cache does."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fast_tier import slow_unless
from places import TESTS

LATE = 30  # seconds after `--seconds`: the command has ended, start-up included


def started(*arguments: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "radixcheck", *arguments]
    return subprocess.Popen(words, cwd=TESTS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def verified(factory: str, seconds: float = 1) -> tuple[int, str, str]:
    """The exit status and the last lines of both outputs. It has to end in time."""
    process = started("verify", f"hostile:{factory}", "--seconds", f"{seconds}")
    out, err = process.communicate(timeout=seconds + LATE)
    assert "Traceback" not in err
    return process.returncode, out, (err.splitlines() or [""])[-1]


@pytest.mark.parametrize(
    ("factory", "how"),
    slow_unless(
        lambda factory, how: factory == "exits_in_match",
        [
            ("exits_in_match", "the process ended with status 0"),
            ("crashes_in_match", "the process was ended by SIGSEGV"),
            ("interrupts_in_match", "raised BaseExceptionRaised: KeyboardInterrupt"),
            ("leaves_in_match", "raised BaseExceptionRaised: SystemExit"),
            ("out_of_memory_in_match", "raised MemoryError"),
        ],
    ),
)
def test_a_cache_that_ends_its_process_is_refuted_with_its_operations(factory: str, how: str) -> None:
    status, out, _ = verified(factory)
    assert status == 1
    assert how in out or "instead of answering match" in out  # the second, if its trace was shrunk in a process of its own
    assert "match [" in out
    assert "1 REFUTED" in out


@pytest.mark.slow
@pytest.mark.parametrize("factory", ["sleeps_in_match", "stays_in_compiled_code"])
def test_a_call_that_does_not_return_is_refuted_in_time(factory: str) -> None:
    status, out, _ = verified(factory)
    assert (status, "REFUTED" in out, "match [" in out) == (1, True, True)


@pytest.mark.parametrize("factory", ["exits_when_made", "exits_in_a_thread"])
def test_a_process_that_ends_without_a_verdict_is_undecided_and_says_where(factory: str) -> None:
    status, out, err = verified(factory, seconds=20)
    assert (status, out) == (3, "")
    assert err.startswith("radixcheck: the process ended with status 0 while ")
    assert "hostile:" in err


def test_a_factory_that_leaves_is_wrong_use() -> None:
    status, out, err = verified("leaves_when_made")
    assert (status, out) == (2, "")
    assert "the factory of 'hostile:leaves_when_made' raised SystemExit" in err


@pytest.mark.slow
@pytest.mark.parametrize("factory", ["sleeps_when_made", "made_in_compiled_code"])
def test_a_factory_that_does_not_return_is_ended_in_time(factory: str) -> None:
    status, out, err = verified(factory)
    assert (status, out) == (3, "")
    assert "did not end in time and was ended while making a cache of" in err


@pytest.mark.slow
@pytest.mark.parametrize("factory", ["slow", "keeps_a_thread"])
def test_what_is_too_slow_is_undecided_with_what_was_done(factory: str) -> None:
    status, out, _ = verified(factory)
    assert status in (0, 3)  # threads that only sleep need not be slow
    assert "operations in" in out


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_prints_what_was_found_so_far(number: signal.Signals) -> None:
    process = started("verify", "model", "--seconds", "600")
    assert process.stderr is not None
    assert any(re.match(r"verify model: \d+ s", line) for line in process.stderr)  # up to the first heartbeat: the plan comes before it
    process.send_signal(number)
    out, _ = process.communicate(timeout=LATE)
    assert process.returncode == 3
    assert "undecided: it was interrupted after" in out


def exists(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_programs_end_with_the_command_also_when_it_is_killed(tmp_path: Path) -> None:
    server, numbers = tmp_path / "server.py", tmp_path / "numbers"
    server.write_text(f"""
import os, subprocess, sys
sleeper = subprocess.Popen(["sleep", "10000"], stdin=subprocess.DEVNULL)
open({str(numbers)!r}, "a").write(f"{{os.getpid()}} {{sleeper.pid}}\\n")
from radixcheck.verification.remote.serve import main
main(["radixcheck.verification.subjects.reference_subject:reference_subject"])
sleeper.wait()
""")
    process = started("verify", "--exec", f"{sys.executable} {server}", "--seconds", "600")
    deadline = time.monotonic() + 60
    while not (numbers.exists() and len(numbers.read_text().splitlines()) > 1) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    process.communicate(timeout=LATE)
    ours = [int(number) for number in numbers.read_text().split()]
    assert len(ours) > 2
    while any(map(exists, ours)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(exists, ours))


def test_a_program_whose_owner_is_killed_before_it_is_guarded_does_not_begin() -> None:
    owner = """
import os, signal, sys
from radixcheck.verification.core.guardian import Guardian
from radixcheck.verification.remote.process import Process

def killed(guardian, target):
    print(-target, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

Guardian.add = killed
Process((sys.executable, "-c", "import time; time.sleep(10000)"))
"""
    ran = subprocess.run([sys.executable, "-c", owner], capture_output=True, text=True, check=False)
    program, deadline = int(ran.stdout), time.monotonic() + 10
    while exists(program) and time.monotonic() < deadline:
        time.sleep(0.1)
    remains = exists(program)
    if remains:
        os.kill(program, signal.SIGKILL)
    assert (ran.returncode, remains) == (-signal.SIGKILL, False)


@pytest.mark.parametrize("closed", [">&-", ">/dev/full", ">/dev/full 2>/dev/full", ">&- 2>&-"])
def test_an_output_that_cannot_be_written_is_no_verdict(closed: str) -> None:
    command = f"{sys.executable} -m radixcheck invariants {closed}"
    ran = subprocess.run(["bash", "-c", command], cwd=TESTS, capture_output=True, text=True, check=False, timeout=LATE)
    assert (ran.returncode, ran.stdout, "Traceback" in ran.stderr) == (3, "", False)
