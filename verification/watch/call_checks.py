"""What must hold of one call: of its answer, the slots that it freed, the victims that it chose. Results have SGLang's types."""

from typing import Any

from torch import Tensor

from radixcheck.spec.values import Namespace
from radixcheck.verification.watch.ledger import Ledger, Tell
from radixcheck.verification.watch.slot_table import joined
from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.watched_call import FREE, Call


def sizes(ledger: Ledger, tell: Tell) -> None:
    """The sizes that the cache counts are those of its nodes."""
    found, expected = ledger.view.sizes(), (ledger.evictable, ledger.protected)
    if found != expected:
        tell("COUNT", f"expected {expected[0]} evictable and {expected[1]} protected tokens; the cache counts {found[0]} and {found[1]}")


def victim(ledger: Ledger, record: Record, tell: Tell) -> None:
    """A node that leaves the tree is the candidate that the policy evicts first."""
    view = ledger.view
    if record.children or view.children(record.node):
        tell("EVICT_LEAF", f"expected a leaf as a victim; {record} has {max(record.children, len(view.children(record.node)))} children")
    if record.locks or view.locks(record.node):
        tell("EVICT_UNLOCKED", f"expected a victim without locks; {record} has {view.locks(record.node)}")
    least = ledger.order.least()
    if least is not None and least.order < record.order:
        tell("ORDER", f"{view.policy} evicts {least} first, of which it compares {least.order}; {record} left, with {record.order}")


def freed(ledger: Ledger, call: Call, tell: Tell) -> None:
    """Victims give their slots back, each once; nothing else gives back slots of the tree."""
    table, back = ledger.slots, joined(call.freed, ledger.root.slots)
    left = joined([record.slots for record in call.victims], ledger.root.slots)
    expected = f"expected the {len(left)} slots of {len(call.victims)} victims back, each once"
    if call.victims:
        table.release(left)
    if call.victims and len(back) == len(left):
        same = back.sort().values, left.sort().values
        table.expect_equal(*same, lambda: tell("SLOT_PARTITION", f"{expected}; others came"))
    elif len(back) < len(left):
        tell("SLOT_PARTITION", f"{expected}; {len(back)} came")
    elif call.verb != FREE:  # what the engine frees by itself is no call of the cache
        ordered = back.sort().values
        twice = (ordered[1:] == ordered[:-1]).any()
        table.verdicts.take(twice, lambda: tell("SLOT_PARTITION", "one slot was given back twice in one call"))
    table.expect_foreign(back, lambda: tell("NO_UAF", "slots that the tree has were given back"))


def eviction(call: Call, tell: Tell) -> None:
    """An eviction frees what it is asked for, if there is as much, in whole nodes, and says how much. `before`: evictable tokens."""
    asked, answer = call.arguments[0].num_tokens, call.result.num_tokens_evicted
    total = sum(record.size for record in call.victims)
    if answer != total:
        tell("EVICT_EXACT", f"expected the answer {total}, the tokens of {len(call.victims)} victims; it is {answer}")
    if total < min(asked, call.before):
        tell("EVICT_PROGRESS", f"expected {min(asked, call.before)} tokens of {call.before} evictable ones; {total} were evicted")
    elif total and total - call.victims[-1].size >= asked:
        tell("EVICT_EXACT", f"{asked} tokens were asked for; the last of {len(call.victims)} victims was not needed")


def answer_length(call: Call, path: int, tell: Tell) -> None:
    """A match says how long the path to its node is."""
    if call.result.device_prefix_len != path:
        tell("MATCH_SOUND", f"expected the length {path} of the path to the node; the answer is {call.result.device_prefix_len}")


def longest(ledger: Ledger, end: Record, space: Namespace, rest: Any, tell: Tell) -> None:
    """No child goes on with the key."""
    if ledger.view.below(end.node, space, rest) is not None:
        tell("MATCH_MAX", f"expected the longest cached prefix; a child behind {end} has the next page of the key")


def same_tokens(ledger: Ledger, record: Record, tokens: Any, tell: Tell) -> None:
    """A node on the path has the tokens of the key at its place. `tokens`: of the key, as many as the node has."""
    if list(ledger.view.tokens(record.node)) != list(tokens):
        tell("MATCH_SOUND", f"expected the tokens of the key in {record}; it has others")


def row_part(ledger: Ledger, end: Record, row: Tensor, start: int, stop: int, tell: Tell) -> None:
    """The row of a request has the slots of the path from `start` to its end, `stop`."""
    parts: list[Tensor] = []
    at = stop
    for record in end.upwards():
        if at <= start:
            break
        parts.append(record.slots)
        at -= record.size
    expected = joined(parts[::-1], ledger.root.slots)[start - at :] if parts else ledger.root.slots
    found = row[start:stop].to(expected.dtype)
    ledger.slots.expect_equal(found, expected, lambda: tell("NO_UAF", f"expected the slots of the path to {end} in the row of the request"))


def path_slots(ledger: Ledger, end: Record, slots: Tensor, tell: Tell) -> None:
    """The slots that are read for a path are those of its nodes."""
    expected = joined([record.slots for record in end.path()], ledger.root.slots)
    ledger.slots.expect_equal(slots, expected, lambda: tell("NO_UAF", f"expected the slots of the path to {end}; others were read"))


def emptied(ledger: Ledger, tell: Tell) -> None:
    """After a reset nothing is cached. The ledger has not begun anew yet."""
    view = ledger.view
    if held := sum(record.holders for record in ledger.window):
        tell("RESET_QUIESCENT", f"expected no lock at a reset; {held} are live")
    if len(view.children(view.root)) or view.sizes() != (0, 0):
        tell("RESET_QUIESCENT", f"expected an empty tree behind a reset; it has {len(view.children(view.root))} children of the root")
