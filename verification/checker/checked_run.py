"""A run of one subject next to the specification: the state of both, and the operations that change it. It judges nothing."""

from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.property import Property
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.reader import Refused
from radixcheck.spec.run.state import State
from radixcheck.spec.values import CacheError
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.coverage import CoverageRecorder
from radixcheck.verification.checker.edge_count import EdgeCount
from radixcheck.verification.checker.engine import Answer
from radixcheck.verification.checker.envelope_recorder import EnvelopeRecorder
from radixcheck.verification.checker.formulas import Tally, index_findings
from radixcheck.verification.checker.host_edge_count import HostEdgeCount
from radixcheck.verification.checker.reasons.case import snapshot
from radixcheck.verification.checker.run_parts import run_parts
from radixcheck.verification.core.catalogue import OF_HOST_HEAP
from radixcheck.verification.core.envelope import Envelope
from radixcheck.verification.core.found import Config, Tier, Violation
from radixcheck.verification.operations import Op, is_misuse
from radixcheck.verification.protocol import Observation

KEPT_PAGES = 64  # of the largest pool of which the specification's state before an operation is kept, for the words of a violation


class Performed(NamedTuple):
    """One operation that the subject and the specification have both performed."""

    op: Op
    answer: Answer  # of the subject
    refusal: CacheError | None  # of the specification
    diverged: str  # why the specification cannot follow the subject; empty: it can

    @property
    def refused(self) -> bool:
        """Whether the specification refuses the operation."""
        return self.refusal is not None

    @property
    def comparable(self) -> bool:
        """Whether the states can be compared: both sides have performed the operation, or both have refused it."""
        return not self.answer.failed and self.answer.refused == self.refused


