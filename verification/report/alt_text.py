"""What a picture says, in words: for readers who cannot see it, for a terminal, and as JSON."""

from collections.abc import Iterator
from typing import Any

from radixcheck.verification.report.frames import Entry, Frame
from radixcheck.verification.report.pictures import run, tree

NODES, ENTRIES = 24, 10  # shown
STALE = {
    "gone": "its node is gone",
    "locked": "its node is locked",
    "inner": "its node has children",
    "aged": "its key is old",
    "doubled": "another one speaks for its node",
}
HIDDEN = "the cache does not show its inside"


def title(frame: Frame) -> str:
    """The operation and its answer, in one line."""
    if not frame.number:
        return clean(": ".join(filter(None, (frame.operation or "before", frame.answer))))
    return clean(f"{frame.number}  {frame.operation}: {frame.answer}")


def described(frame: Frame) -> str:
    """All that the drawing shows, as text."""
    lines = [tree(frame.seen, frame.marks, NODES)] if frame.seen is not None else [HIDDEN]
    lines += [text for text, _ in below(frame)]
    return "\n".join(map(clean, "\n".join(lines).splitlines()))


def below(frame: Frame) -> Iterator[tuple[str, str]]:
    """What is said below the tree: heap, lost slots, sizes, what is broken; each line with its style (plain, entry, struck, soft, bad)."""
    if frame.heap is not None:
        yield ("heap:" if frame.heap else "heap: empty"), "plain"
        yield from ((_entry(entry), "struck" if entry.stale else "entry") for entry in frame.heap[:ENTRIES])
        if len(frame.heap) > ENTRIES:
            yield f"and {len(frame.heap) - ENTRIES} more entries", "plain"
    if frame.lost:
        yield f"lost: slots {run(frame.lost)}, which nobody can reach", "bad"
    if frame.sizes is not None:
        yield f"free {frame.sizes.available}  evictable {frame.sizes.evictable}  protected {frame.sizes.protected}", "soft"
    for violation in frame.broken:
        yield f"{violation.property} broken: {violation.text}", "bad"


def _entry(entry: Entry) -> str:
    return f"{entry.key} for {entry.node}" + (f"  stale: {STALE[entry.stale]}" if entry.stale else "")


def clean(text: str) -> str:
    """One line without what neither XML nor a terminal takes, whatever a cache put into its messages.

    >>> clean("a\\x00b\\x1b[0m")
    'a b [0m'
    """
    return "".join(c if c.isprintable() else " " for c in text)


def to_json(frame: Frame) -> dict[str, Any]:
    """Everything, for machines. Nodes are those of the picture: what the operation took out of the tree has its mark."""
    seen = frame.seen
    places = {n.name: i for i, n in enumerate(seen.nodes)} if seen else {}
    nodes = [
        {
            "parent": places.get(n.parent),
            "segment": list(n.segment),
            "slots": list(n.slots),
            "namespace": [clean(repr(each)) for each in n.namespace],
            **{"time": n.time, "hits": n.hits, "priority": n.priority, "lock": n.lock},
            "mark": frame.marks.get(n.name, ""),
        }
        for n in (seen.nodes if seen else ())
    ]
    return {
        **{"step": frame.number, "operation": frame.operation, "answer": frame.answer},
        "sizes": frame.sizes._asdict() if frame.sizes else None,
        "nodes": nodes if seen else None,
        "heap": None if frame.heap is None else [{"key": e.key, "node": e.node, "stale": STALE.get(e.stale, "")} for e in frame.heap],
        "lost": list(frame.lost),
        "broken": [{"property": v.property, "text": v.text, "follows_from": v.follows_from} for v in frame.broken],
    }
