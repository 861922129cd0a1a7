"""The answers of two caches and of the specification to one operation, comparable: contents instead of slot numbers.

A slot is replaced by what the engine wrote into it: the position whose last page of tokens it holds. So two caches agree whichever free
slots they choose, and in whichever order a call frees slots.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.reader import Refused
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE
from radixcheck.spec.values import CacheError, Sizes
from radixcheck.verification.checker.engine import Engine, SubjectFailed
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op

NOTHING = -1  # the content of a page into which nothing was written
SLOTS = ("match", "start", "chunk")  # operations that return slots with known contents
LENGTHS = ("match", "peek", "insert", "start", "chunk")  # operations that return how much was cached


class Answered(NamedTuple):
    """One answer. The first field in which two answers differ names the difference: later ones follow from it."""

    crash: str = ""  # the type of an exception that is not a refusal
    refusal: str = ""  # the type of a refusal
    pool: str = ""  # wrong use of the pool
    victims: tuple[int, ...] = ()  # positions: the contents of the freed pages
    length: int | None = None  # tokens
    contents: tuple[int, ...] = ()  # positions: the contents of the returned slots, page by page
    sizes: Sizes | str = ""

    def departs(self, other: "Answered") -> str:
        """Return the first field in which it differs from another answer; empty if they are equal."""
        return next((name for name, a, b in zip(self._fields, self, other, strict=True) if a != b), "")


class Side:
    """One cache, and which tokens the engine wrote into the pages that it allocated."""

    def __init__(self, factory: Factory, config: Config) -> None:
        self.engine = Engine(factory, config.policy, config.page_size, config.pool, config.device)
        self._holds: dict[int, int] = {}  # page -> position
        self.words = ""  # of the last crash

    def perform(self, op: Op, fresh: Sequence[int]) -> Answered:
        """Perform the operation; the engine writes the positions `fresh` into the allocated pages."""
        answer = self.engine.perform(op)
        pool, size = self.engine.pool, self.engine.page_size
        pages = [slot // size for slot in (answer.slots or ())[::size]]
        written = dict(zip(pages if op.name in ("decode", "insert") else pool.allocated, fresh, strict=False))
        before = self._holds | written if op.name == "insert" else self._holds  # other operations free before they allocate
        victims = _content(pool.freed, before)
        self._holds.update(written)
        try:
            sizes: Sizes | str = self.engine.sizes()
        except SubjectFailed as failed:
            sizes = str(failed)
        name, _, _ = answer.error_text.partition(":")
        crash = "" if answer.error is None or answer.refused else name
        self.words = answer.error_text if crash else ""
        return Answered(
            crash,
            name if answer.refused else "",
            pool.findings[0].text if pool.findings else "",
            tuple(sorted(victims)),
            answer.length,
            tuple(_content(pages, self._holds)) if op.name in SLOTS else (),
            sizes,
        )


class Specification:
    """The specification as the third side."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._holds: dict[int, int] = {}

    def perform(self, op: Op, fresh: Sequence[int]) -> Answered:
        """Return the answer that follows from the specification; it takes any free pages."""
        s, p = self._oracle.model.state, self._oracle.positions
        lent = [page for h in op.loans for page in self._oracle.loans[h]]
        taken = _FreePages(s, len(fresh) - len(lent) if op.name in ("insert", "alloc", "start") else self._new_pages(op))
        try:
            self._oracle.run(op, taken)
        except (CacheError, Refused) as refusal:
            return Answered(refusal=type(refusal).__name__, sizes=Sizes(s.available, s.evictable, s.protected))
        call = self._oracle.call
        written = dict(zip([*lent, *taken.chosen], fresh, strict=False)) if op.name == "insert" else {s.row[op.holder, q]: q for q in fresh}
        victims = _content(call.freed, self._holds | written if op.name == "insert" else self._holds)
        self._holds.update(written)
        length = p.length[call.found] if op.name in LENGTHS else len(call.freed) * p.page_size if op.name == "evict" else None
        end = call.found if op.name == "match" else s.tok[op.holder] if op.name in SLOTS else EPS
        return Answered(
            victims=tuple(sorted(victims)), length=length, contents=p.path(end), sizes=Sizes(s.available, s.evictable, s.protected)
        )

    def _new_pages(self, op: Op) -> int:
        """Return the pages that an operation on one token needs."""
        s = self._oracle.model.state
        return int(op.name == "decode" and s.positions.whole[s.tok[op.holder]])

    def fresh(self, op: Op) -> Sequence[int]:
        """Return the positions that the engine will write into the pages that this operation allocates, or that an insert uses."""
        p, model = self._oracle.positions, self._oracle.model
        key = p.of(op.key)
        match op.name:
            case "insert" | "alloc":
                return p.path(key)
            case "start":
                return p.path(key)[p.level[model.deepest(p.cut(key))] :]
            case "decode":
                return (model.next_position(op.holder, op.amount),)
        return ()


class _FreePages:
    """Free pages of the specification, chosen when they are needed: after an eviction."""

    def __init__(self, state: State, count: int) -> None:
        self._state, self._count = state, count
        self.chosen: list[int] = []  # the last time

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        free = [page for page, owner in enumerate(self._state.owner) if owner == FREE]
        self.chosen = free[: self._count]
        return iter(self.chosen)


def _content(pages: Sequence[int], holds: Mapping[int, int]) -> list[int]:
    return [holds.get(page, NOTHING) for page in pages]
