"""Judges the observed state of a subject that shows its inside: formulas, handles, differences, and storage shared with a caller."""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace

from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import LOST, TREE
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.difference_text import FUNCTIONS, difference_text, prefix_text
from radixcheck.verification.checker.formulas import compiled
from radixcheck.verification.checker.judge_host import MATCHING
from radixcheck.verification.checker.reasons.all_reasons import reason
from radixcheck.verification.checker.reasons.case import Case
from radixcheck.verification.checker.reasons.eviction_reasons import freed_text
from radixcheck.verification.checker.reasons.of_run import case_of, spec_case, taken_text
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op, listed
from radixcheck.verification.protocol import Observation

Shown = tuple[tuple[object, tuple[int, ...]], ...]  # slots of each node, or of each request, by its name


def judge_handle(run: CheckedRun, done: Performed) -> list[Violation]:
    """The node that a match returns must end where the match ends, and so its host node."""
    if done.op.name not in MATCHING or done.refused or done.diverged or not run.engine.has("locate"):
        return []
    found = run.oracle.call.found
    run.tally.count("LOCK_SPAN", found != EPS)
    place = run.abstraction.places.get(run.engine.locate(run.engine.handles[done.op.key]))
    if place != found:
        wrong = f"the node that this {done.op.name} has answered is {_place_text(run, place)}, expected {_place_text(run, found)}"
        return [Violation("LOCK_SPAN", f"{wrong}, where the match ends: who locks it locks another path")]
    return _judge_host_handle(run) if run.host is not None and done.op.name != "backup" else []  # a backup may evict the host node


def _judge_host_handle(run: CheckedRun) -> list[Violation]:
    assert run.host is not None, "only a cache with a host tier has host nodes"
    place, longest = run.abstraction.places.get(run.engine.locate(run.host.engine.host_node)), run.oracle.call.longest
    if place == longest:
        return []
    text = f"the host node of this match is {_place_text(run, place)}, expected {_place_text(run, longest)}"
    return [Violation("MATCH_TIERS", text)]


def _place_text(run: CheckedRun, place: int | None) -> str:
    if place is None:
        return "no node of the tree"
    return "the root" if place == EPS else f"that at {prefix_text(run.oracle.positions, place)}"


def difference(run: CheckedRun, op: Op, name: str, refused: bool) -> Violation:
    """The violation for one state function that differs, where no formula is broken."""
    seen, spec = run.seen, run.oracle.model.state
    text = difference_text(run.oracle.positions, name, getattr(seen, name), getattr(spec, name))
    id_ = blame.of_traces(op) if refused else blame.of_difference(op, name, seen, spec)
    return Violation(id_, f"after this {op.name}, {FUNCTIONS.get(name, name)}: {text}")


def divergence(run: CheckedRun, done: Performed) -> Violation:
    """The violation for pages that the specification cannot have taken: wrong victims, or wrong pages."""
    evicted = sorted(page for page in run.engine.pool.freed if run.before.owner[page] == TREE)
    deviated = done.op.name in EVICTING and evicted != sorted(run.oracle.call.freed)
    if deviated:
        return Violation("ORDER", freed_text(spec_case(run), set(evicted), set(run.oracle.call.freed)))
    return Violation("REFINEMENT", taken_text(run) or done.diverged)


def judge_alias(run: CheckedRun) -> list[Violation]:
    """Overwrite the slots that were passed in or returned, as a caller that reuses its arrays does: no slot in the cache may change."""
    if run.observation is None:
        return []
    shown = _slots(run.observation)  # copied first: an observation may contain the subject's own lists
    if not run.engine.overwrite_lent():
        return []
    run.tally.count("NO_ALIAS")
    now = _slots(run.engine.observe())
    if shown == now:
        return []
    return [Violation("NO_ALIAS", f"the caller overwrote its own array of slots, and that changed {_changed(run.observation, shown, now)}")]


def _changed(seen: Observation, shown: tuple[Shown, Shown], now: tuple[Shown, Shown]) -> str:
    """Return which slots in the cache have changed first."""
    for i, (before, after) in enumerate(zip(shown[0], now[0], strict=False)):
        if before != after:
            return f"the slots of the node with the segment {listed(seen.nodes[i].segment)} from {listed(before[1])} to {listed(after[1])}"
    rows = next(((before, after) for before, after in zip(shown[1], now[1], strict=False) if before != after), None)
    return f"the row of request r{rows[0][0]} from {listed(rows[0][1])} to {listed(rows[1][1])}" if rows else "what it shows"


def _slots(seen: Observation) -> tuple[Shown, Shown]:
    nodes = tuple((n.name, tuple(n.slots)) for n in seen.nodes)
    return (nodes, tuple((h, tuple(r.slots)) for h, r in seen.requests.items()))


