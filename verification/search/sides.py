"""The answers of two caches and of the specification to one operation, comparable: contents instead of slot numbers.

A slot is replaced by what the engine wrote into it: the position whose last page of tokens it holds. So two caches agree whichever free
slots they choose, and in whichever order a call frees slots.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import Refused
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE
from radixcheck.spec.values import CacheError, Sizes
from radixcheck.verification.checker.engine import Answer, Engine, SubjectFailed
from radixcheck.verification.checker.host_engine import HostEngine
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.checker.run_parts import HostParts, Parts, run_parts
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.watched_copier import Contents
from radixcheck.verification.operations import Op
from radixcheck.verification.subjects.model_host_subject import model_host_subject

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
    # With a host tier:
    host_victims: tuple[int, ...] = ()  # positions: the contents of the pages freed on the host
    host_length: int | None = None  # tokens that only the host has behind a match
    moved: int | None = None  # tokens: of the copies that a load_back or a backup issued
    tickets: tuple[int, ...] = ()  # numbers of copies: those that a poll handled, or that fill a row
    host_free: int | str = ""  # tokens

    def departs(self, other: "Answered") -> str:
        """Return the first field in which it differs from another answer; empty if they are equal."""
        return next((name for name, a, b in zip(self._fields, self, other, strict=True) if a != b), "")


class Side:
    """One cache, and which tokens the engine wrote into the pages that it allocated."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._holds: dict[int, int] = {}  # page -> position
        self.words = ""  # of the last crash

    def perform(self, op: Op, fresh: Sequence[int]) -> Answered:
        """Perform the operation; the engine writes the positions `fresh` into the allocated pages."""
        answer = self.engine.perform(op)
        pool, size = self.engine.pool, self.engine.page_size
        pages = [slot // size for slot in (answer.slots or ())[::size]]
        written = dict(zip(self._pages_of(op, pages, fresh), fresh, strict=False))
        before = self._before(op, written)
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
            self.engine.findings[0].text if self.engine.findings else "",
            tuple(sorted(victims)),
            answer.length,
            tuple(_content(pages, self._holds)) if op.name in SLOTS else (),
            sizes,
            **self._of_tier(answer),
        )

    def _pages_of(self, op: Op, pages: Sequence[int], fresh: Sequence[int]) -> Sequence[int]:
        """Return the pages into which the engine writes. `pages`: those of the answer."""
        return pages if op.name in ("decode", "insert") else self.engine.pool.allocated

    def _before(self, op: Op, written: dict[int, int]) -> Mapping[int, int]:
        """Return what the pages held that the operation freed. Operations other than an insert free before they allocate."""
        return self._holds | written if op.name == "insert" else self._holds

    def _of_tier(self, answer: Answer) -> dict[str, Any]:
        """Return the fields of an answer that concern a host tier."""
        return {}


class TieredSide(Side):
    """One cache with a host tier. Its copier moves what pages hold."""

    def __init__(self, engine: HostEngine, positions: Positions) -> None:
        super().__init__(engine)
        self._host_engine = engine
        self._host_holds: dict[int, int] = {}
        self._device_before: dict[int, int] = {}  # what the pages of the device held before the operation
        self._host_before: dict[int, int] = {}  # likewise, of the host
        engine.copier.contents = Contents(positions, self._holds, self._host_holds)

    def perform(self, op: Op, fresh: Sequence[int]) -> Answered:
        """Perform the operation."""
        self._device_before, self._host_before = dict(self._holds), dict(self._host_holds)
        return super().perform(op, fresh)

    def _pages_of(self, op: Op, pages: Sequence[int], fresh: Sequence[int]) -> Sequence[int]:
        """Of a start only the last pages are written: a load fills the others."""
        if op.name == "start":
            return pages[len(pages) - len(fresh) :]
        return super()._pages_of(op, pages, fresh)

    def _before(self, op: Op, written: dict[int, int]) -> Mapping[int, int]:
        return self._device_before | written if op.name == "insert" else self._device_before

    def _of_tier(self, answer: Answer) -> dict[str, Any]:
        engine = self._host_engine
        try:
            free: int | str = engine.host_available()
        except SubjectFailed as failed:
            free = str(failed)
        return {
            "host_victims": tuple(sorted(self._host_victims())),
            "host_length": answer.host_length,
            "moved": answer.moved,
            "tickets": answer.tickets,
            "host_free": free,
        }

    def _host_victims(self) -> list[int]:
        """Return what the host pages held that the operation freed, each when it was freed: a copy may have filled it a moment before."""
        held, freed, seen, out = dict(self._host_before), self._host_engine.host_pool.freed, 0, list[int]()
        for ticket in self._host_engine.copier.issued:
            out += _content(freed[seen : ticket.host_freed], held)
            seen = ticket.host_freed
            held.update(() if ticket.up else zip(ticket.targets, ticket.held, strict=False))
        return out + _content(freed[seen:], held)


def side(factory: Factory, config: Config, positions: Positions) -> Side:
    """Return a cache as a side of a comparison."""
    where = (factory, config.policy, config.page_size, config.pool, config.device)
    return Side(Engine(*where)) if config.tier is None else TieredSide(HostEngine(*where, config.tier), positions)


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


class TieredSpecification(Specification):
    """The specification of a cache with a host tier: the model, run as a cache with a copier of its own."""

    def __init__(self, parts: Parts) -> None:
        assert parts.host is not None
        super().__init__(parts.oracle)
        self._engine, self._side = parts.engine, TieredSide(parts.host.engine, parts.oracle.positions)

    def perform(self, op: Op, fresh: Sequence[int]) -> Answered:
        """Return the answer of the model; the oracle follows it."""
        answered = self._side.perform(op, fresh)
        with suppress(CacheError):
            self._oracle.run(op, self._engine.pool.allocated)
        return answered


def specification(config: Config) -> tuple[Specification, Oracle, HostParts | None]:
    """Return the third side, the state that it keeps, and its parts if there is a host tier."""
    if config.tier is None:
        oracle = Oracle(config.policy, config.page_size, config.pool // config.page_size)
        return Specification(oracle), oracle, None
    parts = run_parts(model_host_subject, config)
    return TieredSpecification(parts), parts.oracle, parts.host


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
