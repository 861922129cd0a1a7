"""Exhaustive exploration: how much there is to see, that right caches pass it whole, and that wrong ones are caught in the fewest steps."""

from itertools import count
from typing import Any

import pytest
from commands import Command
from fast_tier import slow_unless
from hiding import Hiding

from radixcheck.spec.values import Key
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.explore.explore import explore
from radixcheck.verification.explore.explore_results import Explored
from radixcheck.verification.explore.scopes import SCOPES, Scope
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.subjects.reference_subject import ReferenceSubject, reference_subject
from radixcheck.verification.subjects.registry import resolve

SMALL = Scope("small", ("a", "aa"), holders=1, requests=False, pages=2, pool=4)
TIERED = ("reference-host", "model-host")
COUNTS = {  # (subject, scope, page size): states, transitions, depth
    **{(name, "tree", 1): (223, 2943, 11) for name in ("reference", "model")},
    **{(name, "tree", 2): (223, 3389, 11) for name in ("reference", "model")},
    **{(name, "requests", 1): (97, 885, 7) for name in ("reference", "model")},
    **{(name, "requests", 2): (132, 1275, 7) for name in ("reference", "model")},
    **{(name, "scarce", 1): (169, 1561, 8) for name in ("reference", "model")},
    **{(name, "scarce", 2): (277, 2649, 8) for name in ("reference", "model")},
    **{(name, "edges", 1): (618, 10630, 11) for name in ("reference", "model")},
    **{(name, "edges", 2): (618, 15009, 11) for name in ("reference", "model")},
    **{(name, "empty requests", 1): (51, 487, 7) for name in ("reference", "model")},
    **{(name, "empty requests", 2): (62, 619, 7) for name in ("reference", "model")},
    **{("optimized", "edges", 1): (1210, 20529, 11), ("optimized", "edges", 2): (1210, 28885, 11)},
    **{("optimized", "empty requests", 1): (144, 1378, 13), ("optimized", "empty requests", 2): (161, 1584, 13)},
    **{("optimized", "tree", 1): (1567, 21105, 13), ("optimized", "tree", 2): (1567, 24239, 13)},
    **{("optimized", "requests", 1): (621, 5819, 13), ("optimized", "requests", 2): (785, 7692, 13)},
    **{(name, "tree write_through", size): (626, 9281, 15) for name in TIERED for size in (1, 2)},
    **{(name, "tree write_through_selective", size): (628, 9305, 13) for name in TIERED for size in (1, 2)},
    **{(name, "tree write_back", size): (1360, 20798, 11) for name in TIERED for size in (1, 2)},
    **{(name, "requests write_through", 1): (793, 7068, 17) for name in TIERED},
    **{(name, "requests write_through", 2): (1855, 17212, 18) for name in TIERED},
    **{(name, "requests write_through_selective", 1): (239, 2112, 14) for name in TIERED},
    **{(name, "requests write_through_selective", 2): (689, 6305, 19) for name in TIERED},
    **{(name, "requests write_back", 1): (506, 4941, 13) for name in TIERED},
    **{(name, "requests write_back", 2): (650, 6581, 12) for name in TIERED},
    **{("optimized", "scarce", 1): (844, 7747, 15), ("optimized", "scarce", 2): (1305, 12329, 15)},
}
QUICK = [("reference", "tree", 1), ("reference", "requests", 2), ("reference", "scarce", 1), ("reference", "edges", 1)]
QUICK += [("optimized", "empty requests", 2), ("reference-host", "requests write_through_selective", 1)]
SLOW = sorted(COUNTS.keys() - {*QUICK})

# Without mru: each access pushes an entry, and the dead ones make thousands of states even of a small scope.
HEAPS = {"fifo": (173, 1708, 10), "filo": (183, 1808, 10), "slru": (219, 2171, 11)}


def counts(explored: Explored) -> tuple[int, int, int]:
    return (explored.states, explored.transitions, explored.depth)


