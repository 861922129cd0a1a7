"""A trace, operation by operation: what a cache answered, what its inside looked like, and what went wrong."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from radixcheck.spec.logic import var
from radixcheck.spec.policies import POLICIES, stored
from radixcheck.spec.run.reader import holds
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import ENTRY, LOST, on
from radixcheck.spec.values import Namespace, Sizes
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.engine import SubjectFailed
from radixcheck.verification.core.config import Config
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry, SeenNode
from radixcheck.verification.replay.stepped import stepped
from radixcheck.verification.search.run import new_checker

NEW, SPLIT, EVICTED, CUT_OFF, FORGOTTEN = "new", "new by a split", "evicted", "cut off", "forgotten"


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
    marks: Mapping[NodeId, str] = field(default_factory=dict)  # of nodes: new, new by a split, evicted, cut off, forgotten
    heap: tuple[Entry, ...] | None = None  # None: it shows none
    lost: tuple[int, ...] = ()  # slots that nobody can reach
    sizes: Sizes | None = None  # as the cache says
    broken: tuple[Violation, ...] = ()


class Place(NamedTuple):
    """Where a node ends. Nodes are told apart by this, for a name may be given again once its node is gone."""

    namespace: Namespace
    tokens: tuple[int, ...]


class Ghost(NamedTuple):
    """The name, in a picture, of a node that an operation took out of the tree."""

    name: NodeId


def frames(factory: Factory, config: Config, trace: Sequence[Op]) -> tuple[Frame, ...]:
    """One for the start and one for each operation, up to the one after which nothing more can be judged or asked."""
    return tuple(_frames(factory, config, trace))


def _frames(factory: Factory, config: Config, trace: Sequence[Op]) -> Iterator[Frame]:
    checker = new_checker(factory, config, stride=1)
    album = _Album(checker)
    yield album.picture(Frame(0, "", "", None), "")
    steps = stepped(checker, trace)
    while not album.failed and (step := next(steps, None)):
        yield album.picture(Frame(step.number, str(step.op), step.answer, None, broken=step.broken), step.op.name)


class _Album:
    """Looks at one cache after each operation, and knows how it looked before."""

    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self.failed = False  # it cannot be asked any more
        self._names: dict[NodeId, str] = {}
        self._before: Observation | None = None
        self._observed: Observation | None = None  # by the checker, last

    def picture(self, frame: Frame, operation: str) -> Frame:
        """The frame with all that the cache shows now."""
        checker, engine = self.checker, self.checker.engine
        try:
            frame = replace(frame, sizes=engine.sizes())
            seen = _copied(engine.observe()) if checker.transparent else None
            if seen is None:
                return frame
            fresh = checker.observation is not self._observed and checker.observation is not None
            self._observed = checker.observation
            self._names |= tokens_of(seen, self._names)
            state = checker.seen if fresh else None
            heap = entries(seen, self._names, lambda e: state is not None and _aged(checker.policy, state, e))
            merged, marks = compared(self._before, seen, set(engine.pool.freed), engine.page_size, operation)
        except SubjectFailed as failed:
            return self._end(frame, str(failed))
        except (TypeError, AttributeError, ValueError) as error:  # not of the protocol's types
            return self._end(frame, f"it shows what cannot be read ({type(error).__name__}: {error})")
        self._before = seen
        lost = (page for page, owner in enumerate(checker.seen.owner) if owner == LOST)
        slots = tuple(slot for page in lost for slot in range(page * engine.page_size, (page + 1) * engine.page_size))
        return replace(frame, seen=merged, marks=marks, heap=heap, lost=slots)

    def _end(self, frame: Frame, why: str) -> Frame:
        """The last one."""
        self.failed = True
        answer = "; then ".join(filter(None, (frame.answer, f"it cannot be asked any more: {why}")))
        return replace(frame, answer=answer, broken=frame.broken or (Violation("REFINEMENT", why),))


def _copied(seen: Observation) -> Observation:
    """As it is now: an observation may show the subject's own lists, and those change."""
    nodes = [n._replace(segment=tuple(n.segment), slots=tuple(n.slots)) for n in seen.nodes]
    return replace(seen, nodes=nodes, heap=None if seen.heap is None else tuple(seen.heap))


