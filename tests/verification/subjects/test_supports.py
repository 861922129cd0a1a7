"""A cache may lack verbs: they are never called, and what only they could show reads NOT OBSERVABLE, never as a pass."""

from dataclasses import replace

import pytest
from hiding import Hiding

from radixcheck.verification.checker.misuse import misuses_for
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.all_probes import POOL_PAGES, all_probed
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.diff import compare
from radixcheck.verification.search.machine import hypothesis_batches, never_fired
from radixcheck.verification.search.recipes import CHANGES
from radixcheck.verification.search.run import random_run, replay
from radixcheck.verification.search.verify import judged
from radixcheck.verification.subjects.reference_subject import reference_subject

PEEKLESS = Supports(without=frozenset({"peek"}))
LOCKLESS = Supports(requests=False, without=frozenset({"lock"}))
REQUESTS_WITHOUT_ABORT = Supports(tree=False, without=frozenset({"abort"}))
POOREST = Supports(requests=False, namespaces=False, policies=("lru",), without=frozenset({"lock", "unlock", "peek", "evict", "reset"}))


def lacking(supports: Supports) -> Factory:
    """The reference, of which callers see only the verbs that it declares."""
    return lambda setup: Hiding(reference_subject(setup), supports.without, supports=supports)


def hidden(supports: Supports) -> dict[str, str]:
    """What cannot be observed of such a cache beside what cannot be of the reference, and why."""
    result = all_probed(lacking(supports), Config("lru", 1, POOL_PAGES))
    for k in range(15):
        result.merge(random_run(lacking(supports), Config("lru", 1, (6, 10, 16)[k % 3]), k, stride=4, misused=True))
    assert result.found == {}
    plain = {v.property.id for v in judged(RunResult(), Supports(), white_box=True) if v.verdict == "NOT OBSERVABLE"}
    verdicts = judged(result, supports, white_box=True, misused=True)
    return {v.property.id: v.note for v in verdicts if v.verdict == "NOT OBSERVABLE" and v.property.id not in plain}


def test_operations_are_those_of_which_a_cache_has_all_verbs() -> None:
    assert "peek" not in PEEKLESS.operations
    assert {"match", "insert", "evict"} < set(LOCKLESS.operations)
    assert {"lock", "unlock", "start"}.isdisjoint(LOCKLESS.operations)
    assert REQUESTS_WITHOUT_ABORT.operations == ("start", "chunk", "decode", "finish", "reset")
    assert Supports(requests=False, without=frozenset({"alloc"})).operations == ("match", "peek", "lock", "unlock", "evict", "reset")
    misuses = ("free slots of the tree", "insert slots of the tree", "evict a negative number", "match a negative token")
    assert set(misuses_for(LOCKLESS)) == {*misuses, "reset while held"}


@pytest.mark.parametrize("supports", [PEEKLESS, LOCKLESS, REQUESTS_WITHOUT_ABORT, POOREST])
def test_the_state_machine_fires_every_operation_that_there_is_and_no_other(supports: Supports) -> None:
    result = RunResult.of(hypothesis_batches(lacking(supports), ("lru",), (1, 2), seed=1, examples=30))
    assert (result.found, never_fired(result)) == ({}, ())
    assert set(result.fired) - set(CHANGES) == set(supports.operations)


def test_what_only_a_lacking_verb_could_show_is_not_observable() -> None:
    locks = ("LOCK_COUNT", "LOCK_NONNEG", "COUNT", "EVICT_UNLOCKED", "PROTECTED", "MATCH_FRESH")

    assert hidden(PEEKLESS) == {"PEEK_PURE": "it has no peek"}
    assert hidden(LOCKLESS) == dict.fromkeys(locks, "it has no lock and no start") | {"ADMISSION": "it has no request operations"}


def test_operations_that_a_cache_lacks_are_left_out_of_a_trace() -> None:
    result = replay(lacking(PEEKLESS), Config("lru", 1, 8), (Op("peek"), Op("evict", amount=1), Op("peek")))
    assert (result.found, dict(result.fired)) == ({}, {"evict": 1})


def test_two_caches_are_compared_by_what_both_have() -> None:
    outcome = compare(reference_subject, lacking(replace(POOREST, namespaces=True)), Config("lru", 1, 10), seed=1)
    assert outcome.differences == ()
    assert outcome.steps > 300
