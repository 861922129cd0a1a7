"""vLLM's cache in `radixcheck live`: over an engine that answers from what its blocks hold; marked live: over vLLM itself."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from commands import Command, Ran
from fake_engine import live_interpreter, model_folder
from fake_vllm import vllm_interpreter

from radixcheck.verification.live.live_results import Answer, LiveRun
from radixcheck.verification.live.vllm_compare import hit_counts, possible_hits
from radixcheck.verification.live.workload import Conversations, Load

SMALL = ("--requests", 40, "--batch", 4, "--pool", 6_144, "--page-size", 32, "--backends", "radixcheck,none")


def served(command: Command, folder: Path, *arguments: object, faults: Mapping[str, str] | None = None) -> Ran:
    for name in ("sglang", "vllm"):
        folder.joinpath(name).mkdir()
    python, vllm, model = live_interpreter(folder / "sglang"), vllm_interpreter(folder / "vllm", faults), model_folder(folder / "model")
    return command("live", "--python", python, "--vllm-python", vllm, "--model", model, *SMALL, *arguments)


def verdicts(ran: Ran) -> dict[str, str]:
    checks = (check for check in ran.json["checks"] if "vllm" in check["backend"])
    return {f"{check['backend']}: {check['check']}": check["verdict"] for check in checks}


GOOD = {
    **dict.fromkeys((f"vllm: {name}" for name in ("hits", "equal tokens", "near log-probabilities", "possible hits")), "TESTED"),
    "vllm-none: hits nothing": "TESTED",
    "control-vllm-wrong-block: must fail": "KILLED",
}


def test_vllms_cache_holds_beside_ours_and_its_control_is_caught(command: Command, tmp_path: Path) -> None:
    ran = served(command, tmp_path, "--json")

    assert ran.status == 0, ran.json["checks"]
    assert verdicts(ran) == GOOD
    assert ran.json["engine"] == "SGLang 0.5.23, vLLM 0.32.0"
    (row,) = ran.json["hit_counts"]
    assert (row["backend"], row["page_size"], row["ours_page_size"], row["requests"]) == ("vllm", 32, 32, 40)
    assert row["same"] + row["more"] + row["fewer"] == row["requests"]
    assert row["cached"] == sum(run["cached_tokens"] for run in ran.json["runs"] if run["backend"] == "vllm") > 0


def test_the_table_of_a_live_run_shows_vllm_beside_ours(command: Command, tmp_path: Path) -> None:
    ran = served(command, tmp_path, "--no-controls")

    assert ran.status == 0
    assert "beside ours" in ran.words
    assert "9 of 9 checks hold; the whole holds" in ran.words


@pytest.mark.parametrize(
    ("backend", "fault", "broken", "verdict", "status"),
    [
        ("vllm", "tokens", "vllm: equal tokens", "REFUTED", 1),
        ("vllm", "far", "vllm: near log-probabilities", "REFUTED", 1),
        ("vllm", "hits", "vllm: possible hits", "REFUTED", 1),
        ("vllm", "no hits", "vllm: hits", "NOT EXERCISED", 3),
        ("vllm", "end", "vllm: runs to its end", "UNDECIDED", 3),
        ("none", "start", "vllm-none: runs to its end", "UNDECIDED", 3),
        ("control", "without effect", "control-vllm-wrong-block: must fail", "SURVIVED", 1),
    ],
)
def test_a_fault_of_vllms_cache_gets_its_verdict(
    command: Command, tmp_path: Path, backend: str, fault: str, broken: str, verdict: str, status: int
) -> None:
    ran = served(command, tmp_path, "--json", faults={backend: fault})

    assert ran.status == status
    assert verdicts(ran)[broken] == verdict


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--vllm-python", "absent/python"), "there is no interpreter 'absent/python': give the path of the Python that runs vLLM"),
        (("--vllm-python", sys.executable), f"--vllm-python {sys.executable}: vLLM is not installed there; tests/peers/setup_vllm.sh VENV"),
        (("--vllm-python", "false"), "instead of answering version; tests/peers/setup_vllm.sh VENV makes"),
        (("--vllm-python", "python3", "--calls"), "--vllm-python does not go with"),
        (("--vllm-python", "python3", "--pool", "6152", "--page-size", "1"), "--pool 6152 is not made of whole blocks of 32 tokens"),
    ],
)
def test_wrong_use_of_vllm_gets_one_sentence(command: Command, arguments: tuple[str, ...], names: str) -> None:
    assert names in command("live", "--python", "python3", *arguments).complaint


def test_a_cache_can_hit_what_was_computed_before_or_beside_a_request() -> None:
    load = Load(requests=24, batch=3, vocabulary=50, seed=4)
    talks, answers, expected, before = Conversations(load), list[Answer](), list[int](), list[list[int]]()
    while prompts := talks.round():
        for at, prompt in enumerate(prompts):
            others = [*before, *prompts[:at], *prompts[at + 1 :]]
            ends = range(8, len(prompt), 8)
            expected.append(max((end for end in ends if any(other[:end] == prompt[:end] for other in others)), default=0))
        answers += [Answer(len(prompt), 0, (5, 6), (-0.5, -0.25)) for prompt in prompts]
        before += [[*prompt, 5] for prompt in prompts]
        talks.answered([[5, 6]] * len(prompts))

    assert possible_hits(load, answers, 8) == expected
    assert 0 < sum(map(bool, expected)) < len(expected)


def test_hits_beside_ours_are_counted_request_by_request() -> None:
    def run(backend: str, *cached: int) -> LiveRun:
        return LiveRun(backend, 32, tuple(Answer(100, each, (5,), (-0.5,)) for each in cached))

    (row,) = hit_counts(run("vllm", 32, 64, 0, 96), [run("none", 0, 0, 0, 0), run("radixcheck", 32, 32, 64, 64)])

    assert (row.same, row.more, row.fewer, row.same_tokens) == (1, 2, 1, 4)
    assert (row.cached, row.ours_cached) == (192, 192)


@pytest.mark.live
@pytest.mark.slow
def test_vllm_serves_the_same_requests_with_and_without_its_cache(command: Command) -> None:
    """RADIXCHECK_VLLM is a Python that has vLLM. Five engines, one after another: some minutes."""
    pythons = ("--python", os.environ["RADIXCHECK_LIVE"], "--vllm-python", os.environ["RADIXCHECK_VLLM"])
    ran = command("live", *pythons, *SMALL, "--requests", 60, "--json")

    assert ran.status == 0, ran.json["checks"]
    assert verdicts(ran) == GOOD
