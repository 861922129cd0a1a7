"""`radixcheck doctor`, with interpreters that have a package with SGLang's interface, whole or changed; marked live: with the real one."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from commands import Command, Ran
from fake_sglang import interpreter, write_fake
from fast_tier import slow_unless

from radixcheck.optimized.integrations.sglang_interface import BASE
from radixcheck.verification.core.installing import install_command
from radixcheck.verification.live.doctor import doctor
from radixcheck.verification.live.doctor_results import State

FREE_SEGMENT = "mem_cache.allocator:PagedTokenToKVPoolAllocator.free_segment"


def examined(
    command: Command, folder: Path, changes: Mapping[str, str | None] | None = None, version: str = "0.5.23", plugin: bool = True
) -> Ran:
    package = write_fake(folder / "package", version, changes, plugin)
    ran = command("doctor", "--python", interpreter(folder, package), "--json")
    assert ran.status == ran.json["status"]
    return ran


def states(ran: Ran) -> dict[str, str]:
    return {part["part"]: part["state"] for part in ran.json["parts"]}


def test_an_environment_that_has_all_parts_is_ready(command: Command, tmp_path: Path) -> None:
    ran = examined(command, tmp_path)

    assert ran.status == 0
    assert ran.json["ready"] is True
    assert states(ran) == dict.fromkeys(("python", "torch", "sglang", "engine", "plugin", "interface"), State.FITS)
    assert ran.json["run"].endswith("-m sglang.launch_server --model-path MODEL --radix-cache-backend radixcheck")


def test_the_table_says_the_same(command: Command, tmp_path: Path) -> None:
    ran = command("doctor", "--python", interpreter(tmp_path, write_fake(tmp_path / "package")))

    assert ran.status == 0
    assert "interface FITS as the cache was written for" in ran.words
    assert "ready; serve with" in ran.words


@pytest.mark.parametrize(
    ("place", "changed", "sentence"),
    slow_unless(
        lambda place, changed, sentence: "pin" in place or changed is None or place == FREE_SEGMENT,
        [
            (FREE_SEGMENT, "self, free_index", "free_segment has the parameters (self, free_index), not (self, free_index, *, start_pos)"),
            (f"{BASE}BasePrefixCache.checkpoint", "self, req, *, up_to, final=", "(self, req, *, up_to, final=), not"),
            (f"{BASE}BasePrefixCache.evict", None, "BasePrefixCache has no evict"),
            (f"{BASE}BasePrefixCache.pin", "self, node", "BasePrefixCache has the new verbs pin"),
            (f"{BASE}TreeLock", "node receipt", "TreeLock has the fields node, receipt, not node, receipt, swa_released"),
            (f"{BASE}MatchPrefixParams", "keys", "MatchPrefixParams has no key"),
            ("managers.schedule_batch:Req", None, "Req is missing"),
        ],
    ),
)
def test_an_interface_that_differs_is_named_with_its_version(
    command: Command, tmp_path: Path, place: str, changed: str | None, sentence: str
) -> None:
    ran = examined(command, tmp_path, {place: changed}, version="9.8.7")

    assert ran.status == 1
    assert states(ran)["interface"] == State.DIFFERS
    texts = [part["text"] for part in ran.json["parts"] if part["part"] == "interface"]
    assert all(text.startswith("SGLang 9.8.7: ") for text in texts)
    assert any(sentence in text for text in texts), texts


def test_a_version_that_was_not_tried_is_named_where_it_fits(command: Command, tmp_path: Path) -> None:
    ran = examined(command, tmp_path, version="0.5.24")

    assert ran.status == 0
    assert "tried with 0.5.23, not with this version" in ran.json["parts"][-1]["text"]


def test_where_the_plugin_is_missing_the_interface_is_compared_and_the_installation_is_given(command: Command, tmp_path: Path) -> None:
    ran = examined(command, tmp_path, plugin=False)

    assert ran.status == 3
    assert states(ran)["plugin"] == State.MISSING
    assert states(ran)["interface"] == State.FITS
    assert ran.json["run"] == install_command("sglang", str(tmp_path / "python"), "--no-deps")


def test_a_plugin_that_cannot_be_loaded_does_not_fit(command: Command, tmp_path: Path) -> None:
    package = write_fake(tmp_path / "package")
    (points,) = package.glob("radixcheck-*.dist-info/entry_points.txt")
    points.write_text("[sglang.srt.plugins]\nradixcheck = radixcheck.gone:register\n")

    ran = command("doctor", "--python", interpreter(tmp_path, package), "--json")

    assert ran.status == 1
    assert "radixcheck.gone:register cannot be loaded" in ran.json["parts"][-1]["text"]


def test_an_engine_that_cannot_be_imported_is_missing(command: Command, tmp_path: Path) -> None:
    package = write_fake(tmp_path / "package")
    package.joinpath("sglang/srt/entrypoints/http_server.py").write_text("import a_package_that_is_not_there\n")

    ran = command("doctor", "--python", interpreter(tmp_path, package), "--json")

    assert ran.status == 3
    assert states(ran)["engine"] == State.MISSING
    assert "setup_live.sh" in ran.json["run"]


def test_without_sglang_the_package_is_missing(command: Command, tmp_path: Path) -> None:
    ran = command("doctor", "--python", interpreter(tmp_path, tmp_path), "--json")

    assert ran.status == 3
    assert ran.json["parts"][-1] == {"part": "sglang", "state": "MISSING", "text": "the package sglang is not installed"}


def test_an_interpreter_that_ends_or_hangs_decides_nothing(tmp_path: Path) -> None:
    for before, seconds in (("exit 7", 60.0), ("sleep 60", 0.5)):
        outcome = doctor(interpreter(tmp_path, tmp_path, before), seconds)

        assert outcome.status == 3
        assert outcome.parts[0].state == State.MISSING


@pytest.mark.live
def test_the_live_environment_is_ready_or_lacks_only_the_plugin(command: Command) -> None:
    ran = command("doctor", "--python", os.environ["RADIXCHECK_LIVE"], "--json")

    found = states(ran)
    assert {found[part] for part in ("python", "torch", "sglang", "engine", "interface")} == {"FITS"}
    assert ran.status == (0 if found["plugin"] == "FITS" else 3)
