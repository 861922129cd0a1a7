"""The page "Check your own cache in ten minutes": what it shows is what is there, and what it promises happens."""

import re
import sys
from pathlib import Path
from textwrap import indent

import pytest
from commands import Command
from hypothesis import settings
from places import ROOT
from toy import Entry, PrefixCache
from toy_adapter import Toy

from radixcheck.verification.core.catalogue import CATALOGUE
from radixcheck.verification.core.found import Config
from radixcheck.verification.protocol import Setup
from radixcheck.verification.report.junit import junit
from radixcheck.verification.report.step_summary import summary
from radixcheck.verification.search.machine import state_machine_test
from radixcheck.verification.search.run import random_run
from radixcheck.verification.subjects.registry import factory_of

PAGE = ROOT / "verification" / "README.md"


def block_with(words: str) -> str:
    """The only code block of the page that holds these words, without its fences."""
    found: list[str] = [block for block in re.findall(r"^```\w*\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL) if words in block]
    assert len(found) == 1, words
    return found[0]


def filled_in(adapter: str) -> str:
    """An adapter that `init` wrote, with the methods of the page."""
    for method in re.split(r"\n{2,}", block_with("def peek").strip("\n")):
        head, body = indent(method, "    ").split("\n", 1)
        name = head.strip().partition("(")[0]
        left = rf'    @to_write\n(    {name}\(.*?\n        """.*?"""\n).*?        raise NotImplementedError'
        adapter, count = re.subn(left, lambda at, body=body: at[1] + body, adapter, count=1, flags=re.DOTALL)  # type: ignore[misc]
        assert count == 1, name
    return adapter


def test_with_the_methods_of_the_page_the_adapter_is_complete_and_nothing_is_found(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for line in block_with("radixcheck init").splitlines():
        ran = command(*line.split()[1:])
    assert ran.complaint == block_with("write Adapter.peek").strip()
    written = tmp_path / "prefix_cache_adapter.py"
    complete = tmp_path / "complete.py"  # another name: the first is imported
    complete.write_text(filled_in(written.read_text()))

    assert "    @to_write\n" not in complete.read_text()
    factory = factory_of("complete.py:cache")
    ran_at_random = random_run(factory, Config("lru", 1, 10), seed=1, steps=300, stride=1)
    assert (ran_at_random.found, ran_at_random.steps > 250) == ({}, True)
    del sys.modules["prefix_cache_adapter"], sys.modules["complete"]


def test_the_sentences_of_the_page_are_those_of_the_catalogue() -> None:
    text = PAGE.read_text()

    for id_ in ("EVICT_COST", "LOCK_COUNT"):
        assert f"{id_} REFUTED  ({CATALOGUE[id_].questions})  {CATALOGUE[id_].sentence}" in text


def test_the_toy_passes_as_a_test_case_and_in_plain_runs() -> None:
    case = state_machine_test(Toy, page_sizes=(1,))
    case.settings = settings(case.settings, max_examples=15, database=None)  # type: ignore[attr-defined]
    case("runTest").debug()

    assert random_run(Toy, Config("lru", 1, 10), seed=1, steps=300, stride=1).found == {}


def test_the_toy_is_refuted_by_its_costs_alone(tmp_path: Path, command: Command) -> None:
    xml, text = tmp_path / "toy.xml", tmp_path / "summary.md"
    text.write_text("# An earlier step\n")
    ran = command("verify", "toy_adapter:Toy", "--seconds", 1, "--json", "--junit", xml, "--summary", text)

    assert ran.status == 1
    assert [each["property"] for each in ran.json["refuted"]] == ["EVICT_COST", "VERB_COST"]
    assert ran.json["command"] == "radixcheck verify toy_adapter:Toy --seed 0 --seconds 1 --policy lru --page-size 1"
    assert xml.read_text() == junit([ran.json])
    assert text.read_text() == "# An earlier step\n" + summary([ran.json])
    assert sorted(tmp_path.iterdir()) == [text, xml]


class ForgetfulCache(PrefixCache):
    """The toy with the fault of the page."""

    def _split(self, parent: Entry, entry: Entry, at: int) -> Entry:
        upper = super()._split(parent, entry, at)
        upper.pins = 0
        return upper


class Forgetful(Toy):
    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.cache = ForgetfulCache()


def test_the_fault_of_the_page_is_found() -> None:
    found = {id_ for seed in range(8) for id_ in random_run(Forgetful, Config("lru", 1, 10), seed, 200, 1).found}

    assert "LOCK_COUNT" in found