class CheckedRun:
    """One subject and the specification, along one run."""

    emits: ClassVar[bool] = False  # the subject is to emit KV events, if it can

    def __init__(self, factory: Any, policy: str, page_size: int, pool: int, device: str = "cpu", tier: Tier | None = None) -> None:
        self.engine, self.oracle, self.abstraction, self.host = run_parts(
            factory, Config(policy, page_size, pool, device, *(tier or ())), self.emits
        )
        self.supports = self.engine.supports
        self.operations = {*self.supports.operations, *(self.supports.host_operations if self.host else ())}
        self.fields = blame.HOST_FIELDS if self.host else blame.FIELDS  # state functions that are compared
        self.transparent = self.engine.has("observe")
        self.policy = policy
        self.hidden = set(blame.SOFT) - set(self.supports.attributes)  # attributes that the subject does not show
        self.tainted = set(self.hidden)  # attributes that have deviated in this run; formulas that read them are not evaluated
        self.tally = Tally()
        self.edges = HostEdgeCount(self.host) if self.host else EdgeCount(self.oracle)
        self._recorder = EnvelopeRecorder(self.oracle, pool)
        self.coverage: CoverageRecorder | None = None  # where it is to be recorded
        self.steps = 0
        self.stopped = False
        self.answers: list[tuple[object, ...]] = []  # a second replica must give the same
        self.before = self.seen = self.oracle.empty()  # abstract states of the subject
        self.spec_before: State | None = None  # of the specification, before the last operation; None: it was not kept
        self.spec_after: State | None = None  # the same after it, before attributes that deviate were adopted; None: none were
        self.ticks: dict[int | float, float] | None = None  # of clock readings, by then
        self.freed_held: dict[int, int] = {}  # what the engine had written into the pages that the last operation has freed
        self.observation: Observation | None = None  # the last one
        self._with_host_heap: State | None = None  # the same state as `seen`, with the heap of host leaves

    def allowed(self, op: Op) -> bool:
        """Whether a caller can make this call now, and the subject supports it."""
        return (op.name in self.operations or is_misuse(op.name)) and self.oracle.allowed(op)

    def perform(self, op: Op) -> Performed:
        """Perform an operation on the subject, then on the specification with the same pages."""
        self.edges.before(op)
        answer = self.engine.perform(op)
        if self.host is not None:
            self.host.oracle.answered = frozenset(answer.tickets)
        firsts = answer.slots and answer.slots[:: self.engine.page_size]  # of each page: a long run of large pages has many slots
        of_host = (*answer[3:], tuple(self.host.engine.host_pool.freed)) if self.host else ()
        self.answers.append((op.name, answer.length, firsts, type(answer.error), *of_host, tuple(self.engine.pool.freed)))
        done = Performed(op, answer, *self._follow(op))
        self.edges.after(op, done.refused)
        if not done.diverged:
            self._recorder.record(op, self.engine.pool.allocated, done.refused)
        if self.coverage is not None:
            self.coverage.record(() if done.refused or done.diverged else self.oracle.call.steps)
        return done

    @property
    def envelope(self) -> Envelope:
        """How far this run went."""
        return self._recorder.envelope

    def _follow(self, op: Op) -> tuple[CacheError | None, str]:
        """Perform the operation on the specification. Return its refusal, and the reason why it cannot follow the subject."""
        self.before, self.spec_after, self.ticks, diverged = self.seen, None, None, ""
        asked = op.name in EVICTING or not self.transparent  # otherwise what the cache shows says it
        self.spec_before = snapshot(self.oracle.model.state) if asked and len(self.oracle.model.state.owner) <= KEPT_PAGES else None
        pages, written = self.engine.pool.allocated, self.oracle.written
        self.freed_held = {page: written.get(page, EPS) for page in self.engine.pool.freed}  # the operation may take them again
        try:
            self.oracle.run(op, pages)
        except CacheError as refusal:
            self.abstraction.clock.tick = self.oracle.model.state.now + 0.5
            return refusal.with_traceback(None), ""  # the frames of the traceback would keep this object alive
        except (Refused, ValueError, IndexError, KeyError):
            diverged = f"{op.name} allocated pages {pages}, which the specification does not allow"
            self.oracle.give_in(op, pages)
        self.abstraction.clock.tick = self.oracle.tick
        if op.name == "reset":
            self.abstraction.clock.known.clear()
        return None, diverged

    def observe(self) -> list[Violation]:
        """Observe the subject and build its abstract state. Return what no correct cache shows. Raise SubjectFailed."""
        sizes, spec = self.engine.sizes(), self.oracle.model.state
        if self.host is not None:
            self.host.abstraction.host_available = self.host.engine.host_available()
        self.observation = self.engine.observe()
        self.abstraction.findings, self._with_host_heap = [], None
        self.abstraction.split_off = self.oracle.call.split_off
        self.seen = self.abstraction.state(self.observation, sizes, spec, self.oracle.loans, self.oracle.locks)
        for name in self.hidden:
            setattr(self.seen, name, {n: getattr(spec, name).get(n, 0) for n in self.seen.node})
        index = index_findings(self.seen, self.observation, self.abstraction.places)
        self.count_indices(self.observation)
        return self.abstraction.findings + index

    def seen_by(self, property_: Property) -> State | None:
        """Return the observed state, with the heap of which a property speaks; None if the subject does not show that heap."""
        if not property_.heap:
            return self.seen
        seen, of_host = self.observation, property_.id in OF_HOST_HEAP
        heap = None if seen is None else seen.host_heap if of_host else seen.heap
        if heap is None or not of_host:
            return None if heap is None else self.seen
        if self._with_host_heap is None:
            self._with_host_heap = self.abstraction.with_heap(self.seen, heap)
        return self._with_host_heap

    def count_indices(self, seen: Observation) -> None:
        """Count one check of each index that the subject shows."""
        if seen.leaf_count is not None or seen.leaves is not None:
            self.tally.count("LEAFSET", bool(seen.nodes))
        if seen.host_leaf_count is not None or seen.host_only is not None:
            self.tally.count("LEAFSET", any(not len(n.slots) for n in seen.nodes))
        for heap in (seen.heap, seen.host_heap):
            if heap is not None:
                self.tally.count("HEAP_BOUND", bool(heap))
                self.tally.count("HEAP_ORDER", bool(heap))

    def differing(self, ignored: set[str]) -> list[str]:
        """Names of the state functions, but for those `ignored`, whose observed values are not the specification's."""
        seen, spec = self.seen, self.oracle.model.state
        return [name for name in self.fields if name not in ignored and getattr(seen, name) != getattr(spec, name)]

    def frees_as_specified(self) -> bool:
        """Whether the pages freed are those that the specification frees. The slots of victims may come back in any order."""
        return sorted(self.engine.pool.freed) == sorted(self.oracle.call.freed)

    def adopt(self, deviated: Iterable[str]) -> None:
        """Continue from the observed attributes. Clock readings of one tick keep their order, so that no two leaves tie."""
        self.tainted |= set(deviated)
        adopted = self.tainted - self.hidden
        if adopted and len(self.before.owner) <= KEPT_PAGES:
            self.spec_after, self.ticks = snapshot(self.oracle.model.state), dict(self.abstraction.clock.known)
        if adopted & blame.READINGS:
            self.abstraction.clock.refine()
            self.observe()
            adopted |= blame.READINGS - self.hidden  # readings that agree have new numbers too
        for name in adopted:
            setattr(self.oracle.model.state, name, dict(getattr(self.seen, name)))