def faults(explored: Explored) -> dict[str, int]:
    """The properties that are broken, with the length of the shortest trace for each."""
    return {found.violation.property: len(found.trace) for found in explored.found}


@pytest.mark.parametrize(
    ("subject", "policy", "expected"),
    slow_unless(
        lambda subject, policy, expected: policy == "lru",
        [
            *(("reference", "lru", (45, 445, 7)), ("model", "lru", (45, 445, 7)), ("optimized", "lru", (107, 1057, 9))),
            *(("optimized", policy, expected) for policy, expected in HEAPS.items()),
        ],
    ),
)
def test_a_small_scope_is_closed_and_has_so_many_states(subject: str, policy: str, expected: tuple[int, int, int]) -> None:
    explored = explore(resolve(subject), SMALL, policy)
    assert (explored.verdict, counts(explored)) == ("EXHAUSTED", expected)


@pytest.mark.parametrize(("subject", "scope", "page_size"), slow_unless(lambda *case: case in QUICK, [*QUICK, *SLOW]))
def test_the_scopes_of_the_command_are_closed(subject: str, scope: str, page_size: int) -> None:
    explored = explore(resolve(subject), SCOPES[scope], page_size=page_size)
    assert (explored.verdict, counts(explored)) == ("EXHAUSTED", COUNTS[subject, scope, page_size])
    wanted = {"EVICT_LEAF", "COUNT", "REFINEMENT", "LOCK_COUNT", "HIT_PRESERVES"}
    wanted |= set() if SCOPES[scope].edges else {"ORDER"}  # the keys of these are prefixes of each other: there is one leaf at a time
    assert wanted <= explored.exercised or subject != "reference"


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["fifo", "filo", "mru", "slru"])
def test_other_policies_close_as_well(policy: str) -> None:
    assert explore(reference_subject, SMALL, policy).verdict == "EXHAUSTED"


WRONG = {"RECENCY": 2, "EVICT_LEAF": 3, "NO_ORPHAN": 3, "COUNT": 3, "SLOT_PARTITION": 3}


@pytest.mark.parametrize(("subject", "scope", "expected"), [("reference", SMALL, {}), ("as-submitted:pairs", SCOPES["tree"], WRONG)])
def test_two_cores_find_what_one_finds(subject: str, scope: Scope, expected: dict[str, int]) -> None:
    one, two = (explore(resolve(subject), scope, cores=cores) for cores in (1, 2))
    assert faults(one) == expected
    assert (two.found, counts(two), two.exercised, two.verdict) == (one.found, counts(one), one.exercised, one.verdict)


@pytest.mark.parametrize(
    ("mutant", "scope", "length"),
    [
        *(("namespace_joins_components", "tree", 1), ("insert_keeps_tail", "tree", 1)),
        *(("walk_past_split", "tree", 2), ("peek_touches", "tree", 2), ("reset_keeps_slots", "tree", 2)),
        *(("evict_internal", "tree", 3), ("evict_skips_promoted", "tree", 3), ("heap_trusts_old_entries", "tree", 3)),
        *(("split_forgets_lock", "tree", 4), ("evict_ignores_lock", "tree", 4), ("evict_ignores_touch", "tree", 4)),
        *(("abort_forgets_unlock", "requests", 3), ("refused_start_keeps_page", "scarce", 2), ("start_remembers_match", "scarce", 4)),
    ],
)
def test_a_planted_fault_is_found_with_a_trace_as_short_as_any(mutant: str, scope: str, length: int) -> None:
    wrong = MUTANTS[mutant]
    explored = explore(wrong.factory, SCOPES[scope], wrong.policy, wrong.page_size)
    assert (explored.verdict, explored.status) == ("REFUTED", 1)
    assert faults(explored)[wrong.property] == length


