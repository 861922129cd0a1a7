"""The job of `radixcheck show`: run a trace, and take a frame after each operation."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from radixcheck.spec.logic import var
from radixcheck.spec.policies import POLICIES, stored
from radixcheck.spec.run.reader import holds
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import ENTRY, LOST, on
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.engine import SubjectFailed
from radixcheck.verification.checker.spec_tree import spec_tree, with_ticks
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.printable import error_text
from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.subject import Factory, Subject
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import NodeId, Observation
from radixcheck.verification.runs.trace_results import ShowOutcome
from radixcheck.verification.search.run import trace_checker
from radixcheck.verification.trace_replay.frame_results import Frame, compared, entries, tokens_of
from radixcheck.verification.trace_replay.stepped import peeked, replicas, stepped

FRAMES_MAX = 1_000  # each holds a whole tree


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """A trace to run on a subject, and the steps of which to show the frames."""

    trace: str  # its name
    recorded: Recorded
    subject: Subject
    steps: tuple[int, ...] = ()  # 0: the start; empty: all


def show_trace(request: ShowRequest, progress: Progress = silent) -> ShowOutcome:
    """Run the trace and return the frames of its steps."""
    recorded, subject = request.recorded, request.subject
    with progress(f"show {request.trace}"):
        found = frames(subject, recorded.config, recorded.trace)
        first = next((frame for frame in found if frame.broken), None)
        differing = peeked(subject, recorded, first.number, first.broken) if first else replicas(subject, recorded)
    if differing:
        number, violation = differing
        found = tuple(replace(frame, broken=(violation, *frame.broken)) if frame.number == number else frame for frame in found)
    chosen = tuple(frame for frame in found if not request.steps or frame.number in request.steps)
    return ShowOutcome(subject.name, request.trace, recorded, found, chosen)


def frames(factory: Factory, config: Config, trace: Sequence[Op]) -> tuple[Frame, ...]:
    """Return a frame for the start and one for each operation, up to the one after which the checker stops.

    Of a long trace only the last operations have a frame.
    """
    return tuple(_frames(factory, config, trace))


def _frames(factory: Factory, config: Config, trace: Sequence[Op]) -> Iterator[Frame]:
    checker = trace_checker(factory, config, len(trace))
    camera, first = _Camera(checker), len(trace) - FRAMES_MAX
    yield camera.complete(Frame(0, "", "", None), "")
    steps = stepped(checker, trace)
    while not camera.failed and (step := next(steps, None)):
        if step.number >= first or step.broken:
            frame = camera.complete(Frame(step.number, str(step.op), step.answer, None, broken=step.broken), step.op.name)
            if step.number > first or step.broken:
                yield frame


class _Camera:
    """Observes one cache after each operation, and compares each observation with the one before."""

    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self.failed = False  # the cache cannot be observed any more
        self._names: dict[NodeId, str] = {}
        self._before: Observation | None = None
        self._observed: Observation | None = None  # by the checker, last

    def complete(self, frame: Frame, operation: str) -> Frame:
        """Return the frame with everything that the cache shows now."""
        checker, engine = self.checker, self.checker.engine
        try:
            host = checker.host
            frame = replace(frame, sizes=engine.sizes(), host_available=host.engine.host_available() if host else None)
            seen = self._seen() if checker.transparent else None
            if seen is None:
                return self._specified(frame, operation)
            fresh = checker.observation is not self._observed and checker.observation is not None
            self._observed = checker.observation
            self._names |= tokens_of(seen, self._names)
            state = checker.seen if fresh else None
            heap = entries(seen, self._names, lambda e: state is not None and _aged(checker.policy, state, e))
            freed, host_freed = set(engine.pool.freed), frozenset(host.engine.host_pool.freed if host else ())
            merged, labels = compared(self._before, seen, freed, engine.page_size, operation, host_freed)
        except SubjectFailed as failed:
            return self._end(frame, str(failed))
        except Exception as error:
            if not engine.shows_objects:  # otherwise comparing the names of nodes runs code of the subject
                raise
            return self._end(frame, f"it shows what cannot be read ({error_text(error)})")
        self._before = seen
        lost = (page for page, owner in enumerate(checker.seen.owner) if owner == LOST)
        slots = tuple(slot for page in lost for slot in range(page * engine.page_size, (page + 1) * engine.page_size))
        return replace(frame, seen=merged, labels=labels, heap=heap, lost=slots)

    def _seen(self) -> Observation:
        """Return what the cache shows, with its times as the sentences have them; of a cache with a heap, as it compares them."""
        seen = self.checker.engine.observe()
        return _copied(with_ticks(self.checker, seen) if seen.heap is None else seen)

    def _specified(self, frame: Frame, operation: str) -> Frame:
        """Return the frame of a black box, with the tree of the specification."""
        call, size = self.checker.oracle.call, self.checker.engine.page_size
        seen = spec_tree(self.checker.oracle.model.state)
        merged, labels = compared(self._before, seen, set(call.freed), size, operation, frozenset(getattr(call, "host_freed", ())))
        self._before = seen
        return replace(frame, specified=merged, labels=labels)

    def _end(self, frame: Frame, why: str) -> Frame:
        """Return the last frame, and why it is the last."""
        self.failed = True
        answer = "; then ".join(filter(None, (frame.answer, f"it cannot be observed any more: {why}")))
        return replace(frame, answer=answer, broken=frame.broken or (Violation("REFINEMENT", why),))


def _copied(seen: Observation) -> Observation:
    """Return a copy: an observation may refer to the subject's own lists, which change later."""
    nodes = [n._replace(segment=tuple(n.segment), slots=tuple(n.slots), host_slots=tuple(n.host_slots)) for n in seen.nodes]
    copies = [c._replace(sources=tuple(c.sources), targets=tuple(c.targets)) for c in seen.copies]
    return replace(seen, nodes=nodes, heap=None if seen.heap is None else tuple(seen.heap), copies=copies)


@cache
def _has_present_key(policy: str) -> Callable[..., bool]:
    """Return whether an entry has its node's present key; in a heap that keeps one key the second is 0."""
    e = var("e", ENTRY)
    (first, second), (first_now, second_now) = stored(e), POLICIES[policy].key(on(e))
    return holds((first == first_now) & ((second == second_now) | (second == 0)), (e,))


def _aged(policy: str, state: State, index: int) -> bool:
    return state.on.get(index) in state.node and not _has_present_key(policy)(state, None, index)
