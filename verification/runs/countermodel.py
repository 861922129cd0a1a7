"""The frames of a model that refutes a claim: the state that the solver found, and the state after the step."""

from collections.abc import Mapping
from dataclasses import replace
from textwrap import indent

from radixcheck.verification.proofs.proof_results import Model, Moment
from radixcheck.verification.protocol import NodeId
from radixcheck.verification.trace_replay.alt_text import alt_text, title
from radixcheck.verification.trace_replay.frame_results import Frame, compared, entries, tokens_of


def frames(model: Model) -> tuple[Frame, ...]:
    """Return one frame for a claim about a state, two for a claim about a step. The last one states where the claim fails."""
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
    """Return the frame with the heap and the sizes."""
    heap = entries(moment.seen, names, moment.aged.__contains__)
    return replace(frame, heap=heap, sizes=moment.sizes)


def as_text(model: Model) -> str:
    """Return the frames as text."""
    return "\n".join(f"{title(frame)}\n{indent(alt_text(frame), '  ')}" for frame in frames(model))
