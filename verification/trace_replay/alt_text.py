"""The text of a frame: its title, the lines below its tree, and the alternative text of its drawing."""

from collections.abc import Iterator

from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.short_text import numbers
from radixcheck.verification.core.tree_text import tree
from radixcheck.verification.trace_replay.frame_results import STALE, Entry, Frame, tokens_of

NODES, ENTRIES = 24, 10  # shown
HIDDEN = "the cache does not show its inside; as specified:"


def title(frame: Frame) -> str:
    """Return the operation and its answer in one line."""
    if not frame.number:
        return printable(": ".join(filter(None, (frame.operation or "before", frame.answer))))
    return printable(f"{frame.number}  {frame.operation}: {frame.answer}")


def alt_text(frame: Frame) -> str:
    """Return everything that the drawing shows, as text."""
    lines = [*([HIDDEN] if frame.seen is None else []), *([tree(frame.shown, frame.labels, NODES)] if frame.shown is not None else [])]
    lines += [text for text, _ in below(frame)]
    return "\n".join(map(printable, "\n".join(lines).splitlines()))


def below(frame: Frame) -> Iterator[tuple[str, str]]:
    """Yield the lines below the tree, each with its style: plain, entry, struck, soft or bad."""
    if frame.heap is not None:
        yield ("heap:" if frame.heap else "heap: empty"), "plain"
        yield from ((_entry(entry), "struck" if entry.stale else "entry") for entry in frame.heap[:ENTRIES])
        if len(frame.heap) > ENTRIES:
            yield f"and {len(frame.heap) - ENTRIES} more entries", "plain"
    yield from _copies(frame)
    if frame.lost:
        yield f"lost: slots {numbers(frame.lost)}, which are unreachable", "bad"
    if frame.sizes is not None:
        host = "" if frame.host_available is None else f"  host free {frame.host_available}"
        yield f"free {frame.sizes.available}  evictable {frame.sizes.evictable}  protected {frame.sizes.protected}{host}", "soft"
    for violation in frame.broken:
        yield f"{violation.property} broken: {violation.text}", "bad"


def _copies(frame: Frame) -> Iterator[tuple[str, str]]:
    """Yield a line for each copy that is not acknowledged, if the cache has a host tier."""
    if frame.seen is None or frame.host_available is None:
        return
    yield ("copies:" if frame.seen.copies else "copies: none"), "plain"
    names = tokens_of(frame.seen, {})
    for copy in frame.seen.copies:
        verb, source, target = ("load", "host", "slots") if copy.up else ("backup", "slots", "host")
        behind = f" behind [{names.get(copy.floor, '?')}]" if copy.floor is not None else ""
        yield (
            f"{verb} of [{names.get(copy.aim, '?')}]{behind}: {source} {numbers(copy.sources)} to {target} {numbers(copy.targets)}",
            "entry",
        )


def _entry(entry: Entry) -> str:
    return f"{entry.key} for {entry.node}" + (f"  stale: {STALE[entry.stale]}" if entry.stale else "")
