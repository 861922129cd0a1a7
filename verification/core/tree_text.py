"""A tree as text: for the terminal, for JSON, and as the alternative text of a drawing."""

from collections.abc import Mapping
from types import MappingProxyType

from radixcheck.verification.core.printable import value_text
from radixcheck.verification.core.short_text import numbers
from radixcheck.verification.protocol import NodeId, Observation, SeenNode

LINES = 16  # of one picture
NO_LABELS: Mapping[NodeId, str] = MappingProxyType({})


def tree(seen: Observation, labels: Mapping[NodeId, str] = NO_LABELS, limit: int = LINES) -> str:
    """Return the tree as lines of text, with the mark of a node at the end of its line. Lines beyond `limit` are counted instead.

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
        lines.append(f"{indent}{'└─' if last else '├─'} {_label(n)}{f'  {labels[n.name]}' if n.name in labels else ''}")
        deeper = indent + ("   " if last else "│  ")
        stack.extend((c, deeper, i == 0) for i, c in enumerate(reversed(children.get(n.name, []))))
    if len(lines) > limit:
        lines[limit - 1 :] = [f"and {len(lines) - limit + 1} more"]
    return "\n".join(lines)


def _label(n: SeenNode) -> str:
    words = [f"[{numbers(n.segment)}]", *places(n, numbers(n.slots), numbers(n.host_slots)), f"time {n.time:.10g}"]
    words += [f"hits {n.hits}"] if n.hits else []
    words += [f"priority {n.priority}"] if n.priority else []
    words += [f"locked {n.lock}"] if n.lock else []
    words += [f"pinned {n.pins}"] if n.pins else []
    words += [f"in {value_text(n.namespace, 80)}"] if n.namespace and n.parent is None else []
    return "  ".join(words)


def places(n: SeenNode, slots: str, host_slots: str) -> list[str]:
    """Return where the tokens of a node are, in words: its slots on each tier that has it.

    >>> places(SeenNode("a", None, (1,), (), (), (1,), 0, host_slots=(4,)), "none", "4")
    ['host 4']
    """
    return [*([f"slots {slots}"] if n.slots or not n.host_slots else []), *([f"host {host_slots}"] if n.host_slots else [])]
