"""Facts about programs: each comes out as expected, and each can come out otherwise."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from commands import Command
from torch import Tensor

from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.review_6907.fact_results import Fact, Tried
from radixcheck.verification.review_6907.facts import FACTS, batches, decide, docstrings, guard, host_runs
from radixcheck.verification.subjects.historical import HierarchicalBase, HierarchicalPairs
from radixcheck.verification.subjects.historical.base import Node


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_each_fact_comes_out_as_expected(name: str, seed: int) -> None:
    decided = decide(FACTS[name], seed)
    assert (decided.verdict, decided.status) == (FACTS[name].expected, 0)
    assert decided.tried.cases > 10


def test_a_chain_that_loses_a_token_is_seen() -> None:
    def wrong(lists: Sequence[Sequence[int]]) -> list[int]:
        return [token for one in lists for token in one][:200_000]

    assert batches.equal(0, wrong).against == "the chain of 3 lists is not their sum"


def test_what_copies_where_it_should_share_is_seen() -> None:
    def of_tensor(numbers: list[int]) -> tuple[Tensor, Callable[[], None]]:
        held = torch.tensor(numbers)

        def change() -> None:
            held[0] += 1

        return held.clone(), change

    assert batches.aliasing(0, {"as_tensor of a tensor": (of_tensor, True)}).against == "as_tensor of a tensor copies"
    assert batches.aliasing(0, {"a copy": (of_tensor, False)}).against == ""


def test_what_shares_where_it_should_copy_is_seen() -> None:
    wrong = {"ours": (batches.SHARING["as_tensor of a tensor"][0], False)}
    assert batches.aliasing(0, wrong).against == "ours shares memory"


class EmptyOffered(host_runs.CountedOffers):
    """Offers each node once more after it has left the device."""

    def _demote(self, node: Node) -> int:
        tokens = super()._demote(node)
        return tokens + self.write_backup(node)


class SplitKeepsHits(HierarchicalBase):
    """The upper half of a split has the hits of the whole."""

    def _split(self, child: Node, length: int) -> Node:
        upper = super()._split(child, length)
        upper.hits = child.hits
        return upper


def test_runs_of_the_hierarchical_cache_can_come_out_otherwise() -> None:
    assert re.fullmatch(r"write_\w+, run \d+, after \d+ operations", host_runs.before(0, HierarchicalPairs).against)
    assert host_runs.after(0, (HierarchicalBase,)).against == ""
    assert "after" in host_runs.offered(0, EmptyOffered).against
    assert "copies the 2" not in host_runs.parents_first(0, SplitKeepsHits).against


def test_a_public_method_without_a_docstring_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    methods = "def method(self):\n        pass\n\n    def _own(self):\n        pass\n"
    file.write_text(f'"""A module."""\n\n\nclass Some:\n    """A class."""\n\n    {methods}')
    tried = docstrings.documented([file])

    assert (tried.against, tried.cases) == ("some.py: Some.method has none", 3)
    assert docstrings.documented([]).cases == 0


def test_the_guard_is_judged_by_pops_that_compare() -> None:
    """Without locks and second entries nothing is skipped; then there is no case."""
    tree = guard.CountedTree(1, WatchedPool(8, 1))
    for token in range(4):
        tree.insert([token], tree.pool.alloc(1))
    tree.evict(2)

    assert (len(tree.taken), tree.skipped) == (2, [])
    assert sum(tree.taken) > 0
    node = tree.match([3])[1]
    tree.inc_lock_ref(node)
    tree.dec_lock_ref(node)
    tree.evict(2)
    assert len(tree.taken) == 4
    assert guard.sifting(3).against == guard.sifting(3).detail


@pytest.mark.parametrize(("tried", "verdict", "status"), [(Tried(0, "", ""), "NOT EXERCISED", 3), (Tried(5, "a case", ""), "REFUTED", 1)])
def test_a_fact_without_a_case_is_undecided_and_one_that_comes_out_otherwise_is_status_1(tried: Tried, verdict: str, status: int) -> None:
    decided = decide(Fact("SOME", "C8", "Something.", "TESTED", lambda seed: tried), 0)
    assert (decided.verdict, decided.status) == (verdict, status)


def test_the_command_shows_them_for_machines_and_for_people(command: Command) -> None:
    for_machines, for_people = command("facts", "GUARD-SIFTS", "BATCH-EQUAL", "--json"), command("facts", "BATCH-ALIAS")
    assert for_machines.status == for_people.status == 0
    assert {fact["id"]: fact["verdict"] for fact in for_machines.json["facts"]} == {"GUARD-SIFTS": "REFUTED", "BATCH-EQUAL": "TESTED"}
    assert "1 of 1 as expected" in for_people.out
