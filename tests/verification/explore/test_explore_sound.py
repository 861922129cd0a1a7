"""What exploration rests on: equal canonical forms have equal futures, nothing is lost by the reductions, snapshots bring all back."""

from array import array
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from random import Random
from typing import Any

import pytest
import torch

from radixcheck.verification.explore.canonical import Canonical
from radixcheck.verification.explore.expand import Expander, SnapshotNavigator, digest
from radixcheck.verification.explore.explore import explore
from radixcheck.verification.explore.scopes import SCOPES, Scope
from radixcheck.verification.explore.snapshot import Opaque, Snapshot
from radixcheck.verification.explore.visitor import Visitor
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.subjects.reference_subject import reference_subject
from radixcheck.verification.subjects.registry import resolve

TREE, REQUESTS = SCOPES["tree"], SCOPES["requests"]
FORKED = Scope("forked", ("aa", "ab"), holders=2, requests=False, pages=2, pool=4)


def callable_now(visitor: Visitor) -> Iterator[int]:
    """Every operation of the scope that a caller can make: any token, any holder, no reduction."""
    tok = visitor.oracle.model.state.tok
    for place, op in enumerate(visitor.alphabet):
        beyond = op.name == "decode" and (op.holder not in tok or visitor.universe.decoded(tok[op.holder], op.amount) is None)
        if visitor.allowed(op) and not beyond and (op.name != "lock" or op.key == visitor.handle):
            yield place


class Unreduced:
    """Every sequence of operations, one by one; nothing is merged and nothing left out."""

    def __init__(self, way: SnapshotNavigator) -> None:
        self.way = way
        self.futures: dict[bytes, set[frozenset[bytes]]] = {}  # form -> what was reached from there, for each way to come there
        self.visits = 0
        self.broken: set[tuple[int, str]] = set()  # length of the trace, property

    def leave(self, trace: bytes) -> list[bytes]:
        """Take every operation where a trace ends; returns the longer traces."""
        visitor = self.way.visitor
        self.way.go(trace)
        form, reached, following = visitor.canonical.form, set[bytes](), []
        for place in list(callable_now(visitor)):
            self.way.go(trace)
            broken = visitor.take(visitor.alphabet[place])
            self.broken |= {(len(trace) + 1, each.property) for each in broken if not each.follows_from}
            if not visitor.stopped:
                reached.add(visitor.canonical.form)
                following.append(trace + bytes((place,)))
        self.futures.setdefault(form, set()).add(frozenset(reached))
        self.visits += 1
        return following

    @property
    def ambiguous(self) -> int:
        """Forms with more than one future."""
        return sum(len(futures) > 1 for futures in self.futures.values())


def all_sequences(depth: int, factory: Any, scope: Scope, page_size: int = 1, visitor: type[Visitor] = Visitor) -> Unreduced:
    """Everything that fewer than `depth` operations lead to, and what one more does."""
    seen, level = Unreduced(SnapshotNavigator(visitor(factory, scope, "lru", page_size))), [b""]
    for _ in range(depth):
        level = [longer for trace in level for longer in seen.leave(trace)]
    return seen


def reduced_forms(factory: Any, scope: Scope, depth: int, page_size: int = 1) -> set[bytes]:
    """Digests of what exploration visits in fewer than `depth` operations."""
    expander = Expander(factory, scope, "lru", page_size)
    level, seen = [expander.start], {expander.start.digest}
    for _ in range(depth - 1):
        level = list(expander.expand(level).reached)
        seen |= {state.digest for state in level}
    return seen


CASES = [("reference", FORKED, 3, 1, 95), ("optimized", FORKED, 3, 1, 95), ("reference", REQUESTS, 3, 2, 131)]


@pytest.mark.parametrize(("subject", "scope", "depth", "page_size", "visits"), CASES)
def test_without_any_reduction_the_same_states_are_visited(subject: str, scope: Scope, depth: int, page_size: int, visits: int) -> None:
    whole = all_sequences(depth, resolve(subject), scope, page_size)
    assert {digest(form) for form in whole.futures} == reduced_forms(resolve(subject), scope, depth, page_size)
    assert (whole.ambiguous, whole.broken, whole.visits) == (0, set(), visits)


@pytest.mark.slow
@pytest.mark.parametrize(("subject", "page_size"), [("reference", 1), ("optimized", 1), ("optimized", 2)])
@pytest.mark.parametrize("scope", [TREE, REQUESTS], ids=lambda scope: scope.name)
def test_without_any_reduction_larger_scopes_show_the_same_states(subject: str, scope: Scope, page_size: int) -> None:
    whole = all_sequences(4, resolve(subject), scope, page_size)
    assert {digest(form) for form in whole.futures} == reduced_forms(resolve(subject), scope, 4, page_size)
    assert (whole.ambiguous, whole.broken) == (0, set())
    assert whole.visits > 5 * len(whole.futures)