def judge_postconditions(run: CheckedRun, done: Performed) -> list[Violation]:
    """Evaluate the postconditions of an operation; of one that was refused, only those that cover refusals."""
    last_size = run.oracle.call.last_size if run.frees_as_specified() else _last_victim_size(run)
    arguments, before, out = _arguments(run, done, last_size), _before(run), list[Violation]()
    for ready in compiled(run.policy, run.host is not None)[1].get(done.op.name, ()):
        if not ready.reads & run.tainted and (ready.property.refusals or not done.refused):
            failed = run.tally.evaluate(ready, run.seen, before, *arguments)
            out += formula_failed(run, ready.property.id, failed, before=before, of_call=(not done.answer.refused, last_size))
    if done.op.name in EVICTING and not done.refused and not run.frees_as_specified() and not blame.breaks(out, "EVICT_LEAF"):
        out += _judge_leaf_first(run)
    if blame.breaks(out, "EVICT_LEAF"):
        out.append(Violation("NO_ORPHAN", "what was below the evicted node cannot be reached any more, and its slots are not free"))
    return out


def _before(run: CheckedRun) -> State:
    """The state before the operation. A node that it has split off counts as accessed already, where the cache has chosen that it is."""
    if not run.oracle.call.split_off:
        return run.before
    before = copy(run.before)
    before.time = before.time | dict.fromkeys(run.oracle.call.split_off, run.abstraction.clock.tick - 0.5)
    return before


def judge_state_formulas(run: CheckedRun, deviating: Mapping[str, str]) -> list[Violation]:
    """Evaluate the state formulas. `deviating`: attributes that this operation got wrong, with the property that each breaks."""
    out: list[Violation] = []
    for ready in compiled(run.policy, run.host is not None)[0]:
        state = None if ready.reads & run.tainted else run.seen_by(ready.property)
        if state is not None:
            follows = next((id_ for name, id_ in deviating.items() if name in ready.reads), "")
            out += formula_failed(run, ready.property.id, run.tally.evaluate(ready, state), follows, state)
    return out


def formula_failed(
    run: CheckedRun,
    id_: str,
    failed: Mapping[str, int] | None,
    follows: str = "",
    seen: State | None = None,
    before: State | None = None,
    of_call: tuple[bool, int] = (True, 0),
) -> list[Violation]:
    """The violation for a formula and the values of its variables for which it is false; empty for None: it holds.

    `seen`, `before`: the states that it is false of, if these are not those of the run.
    `of_call`: whether the call was admitted, and the tokens of its last victim.
    """
    if failed is None:
        return []
    case = replace(case_of(run, failed, *of_call), seen=seen or run.seen, before=before or run.before)
    values = (f"{name} = {_value(case, name, value)}" for name, value in failed.items())
    text = reason(id_, case)
    return [Violation(id_, text or "the formula is false" + (" for " + ", ".join(values) if failed else ""), follows)]


def _value(case: Case, name: str, value: int) -> str:
    """Return a value as text. The name of its variable determines its sort."""
    if name == "s":
        return f"page {value} (leaked)" if case.seen.owner[value] == LOST else f"page {value}"
    return str(value) if name in ("e", "g", "h") else case.key(value)


def _judge_leaf_first(run: CheckedRun) -> list[Violation]:
    """Victims free their slots one by one: no node before its descendants."""
    p, before = run.oracle.positions, run.before
    place = {page: q for q, page in before.page.items() if q not in run.seen.cached}
    gone = [place[page] for page in run.engine.pool.freed if page in place]
    for i, q in enumerate(gone):
        late = next((k for k in gone[i + 1 :] if p.le(q, k) and before.end[q] != before.end[k]), None)
        if late is not None:
            return [Violation("EVICT_LEAF", f"{prefix_text(p, q)} was evicted before its descendant {prefix_text(p, late)}")]
    return []


def _arguments(run: CheckedRun, done: Performed, last_size: int) -> tuple[int, ...]:
    """The arguments of the postconditions. The position found is the one that the subject answered."""
    call, found = run.oracle.call, run.oracle.call.found
    if done.op.name in ("match", "peek", "insert", "start") and done.answer.length is not None:
        path = run.oracle.positions.ancestors[call.key]
        found = path[max(0, min(done.answer.length // run.engine.page_size, len(path) - 1))]
    return call.arguments(found, last_size, not done.answer.refused)


def _last_victim_size(run: CheckedRun) -> int:
    """Tokens of the node that was evicted last, by the order in which pages were freed."""
    before = run.before
    gone = {page: q for q, page in before.page.items() if q not in run.seen.cached}
    for page in reversed(run.engine.pool.freed):
        if page in gone:
            end = before.end[gone[page]]
            return run.engine.page_size * sum(1 for q in gone.values() if before.end[q] == end)
    return 0
