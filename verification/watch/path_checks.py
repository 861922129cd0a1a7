"""What must hold of one node at any time between calls: on the path that a call touched, and in the window over the rest of the tree.

`of_path` costs some comparisons of numbers for each node and is always made. `contents` reads more, and is made while the budget lasts.
"""

from collections.abc import Sequence

from radixcheck.verification.watch.eviction_candidates import may_be_evicted
from radixcheck.verification.watch.ledger import Ledger, Tell
from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.tree_view import TreeView


def of_path(view: TreeView, records: Sequence[Record], tell: Tell) -> None:
    """Check locks and the index of leaves of nodes whose attributes were just read."""
    for record in records:
        if record.locks != record.holders + record.below:
            expected = f"expected {record.holders} for its own locks and {record.below} for its children"
            tell("LOCK_NONNEG" if record.locks < 0 else "LOCK_COUNT", f"{expected}; the lock count of {record} is {record.locks}")
        if view.is_candidate(record.node) != may_be_evicted(record):
            found = "is not" if may_be_evicted(record) else "is"
            tell("LEAFSET", f"{record} has {record.locks} locks and {record.children} children; it {found} among the leaves to evict")


def later_than_parent(records: Sequence[Record]) -> list[Record]:
    """Return the nodes whose last access is later than that of their parent."""
    return [each for each in records if (above := each.parent) is not None and above.parent is not None and above.time < each.time]


def contents(ledger: Ledger, record: Record, tell: Tell) -> None:
    """Check where a node is filed, its size and its slots."""
    view, node = ledger.view, record.node
    size = view.size(node)
    if size != record.size or size % view.page_size or not size:
        tell(
            "COVER" if size != record.size else "PAGE_ALIGN", f"expected {record}, in whole pages of {view.page_size}; it has {size} tokens"
        )
    if view.filed(node) is not node:
        tell("CHILD_KEY", f"expected {record} under its first page at its parent; there is another node, or none")
    ledger.slots.expect_equal(
        view.slots(node), record.slots, lambda: tell("SLOT_PARTITION", f"{record} has other slots than those that were stored for it")
    )


def divided(ledger: Ledger, tell: Tell) -> None:
    """Check both halves of each split that was seen since the last check: no budget is too small, because it happens to a node once."""
    while ledger.divided:
        lower = ledger.divided.pop()
        upper = lower.parent
        assert upper is not None
        if ledger.view.parent(lower.node) is not upper.node:
            tell("PARENT", f"expected {lower} below the upper half of the node that was split; it is elsewhere")
        contents(ledger, upper, tell)
        contents(ledger, lower, tell)


def unchanged(view: TreeView, record: Record, tell: Tell) -> None:
    """Check that what a path check reads of a node is as it was when a call touched it last."""
    node, parent = record.node, record.parent
    assert parent is not None
    if view.parent(node) is not parent.node:
        tell("PARENT", f"expected {record} below the parent that it had; no call has moved it")
    if (locks := view.locks(node)) != record.locks:
        tell("LOCK_COUNT", f"expected the lock count {record.locks} of {record}; it is {locks}, and no call has touched it")
    if (time := view.time(node)) != record.time:
        tell("RECENCY", f"expected the access {record.time} of {record}; it is {time}, and no call has touched it")
    if may_be_evicted(record) and (order := view.order(node)) != record.order:
        tell("ATTRIBUTE_MONO", f"expected {record.order} for the policy of {record}; it is {order}, and no call has touched it")
