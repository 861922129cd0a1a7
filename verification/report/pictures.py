"""Text pictures of trees, and the scene of an evicted internal node: before, after, and what becomes of the slots behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from radixcheck.spec.signature import LOST
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.engine import SubjectFailed
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import NodeId, Observation, SeenNode
from radixcheck.verification.search.run import new_checker

LINES = 16  # of one picture
NO_MARKS: Mapping[NodeId, str] = MappingProxyType({})
ROUNDS = 3  # of evicting everything, to see whether slots come back


def tree(seen: Observation, marks: Mapping[NodeId, str] = NO_MARKS, limit: int = LINES) -> str:
    """The tree as lines, children in the order in which they are shown; `marks` are written behind their nodes.

    >>> a = SeenNode("a", None, (1,), (7,), (), (1,), 0, time=1)
    >>> b = SeenNode("b", "a", (2,), (5,), (), (2,), 1, time=3)
    >>> print(tree(Observation(3, [a, b])))
    root
    └─ [1]  slots 7  time 1
       └─ [2]  slots 5  time 3  locked 1
    """
    children: dict[NodeId | None, list[SeenNode]] = {}
    for n in seen.nodes:
        children.setdefault(n.parent, []).append(n)
    lines = ["root" if seen.nodes else "root (empty)"]
    stack = [(n, "", i == 0) for i, n in enumerate(reversed(children.get(None, [])))]
    while stack:
        n, indent, last = stack.pop()
        lines.append(f"{indent}{'└─' if last else '├─'} {_label(n)}{f'  {marks[n.name]}' if n.name in marks else ''}")
        deeper = indent + ("   " if last else "│  ")
        stack.extend((c, deeper, i == 0) for i, c in enumerate(reversed(children.get(n.name, []))))
    if len(lines) > limit:
        lines[limit - 1 :] = [f"and {len(lines) - limit + 1} more"]
    return "\n".join(lines)


def _label(n: SeenNode) -> str:
    words = [f"[{run(n.segment)}]", f"slots {run(n.slots)}", f"time {n.time}"]
    words += [f"hits {n.hits}"] if n.hits else []
    words += [f"priority {n.priority}"] if n.priority else []
    words += [f"locked {n.lock}"] if n.lock else []
    words += [f"in {n.namespace!r}"] if n.namespace and n.parent is None else []
    return "  ".join(words)


def run(numbers: Iterable[int], most: int = 8) -> str:
    """Numbers, or where there are more than so many the first and the last of them."""
    listed = [str(x) for x in numbers]
    return " ".join(listed if len(listed) <= most else [*listed[:3], "..", listed[-1]])


@dataclass(frozen=True, slots=True)
class Scene:
    """A fault, one step before and just after its last operation."""

    before: str
    after: str
    orphans: str  # what becomes of slots that nobody can reach; empty if there are none


def scene(factory: Factory, found: Found) -> Scene | None:
    """The two pictures of a found fault, and the fate of orphaned slots; None for a cache that does not show its inside."""
    checker = new_checker(factory, found.config, stride=max(1, len(found.trace)))  # all is looked at after the last: it shows the fault
    if not checker.transparent or not found.trace:
        return None
    for op in found.trace[:-1]:
        checker.step(op)
    try:
        before = tree(checker.engine.observe())
        checker.step(found.trace[-1])
        return Scene(before, tree(checker.engine.observe()), _fate(checker))
    except SubjectFailed:
        return None


def _fate(checker: Checker) -> str:
    """Evict everything, some times over, and see what the pool gets back of the pages that were lost."""
    lost = {page for page, owner in enumerate(checker.seen.owner) if owner == LOST}
    if not lost:
        return ""
    size, returned, twice = checker.engine.page_size, 0, False
    slots = run(slot for page in sorted(lost) for slot in range(page * size, (page + 1) * size))
    for round_ in range(1, ROUNDS + 1):
        checker.engine.perform(Op("evict", amount=checker.engine.pool.capacity))
        twice = twice or bool(checker.engine.pool.findings)
        back = lost & set(checker.engine.pool.freed)
        returned = returned or (round_ if back else 0)
        lost -= back
    if twice:
        return f"slots {slots}, which nobody can reach, are freed twice by later evictions"
    if lost:
        return f"slots {slots}, which nobody can reach, leak: {ROUNDS} evictions of everything do not bring them back"
    return f"slots {slots}, which nobody can reach, return later: the next eviction of everything frees them, once"
