"""What refutes a claim, as pictures: the state that the solver found, and what the step made of it."""

from collections.abc import Mapping
from dataclasses import replace
from textwrap import indent

from radixcheck.verification.proofs.proof_results import Model, Moment
from radixcheck.verification.protocol import NodeId
from radixcheck.verification.report.alt_text import alt_text, title
from radixcheck.verification.report.drawing import svg
from radixcheck.verification.trace_replay.frame_results import Frame, compared, entries, tokens_of


def frames(model: Model) -> tuple[Frame, ...]:
    """One for a claim about a state, two for a claim about a step; the last says where the claim fails."""
    fails = f"the claim fails at {model.violated}" if model.violated else "the claim fails"
    before = model.before.seen
    known = tokens_of(before, {})
    if not model.step:
        return (_frame(Frame(0, "a state", fails, before), model.before, known),)
    after = model.after.seen
    kept = {slot for n in after.nodes for slot in n.slots}
    gone = {slot for n in before.nodes for slot in n.slots} - kept
    seen, labels = compared(before, after, gone, 1, model.step.partition("(")[0])
    known |= tokens_of(after, known)
    first = _frame(Frame(0, "", "", before), model.before, known)
    return first, _frame(Frame(1, model.step, fails, seen, labels), model.after, known)


def _frame(frame: Frame, moment: Moment, names: Mapping[NodeId, str]) -> Frame:
    """With the heap and the sizes."""
    heap = entries(moment.seen, names, moment.aged.__contains__)
    return replace(frame, heap=heap, sizes=moment.sizes)


def worded(model: Model) -> str:
    """The pictures where there are only letters."""
    return "\n".join(f"{title(frame)}\n{indent(alt_text(frame), '  ')}" for frame in frames(model))


def drawn(claim: str, model: Model) -> list[dict[str, str]]:
    """Each picture with its title, and in words."""
    return [{"svg": svg(frame, f"model-{claim}-{frame.number}"), "title": title(frame), "text": alt_text(frame)} for frame in frames(model)]
