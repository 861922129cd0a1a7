"""Exhaustive exploration: the number of states, that right caches pass, and that wrong ones are refuted in the fewest steps."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from commands import Command

from radixcheck.spec.values import Key
from radixcheck.verification.explore.explore import explore
from radixcheck.verification.explore.explore_results import Explored
from radixcheck.verification.explore.scopes import SCOPES, Scope
from radixcheck.verification.mutants import MUTANTS
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.reference_subject import ReferenceSubject, reference_subject
from radixcheck.verification.subjects.registry import resolve

SMALL = Scope("small", ("a", "aa"), holders=1, requests=False, pages=2, pool=4)
COUNTS = {  # (subject, scope, page size): states, transitions, depth
    **{(name, "tree", 1): (223, 2943, 11) for name in ("reference", "model")},
    **{(name, "tree", 2): (223, 3389, 11) for name in ("reference", "model")},
    **{(name, "requests", 1): (97, 885, 7) for name in ("reference", "model")},
    **{(name, "requests", 2): (132, 1275, 7) for name in ("reference", "model")},
    **{(name, "scarce", 1): (169, 1561, 8) for name in ("reference", "model")},
    **{(name, "scarce", 2): (277, 2649, 8) for name in ("reference", "model")},
    ("optimized", "tree", 1): (1567, 21105, 13),
    ("optimized", "tree", 2): (1567, 24239, 13),
    ("optimized", "requests", 1): (621, 5819, 13),
    ("optimized", "requests", 2): (785, 7692, 13),
    ("optimized", "scarce", 1): (844, 7747, 15),
    ("optimized", "scarce", 2): (1305, 12329, 15),
}


def counts(explored: Explored) -> tuple[int, int, int]:
    """The numbers that are pinned."""
    return (explored.states, explored.transitions, explored.depth)


def faults(explored: Explored) -> dict[str, int]:
    """The properties that are broken, with the length of the shortest trace for each."""
    return {found.violation.property: len(found.trace) for found in explored.found}


@pytest.mark.parametrize(("subject", "expected"), [("reference", (45, 445, 7)), ("model", (45, 445, 7)), ("optimized", (107, 1057, 9))])
def test_a_small_scope_is_closed_and_has_so_many_states(subject: str, expected: tuple[int, int, int]) -> None:
    explored = explore(resolve(subject), SMALL)

    assert (explored.verdict, counts(explored)) == ("EXHAUSTED", expected)


@pytest.mark.parametrize(("scope", "page_size"), [("tree", 1), ("requests", 2), ("scarce", 1)])
def test_the_scopes_of_the_command_are_closed_for_the_reference(scope: str, page_size: int) -> None:
    explored = explore(reference_subject, SCOPES[scope], page_size=page_size)

    assert (explored.verdict, counts(explored)) == ("EXHAUSTED", COUNTS["reference", scope, page_size])
    assert {"EVICT_LEAF", "ORDER", "COUNT", "REFINEMENT", "LOCK_COUNT", "HIT_PRESERVES"} <= explored.exercised


@pytest.mark.slow
@pytest.mark.parametrize(("subject", "scope", "page_size"), sorted(COUNTS))
def test_the_scopes_of_the_command_are_closed_for_every_cache(subject: str, scope: str, page_size: int) -> None:
    explored = explore(resolve(subject), SCOPES[scope], page_size=page_size)

    assert (explored.verdict, counts(explored)) == ("EXHAUSTED", COUNTS[subject, scope, page_size])


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["fifo", "filo", "mru", "slru"])
def test_other_policies_close_as_well(policy: str) -> None:
    assert explore(reference_subject, SMALL, policy).verdict == "EXHAUSTED"


@pytest.mark.slow
@pytest.mark.parametrize(("policy", "expected"), [("fifo", (173, 1708, 10)), ("filo", (183, 1808, 10)), ("slru", (219, 2171, 11))])
def test_heaps_of_other_policies_close_as_well(policy: str, expected: tuple[int, int, int]) -> None:
    """Not of mru: each access pushes an entry, and the dead ones make thousands of states even of this scope."""
    explored = explore(resolve("optimized"), SMALL, policy)

    assert (explored.verdict, counts(explored)) == ("EXHAUSTED", expected)


def test_two_cores_find_what_one_finds() -> None:
    one, two = (explore(reference_subject, SMALL, cores=cores) for cores in (1, 2))

    assert (counts(two), two.exercised, two.verdict) == (counts(one), one.exercised, one.verdict)


def test_two_cores_find_the_trace_that_one_finds() -> None:
    wrong = resolve("as-submitted:pairs")
    one, two = explore(wrong, SCOPES["tree"]), explore(wrong, SCOPES["tree"], cores=2)

    assert faults(one) == {"RECENCY": 2, "EVICT_LEAF": 3, "NO_ORPHAN": 3, "COUNT": 3, "SLOT_PARTITION": 3}
    assert (two.found, counts(two)) == (one.found, counts(one))


@pytest.mark.parametrize(
    ("mutant", "scope", "length"),
    [
        ("namespace_joins_components", "tree", 1),
        ("walk_past_split", "tree", 2),
        ("peek_touches", "tree", 2),
        ("insert_keeps_tail", "tree", 1),
        ("evict_internal", "tree", 3),
        ("evict_skips_promoted", "tree", 3),
        ("split_forgets_lock", "tree", 4),
        ("evict_ignores_lock", "tree", 4),
        ("evict_ignores_touch", "tree", 4),
        ("heap_trusts_old_entries", "tree", 3),
        ("reset_keeps_slots", "tree", 2),
        ("abort_forgets_unlock", "requests", 3),
        ("refused_start_keeps_page", "scarce", 2),
        ("start_remembers_match", "scarce", 4),
    ],
)
def test_a_planted_fault_is_found_with_a_trace_as_short_as_any(mutant: str, scope: str, length: int) -> None:
    wrong = MUTANTS[mutant]

    explored = explore(wrong.factory, SCOPES[scope], wrong.policy, wrong.page_size)

    assert (explored.verdict, explored.status) == ("REFUTED", 1)
    assert faults(explored)[wrong.property] == length


def test_a_fault_of_one_operation_on_the_way_back_to_a_state_is_a_broken_determinism() -> None:
    class Moody(ReferenceSubject):
        """It keeps a counter where no snapshot reaches."""

        inserts = 0

        def insert(self, key: Key, slots: Any, priority: int = 0) -> int:
            Moody.inserts += 1
            if Moody.inserts == 3:
                raise RuntimeError("not today")
            return super().insert(key, slots, priority)

    explored = explore(Moody.of, SMALL)

    assert faults(explored) == {"DETERMINISM": 1}


def test_what_a_fresh_cache_does_not_do_is_a_broken_determinism() -> None:
    class Tired(ReferenceSubject):
        """Only the first insert of all its caches gives a wrong answer."""

        inserts = 0

        def insert(self, key: Key, slots: Any, priority: int = 0) -> int:
            Tired.inserts += 1
            return super().insert(key, slots, priority) + (Tired.inserts == 1)

    explored = explore(Tired.of, SMALL)

    assert faults(explored) == {"DETERMINISM": 1}
    assert explored.found[0].violation.text.startswith("INSERT_MATCH_AGREE was broken (")


class Counting(ReferenceSubject):
    """It keeps an object that cannot be restored."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup.page_size, setup.policy, setup.pool)
        self.counter = count()


