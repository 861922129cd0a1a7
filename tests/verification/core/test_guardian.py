"""The guardian kills the processes that were added, and no others, once the process that started it has ended."""

import subprocess
import sys
import time

PROGRAM = """
import os, subprocess
from radixcheck.verification.core.guardian import Guardian
guardian = Guardian()
quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
started = [subprocess.Popen(["sleep", "10000"], start_new_session=True, **quiet) for _ in range(3)]
guardian.add(started[0].pid), guardian.add(-started[1].pid), guardian.add(started[2].pid), guardian.remove(started[2].pid)
print(*(each.pid for each in started), flush=True)
os.kill(os.getpid(), 9)
"""


def state(number: int) -> str:
    """The state of a process, a letter; empty: there is none."""
    ran = subprocess.run(["ps", "-o", "stat=", "-p", f"{number}"], capture_output=True, text=True, check=False)
    return ran.stdout.strip()[:1].replace("Z", "")


def test_what_was_added_is_killed_and_what_was_removed_is_not() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    one, group, removed = map(int, ran.stdout.split())
    deadline = time.monotonic() + 60
    while (state(one) or state(group)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (state(one), state(group), state(removed)) == ("", "", "S")
    subprocess.run(["kill", "-9", f"{removed}"], check=True)
