"""The Python API does what the commands do, and imports nothing heavy before it is called."""

import subprocess
import sys
from pathlib import Path

import pytest
from faulty import double_free

from radixcheck.spec.values import Key
from radixcheck.verification import Status, UsageError, diff, replay, verify
from radixcheck.verification.core import traces
from radixcheck.verification.core.found import Config
from radixcheck.verification.operations import Op

TRACE = traces.Recorded(Config("lru", 1, 8), (Op("insert", Key((1, 2))), Op("evict", amount=2)))


def test_verify_refutes_a_faulty_factory() -> None:
    outcome = verify(double_free, policies=["lru"], page_sizes=[1], seconds=0.5)
    assert (outcome.status, outcome.holds) == (Status.REFUTED, False)
    assert outcome.to_json()["status"] == 1


def test_diff_compares_two_subjects_in_the_policies_of_both() -> None:
    outcome = diff("base", double_free, seconds=0.5)
    assert outcome.bounds.policies == ("lru",)
    assert outcome.status == Status.REFUTED


def test_replay_takes_a_trace_of_operations_or_the_sample(tmp_path: Path) -> None:
    traces.write(tmp_path / "trace.jsonl", TRACE)
    assert replay(tmp_path / "trace.jsonl", "reference").holds
    assert replay(None, "reference").holds


def test_wrong_use_is_a_usage_error(tmp_path: Path) -> None:
    traces.write(tmp_path / "trace.jsonl", TRACE)

    with pytest.raises(UsageError, match="leave policy out"):
        replay(tmp_path / "trace.jsonl", "reference", policy="lru")
    with pytest.raises(UsageError, match="unknown policy 'lr'"):
        verify("reference", policies=["lr"])


def test_importing_the_package_loads_no_extra() -> None:
    program = "import sys, radixcheck.verification; print(*{'torch', 'z3', 'hypothesis', 'rich', 'click'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.stdout.strip(), ran.stderr) == ("", "")
