"""A program that is started may take longer than a call: a worker process is not given up meanwhile."""

import subprocess
import sys
from pathlib import Path

from places import ROOT

from radixcheck.verification.core.recorder import Recorder, stalled

STARTED = """
import sys
from radixcheck.verification.core.recorder import RECORDER
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.protocol import Setup
from radixcheck.verification.remote.remote_subject import Remote

RECORDER.open(sys.argv[1])
factory = Remote((sys.executable, *sys.argv[2:]))
for cache in "first", "second":
    RECORDER.call()
    factory(Setup(1, "lru", WatchedPool(4, 1)))
    RECORDER.returned()
"""


def test_what_has_a_limit_of_its_own_is_not_a_call_that_does_not_return(tmp_path: Path) -> None:
    recorder, path = Recorder(), tmp_path / "record"
    recorder.open(str(path))
    recorder.call()

    with recorder.limited_elsewhere():
        during = path.read_text()
        assert stalled(str(path)) == 0.0

    assert (during, path.read_text()) == ("(\n)\n", "(\n)\n(\n")


def test_the_start_of_a_program_has_a_limit_of_its_own_and_later_caches_of_it_have_not(tmp_path: Path) -> None:
    served = str(ROOT / "verification" / "remote" / "serve.py"), f"{ROOT / 'tests' / 'subjects' / 'toy_tree.py'}:white"
    subprocess.run([sys.executable, "-c", STARTED, str(tmp_path / "record"), *served], check=True)

    actual = (tmp_path / "record").read_text().split()
    assert actual == ["(", ")", "(", ")", "(", ")"]