class CountingLate(ReferenceSubject):
    """It does so from the first insert on."""

    counter: object = None

    def insert(self, key: Key, slots: Any, priority: int = 0) -> int:
        self.counter = count()
        return super().insert(key, slots, priority)


@pytest.mark.parametrize("factory", [Counting, CountingLate.of])
def test_a_cache_that_cannot_be_restored_is_replayed_from_the_start(factory: Callable[[Setup], Any]) -> None:
    explored = explore(factory, SMALL)

    assert explored.opaque == "itertools.count"
    assert (explored.verdict, counts(explored)) == ("EXHAUSTED", (45, 445, 7))


class Hiding(ReferenceSubject):
    """It does not show its inside."""

    observe: Any = property()


def test_a_hidden_state_is_undecided_and_not_exhausted() -> None:
    explored = explore(Hiding.of, SMALL)

    assert (explored.closed, explored.shown, explored.verdict) == (True, False, "UNDECIDED")


def test_an_exploration_that_stops_at_its_limit_is_undecided() -> None:
    explored = explore(reference_subject, SCOPES["tree"], limit=60)

    assert (explored.verdict, explored.status, explored.closed) == ("UNDECIDED", 3, False)
    assert 60 <= explored.states < COUNTS["reference", "tree", 1][0]
    assert explored.depth == 4


def test_the_counts_of_the_progress_only_grow() -> None:
    reported: list[Explored] = []
    explored = explore(reference_subject, SMALL, progress=reported.append)

    assert [each.transitions for each in reported] == sorted(each.transitions for each in reported)
    assert counts(reported[-1]) == counts(explored)


def test_the_command_prints_counts_bounds_and_verdict(command: Command) -> None:
    ran = command("explore", "reference", "--scope", "requests", "--cores", "1", "--page-size", "1")

    assert ran.status == 0
    assert "requests lru 1 97 885 7 yes" in ran.words
    assert "keys a, aa, ab, up to 2 pages; 2 requests; 4 pages" in ran.words
    assert "reference holds in every state within these bounds: 97 states, 885 transitions" in ran.words


def test_the_command_prints_the_shortest_trace_of_a_wrong_cache(command: Command) -> None:
    ran = command("explore", "as-submitted", "--scope", "tree", "--cores", "1", "--page-size", "1")

    assert ran.status == 1
    assert "EVICT_LEAF REFUTED" in ran.words
    assert "3 operations under lru, pages of 1, pool of 5: 1 insert [0] 2 insert [0 0] 3 evict 1 before the last one:" in ran.words
    assert "as-submitted:pairs is refuted within these bounds" in ran.words
    assert "as-submitted:nodes is refuted within these bounds" in ran.words


def test_the_command_ends_with_3_at_its_limit(command: Command) -> None:
    words = ("explore", "reference", "--scope", "tree", "--cores", "1", "--page-size", "1", "--policy", "lfu", "--limit", "50")
    for_people, for_machines = command(*words), command(*words, "--json")

    assert for_people.status == for_machines.status == for_machines.json["status"] == 3
    assert "not closed; every sequence of 3 operations was taken, and some longer ones" in for_people.out
    (explored,) = for_machines.json["explorations"]
    assert (explored["verdict"], explored["closed"]) == ("UNDECIDED", False)


def test_a_factory_that_no_other_process_can_import_is_explored_in_this_one() -> None:
    explored = explore(lambda setup: ReferenceSubject(setup.page_size, setup.policy, setup.pool), SMALL, cores=2)

    assert (explored.verdict, explored.states) == ("EXHAUSTED", explore(reference_subject, SMALL).states)