@pytest.mark.parametrize(("mutant", "length"), [("evict_internal", 3), ("peek_touches", 2), ("heap_trusts_old_entries", 2)])
def test_without_any_reduction_a_fault_is_not_found_any_earlier(mutant: str, length: int) -> None:
    whole, explored = all_sequences(length, MUTANTS[mutant].factory, FORKED), explore(MUTANTS[mutant].factory, FORKED)
    assert {(n, id_) for n, id_ in whole.broken if n == length} >= {(length, explored.found[0].violation.property)}
    assert min(whole.broken)[0] == len(explored.trace) == length


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["lru", "mru", "fifo", "filo", "slru", "priority", "lfu"])
@pytest.mark.parametrize("scope", [TREE, REQUESTS], ids=lambda scope: scope.name)
@pytest.mark.parametrize("subject", ["reference", "optimized"])
def test_equal_forms_have_equal_futures(subject: str, scope: Scope, policy: str) -> None:
    """Along random walks, which come to the same state in different ways."""
    seen, random = Unreduced(SnapshotNavigator(Visitor(resolve(subject), scope, policy, 1))), Random(0)
    for _ in range(40):
        trace = b""
        for _ in range(14):
            trace = random.choice(seen.leave(trace))

    assert (seen.ambiguous, seen.broken) == (0, set())
    assert len(seen.futures) < 0.9 * seen.visits


class Blind(Visitor):
    """It does not see the caller's handle, so that two states in which different locks can be taken look the same to it."""

    def _canonical(self) -> Canonical:
        return self._canon(self, None)


def test_a_form_that_leaves_out_what_matters_has_several_futures() -> None:
    assert all_sequences(3, reference_subject, FORKED, visitor=Blind).ambiguous > 0


class Slotted:
    """An object without a dictionary."""

    __slots__ = ("__hidden", "left", "right")

    def __init__(self) -> None:
        self.__hidden = [1]
        self.left: object = self.__hidden

    def spoil(self) -> None:
        self.__hidden.append(2)
        self.left = None
        self.right = 1

    def seen(self) -> tuple[object, ...]:
        return (list(self.__hidden), self.left is self.__hidden, hasattr(self, "right"))


def counter() -> Callable[[int], int]:
    """A function with a variable of its own."""
    total = 0

    def add(amount: int) -> int:
        nonlocal total
        total += amount
        return total

    return add


class Recent(OrderedDict[str, int]):
    """A dictionary in which what is read goes to the end."""

    reads = 0

    def __getitem__(self, key: str) -> int:
        self.move_to_end(key)
        self.reads += 1
        return super().__getitem__(key)


class Line(list[int]):
    """A list with something beside it."""

    def __init__(self, *numbers: int) -> None:
        super().__init__(numbers)
        self.note = [len(numbers)]

    def append(self, number: int) -> None:
        super().append(number)
        self.note.append(number)


def restoring() -> dict[str, tuple[Callable[[], object], Callable[[], object], object]]:
    """Name: a change, a look, and the object that is changed."""
    table, row, kept, line, numbers, slotted = {"a": [1]}, [1, [2]], {1}, deque([1], maxlen=3), array("q", [1, 2]), Slotted()
    base = torch.arange(4)
    view, add, recent, noted, grouped = base[1:3], counter(), Recent(a=1, b=2), Line(1), defaultdict[str, list[int]](list, a=[1])
    return {
        "dict": (lambda: table.update(a=table["a"].copy(), b=[3]), lambda: str(table), table),
        "list": (lambda: row.insert(0, row.pop()), lambda: str(row), row),
        "ordered": (lambda: recent["a"], lambda: str((list(recent), recent.reads)), recent),
        "list and more": (lambda: noted.append(4), lambda: str((list(noted), noted.note)), noted),
        "default": (lambda: grouped["b"].append(3), lambda: str(grouped), grouped),
        "set": (lambda: kept.add(2), lambda: sorted(kept), kept),
        "deque": (lambda: line.extend([2, 3, 4]), lambda: list(line), line),
        "array": (lambda: numbers.__setitem__(0, 9), lambda: list(numbers), numbers),
        "slots": (slotted.spoil, slotted.seen, slotted),
        "tensor": (lambda: base.fill_(7), view.tolist, (base, view)),
        "view": (lambda: view.fill_(7), base.tolist, (base, view)),
        "closure": (lambda: add(2), lambda: add(0), add),
        "partial": (lambda: row.append(3), lambda: str(row), partial(print, row)),
    }


@pytest.mark.parametrize("name", sorted(restoring()))
def test_a_snapshot_brings_back_what_was_changed_in_place(name: str) -> None:
    change, look, root = restoring()[name]
    held, before = Snapshot((root,)), look()
    for _ in range(2):  # a snapshot serves many times
        change()
        assert look() != before
        held.restore()
        assert look() == before


class Loaded(Random):
    """Its state is not in Python's objects."""


@pytest.mark.parametrize(
    ("inside", "named"), [((i for i in range(3)), "generator"), (Random(0), "Random"), (Loaded(0), "Loaded"), (StringIO("a"), "StringIO")]
)
def test_what_cannot_be_written_back_is_refused(inside: object, named: str) -> None:
    with pytest.raises(Opaque, match=named):
        Snapshot([{"inside": inside}])
