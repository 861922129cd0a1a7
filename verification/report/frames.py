"""A trace, operation by operation: what a cache answered, what its inside looked like, and what went wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from radixcheck.spec.signature import LOST
from radixcheck.spec.values import Sizes
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry, SeenNode
from radixcheck.verification.refinement.checker import Checker, Violation
from radixcheck.verification.refinement.engine import SubjectFailed
from radixcheck.verification.search.run import Config, Factory, new_checker

AGEING = "lru"  # the policy under which a key that is not the node's time is seen to be old


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the eviction heap."""

    key: str
    node: str  # the tokens that lead to it
    stale: str  # why it does not say the truth: gone, locked, inner, aged, doubled; empty: it does


@dataclass(frozen=True, slots=True)
class Frame:
    """What is to be seen after one operation, or before the first."""

    number: int  # of the operation; 0: before the first
    operation: str
    answer: str
    seen: Observation | None  # None: it does not show its inside; with the nodes that this operation took out of it
    marks: Mapping[NodeId, str] = field(default_factory=dict)  # of nodes: new, evicted, cut off
    heap: tuple[Entry, ...] | None = None  # None: it shows none
    lost: tuple[int, ...] = ()  # slots that nobody can reach
    sizes: Sizes | None = None  # as the cache says
    broken: tuple[Violation, ...] = ()


def frames(factory: Factory, config: Config, trace: Sequence[Op]) -> tuple[Frame, ...]:
    """One for the start and one for each operation, up to the one after which the cache cannot be asked any more."""
    return tuple(_frames(factory, config, trace))


def _frames(factory: Factory, config: Config, trace: Sequence[Op]) -> Iterator[Frame]:
    checker = new_checker(factory, config, stride=1)
    names: dict[NodeId, str] = {}
    before = _look(checker)
    yield _frame(checker, Frame(0, "", "", before), None, names)
    for number, op in enumerate(trace, 1):
        answered = len(checker.answers)
        broken = checker.step(op)
        answer = _answer(checker) if len(checker.answers) > answered else "no caller can make this call"
        frame = Frame(number, str(op), answer, None, broken=tuple(broken))
        try:
            seen = _look(checker)
            yield _frame(checker, replace(frame, seen=seen), before, names)
            before = seen
        except SubjectFailed as failed:
            yield replace(frame, answer=f"{answer}; then {failed}")
            return


def _look(checker: Checker) -> Observation | None:
    return checker.engine.observe() if checker.transparent else None


def _answer(checker: Checker) -> str:
    """In short."""
    name, length, slots, error, _ = checker.answers[-1]
    if error is not type(None):
        return f"{'refused' if checker.engine.pool.findings == [] else 'raised'}: {getattr(error, '__name__', error)}"
    if length is None and slots is None:
        return "done"
    word = {"evict": "tokens freed", "insert": "tokens were present", "start": "tokens cached"}.get(str(name), "tokens")
    words = [f"{length} {word}"] if length is not None else []
    words += [f"slots {' '.join(map(str, slots))}"] if isinstance(slots, tuple) and slots else []
    return ", ".join(words) or "nothing"


def _frame(checker: Checker, frame: Frame, before: Observation | None, names: dict[NodeId, str]) -> Frame:
    """With all that can be told of the inside."""
    engine, seen = checker.engine, frame.seen
    try:
        sizes = engine.sizes()
    except SubjectFailed:
        sizes = None
    if seen is None:
        return replace(frame, sizes=sizes)
    now = {n.name for n in seen.nodes}
    freed = set(engine.pool.freed)
    gone = [n for n in (before.nodes if before else ()) if n.name not in now]
    old = {n.name for n in before.nodes} if before else now
    marks = {n.name: "new" for n in seen.nodes if n.name not in old} | {n.name: _end(n, freed, engine.page_size) for n in gone}
    names |= _names(seen, names)
    heap = None if seen.heap is None else _heap(seen, checker.policy, names)
    lost = tuple(slot for page, owner in enumerate(checker.seen.owner) if owner == LOST for slot in _slots(page, engine.page_size))
    return replace(frame, seen=replace(seen, nodes=[*seen.nodes, *gone]), marks=marks, heap=heap, lost=lost, sizes=sizes)


def _end(node: SeenNode, freed: set[int], page_size: int) -> str:
    """What became of a node that the root does not reach any more."""
    return "evicted" if any(slot // page_size in freed for slot in node.slots) else "cut off"


def _slots(page: int, size: int) -> range:
    return range(page * size, (page + 1) * size)


def _names(seen: Observation, known: Mapping[NodeId, str]) -> dict[NodeId, str]:
    """The tokens that lead to each node."""
    found: dict[NodeId, str] = dict(known)
    for n in seen.nodes:  # parents first
        above = found.get(n.parent, "") if n.parent is not None else ""
        found[n.name] = f"{above} {' '.join(map(str, n.segment))}".strip()
    return found


def _heap(seen: Observation, policy: str, names: Mapping[NodeId, str]) -> tuple[Entry, ...]:
    nodes = {n.name: n for n in seen.nodes}
    inner = {n.parent for n in seen.nodes}
    return tuple(
        Entry(
            _key(e), f"[{names[e.node]}]" if e.node in names else "what is no node", _stale(e, nodes.get(e.node), e.node in inner, policy)
        )
        for e in seen.heap or ()
    )


def _key(entry: SeenEntry) -> str:
    first, second = entry.key
    return f"{first:g}, {second:g}" if second else f"{first:g}"


def _stale(entry: SeenEntry, node: SeenNode | None, inner: bool, policy: str) -> str:
    """The first reason why it does not speak for an evictable leaf with its present key."""
    reasons = (
        (node is None, "gone"),
        (node is not None and node.lock > 0, "locked"),
        (inner, "inner"),
        (not entry.speaks, "doubled"),
        (policy == AGEING and node is not None and node.time not in entry.key, "aged"),
    )
    return next((word for holds, word in reasons if holds), "")