def _places(seen: Observation) -> dict[NodeId, Place]:
    found: dict[NodeId, Place] = {}
    for n in seen.nodes:  # parents first
        above = found[n.parent].tokens if n.parent in found else ()
        found[n.name] = Place(n.namespace, above + tuple(n.segment))
    return found


def compared(
    before: Observation | None, seen: Observation, freed: set[int], size: int, operation: str
) -> tuple[Observation, dict[NodeId, str]]:
    """What is seen with the nodes that are gone, each below its former parent, and the marks of both."""
    if before is None:
        return seen, {}
    old, now = _places(before), _places(seen)
    here = {place: name for name, place in now.items()}
    evicted = {n.name for n in before.nodes if any(slot // size in freed for slot in n.slots)}
    gone = [n for n in before.nodes if n.name in evicted or old[n.name] not in here]
    lasting = {place for name, place in old.items() if name not in evicted}
    marks = {name: _arrived(place, lasting) for name, place in now.items() if place not in lasting}
    ghosts = []
    for n in gone:
        parent = None if n.parent is None else here.get(old[n.parent], Ghost(n.parent))
        ghosts.append(n._replace(name=Ghost(n.name), parent=parent))
        marks[Ghost(n.name)] = FORGOTTEN if operation == "reset" else EVICTED if n.name in evicted else CUT_OFF
    return replace(seen, nodes=[*seen.nodes, *ghosts]), marks


def _arrived(place: Place, lasting: set[Place]) -> str:
    """A node that ends within one of before: its tokens were cached, and the node is new."""
    length = len(place.tokens)
    inside = (p for p in lasting if p.namespace == place.namespace and p.tokens[:length] == place.tokens)
    return SPLIT if any(inside) else NEW


def tokens_of(seen: Observation, known: Mapping[NodeId, str]) -> dict[NodeId, str]:
    """The tokens that lead to each node."""
    found: dict[NodeId, str] = dict(known)
    for n in seen.nodes:  # parents first
        above = found.get(n.parent, "") if n.parent is not None else ""
        found[n.name] = f"{above} {' '.join(map(str, n.segment))}".strip()
    return found


def entries(seen: Observation, names: Mapping[NodeId, str], aged: Callable[[int], bool]) -> tuple[Entry, ...] | None:
    """The heap in its order; `aged` says of an entry whose node is an evictable leaf whether its key is an old one."""
    if seen.heap is None:
        return None
    nodes = {n.name: n for n in seen.nodes}
    inner = {n.parent for n in seen.nodes}
    return tuple(
        Entry(_key(e), _named(e.node, names), _stale(e, i, nodes.get(e.node), e.node in inner, aged)) for i, e in enumerate(seen.heap)
    )


def _named(node: NodeId, names: Mapping[NodeId, str]) -> str:
    return f"[{names[node]}]" if node in names else "no node of the tree"


def _key(entry: SeenEntry) -> str:
    first, second = entry.key
    return f"{figure(first)}, {figure(second)}" if second else figure(first)


def figure(number: int | float) -> str:
    """A time or a key, short; all digits of an integer.

    >>> figure(12345678), figure(0.1234567), figure(3.0)
    ('12345678', '0.123457', '3')
    """
    return f"{number:g}" if isinstance(number, float) else str(number)


def _stale(entry: SeenEntry, index: int, node: SeenNode | None, inner: bool, aged: Callable[[int], bool]) -> str:
    """The first reason why it does not speak for an evictable leaf with its present key."""
    if node is None:
        return "gone"
    if node.lock > 0:
        return "locked"
    if inner:
        return "inner"
    if not entry.speaks:
        return "doubled"
    return "aged" if aged(index) else ""


@cache
def _truthful(policy: str) -> Callable[..., bool]:
    """Whether an entry has its node's present key; where a heap keeps one key only, the second is 0."""
    e = var("e", ENTRY)
    (first, second), (first_now, second_now) = stored(e), POLICIES[policy].key(on(e))
    return holds((first == first_now) & ((second == second_now) | (second == 0)), (e,))


def _aged(policy: str, state: State, index: int) -> bool:
    return state.on.get(index) in state.node and not _truthful(policy)(state, None, index)