@pytest.mark.parametrize(("wrong", "text"), [(3, ""), (1, "INSERT_MATCH_AGREE was broken (")])
def test_a_fault_that_another_cache_does_not_repeat_is_a_broken_determinism(wrong: int, text: str) -> None:
    class Moody(ReferenceSubject):
        """One insert, in whichever cache, goes wrong. The third is on the way back to a state."""

        inserts = 0  # no snapshot reaches it

        def insert(self, key: Key, slots: Any, priority: int = 0) -> int:
            Moody.inserts += 1
            if Moody.inserts == wrong == 3:
                raise RuntimeError("not today")
            return super().insert(key, slots, priority) + (Moody.inserts == wrong)

    explored = explore(Moody.of, SMALL)
    assert faults(explored) == {"DETERMINISM": 1}
    assert explored.found[0].violation.text.startswith(text)


@pytest.mark.parametrize("late", [False, True])
def test_a_cache_that_cannot_be_written_back_is_brought_to_each_state_from_the_start(late: bool) -> None:
    class Counting(ReferenceSubject):
        """It keeps an object that cannot be restored; if it is late, from the first insert on."""

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.counter = None if late else count()

        def insert(self, key: Key, slots: Any, priority: int = 0) -> int:
            self.counter = count() if late else self.counter
            return super().insert(key, slots, priority)

    explored = explore(Counting.of, SMALL)
    assert explored.opaque == "itertools.count"
    assert (explored.verdict, counts(explored)) == ("EXHAUSTED", (45, 445, 7))


def test_what_is_not_seen_is_not_called_exhausted() -> None:
    explored = explore(lambda setup: Hiding(reference_subject(setup), ("observe",)), SMALL)
    assert (explored.closed, explored.shown, explored.verdict) == (True, False, "UNDECIDED")


def test_an_exploration_that_is_given_up_is_undecided() -> None:
    explored = explore(reference_subject, SCOPES["tree"], limit=60)
    assert (explored.verdict, explored.status, explored.closed) == ("UNDECIDED", 3, False)
    assert 60 <= explored.states < COUNTS["reference", "tree", 1][0]
    assert explored.depth == 4
    assert explored.given_up == "states"


def test_an_exploration_that_a_deadline_cuts_off_is_undecided() -> None:
    explored = explore(reference_subject, SCOPES["tree"], deadline=Deadline.after(0))
    assert (explored.verdict, explored.status, explored.closed, explored.given_up) == ("UNDECIDED", 3, False, "time")


def test_what_is_heard_while_it_grows_only_grows() -> None:
    heard: list[Explored] = []
    explored = explore(reference_subject, SMALL, progress=heard.append)
    assert [each.transitions for each in heard] == sorted(each.transitions for each in heard)
    assert counts(heard[-1]) == counts(explored)


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
    operations = "1 insert [0]: 0 present, slots 0 2 insert [0 0]: 1 present, slots 1 2 3 evict 1: freed 1 <-- wrong before the last one:"
    assert f"3 operations under lru, pages of 1, pool of 5: {operations}" in ran.words
    assert "as-submitted:pairs is refuted within these bounds" in ran.words
    assert "as-submitted:nodes is refuted within these bounds" in ran.words


def test_the_command_says_3_where_it_gave_up(command: Command) -> None:
    words = ("explore", "reference", "--scope", "tree", "--cores", "1", "--page-size", "1", "--policy", "lfu", "--limit", "50")
    for_people, for_machines = command(*words), command(*words, "--json")

    assert for_people.status == for_machines.status == for_machines.json["status"] == 3
    assert "not closed at the limit of states; every sequence of 3 operations was taken, and some longer ones" in for_people.out
    (explored,) = for_machines.json["explorations"]
    assert (explored["verdict"], explored["closed"]) == ("UNDECIDED", False)


def test_a_factory_that_no_other_process_can_import_is_explored_in_this_one() -> None:
    explored = explore(lambda setup: ReferenceSubject(setup.page_size, setup.policy, setup.pool), SMALL, cores=2)
    assert (explored.verdict, explored.states) == ("EXHAUSTED", explore(reference_subject, SMALL).states)
