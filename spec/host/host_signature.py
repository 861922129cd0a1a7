"""The words of the host tier, beside those of `spec/signature.py`.

There is one tree. A position is `cached` while any tier holds it, and nodes, locks, times, hits and priorities are those of the tree,
whatever tier holds a position. Two sets say who holds it: `resident(q)` (the device), `hosted(q)` (the host).

A copy between the tiers is a holder: it locks a path like a request, and copies its span, the positions q with floor(h) < q <= aim(h).
A slot is assigned when its copy is issued, and is `filled` when the copy is acknowledged. Positions do not change when nodes are split, so
what an acknowledgement covers is settled at the issue.

    stage(h)    RESERVING  a backup is prepared: host pages are reserved for it, one by one
                DOWN       a backup is in flight, from the device to the host
                PINNING    a load is prepared: its span is pinned on the host, and device pages are taken for it
                UP         a load is in flight, from the host to the device

An example. Pages hold 1 token; [1 2] is one node, on both tiers, and [1 2 3] a node below it that only the host has. A load of it:
`begin` (at, tok = [1 2]), `pin` (floor = [1 2], aim = [1 2 3]; the node has one pin), `extend` (the page for [1 2 3]), `load` (the node is
resident, its page not filled; at = [1 2 3]), and later `ack_load` (filled; no pin) and `release`.
"""

from radixcheck.spec.logic import BOOL, INT, Function, Sort, Term, define, forall
from radixcheck.spec.signature import *

HOST_PAGE = Sort("HostPage")

IDLE, RESERVING, DOWN, PINNING, UP = 0, 1, 2, 3, 4  # stages of a holder; a request is always IDLE


def _function(name: str, domain: tuple[Sort, ...], sort: Sort, kind: str = "state") -> Function:
    return Function(name, domain, sort, kind)


gaps = _function("gaps", (), BOOL, "rigid")()  # write-back: the host may hold what continues a prefix without the prefix
host_capacity = _function("host_capacity", (), INT, "rigid")()  # of the host pool, in tokens

# The tree, on two tiers.
resident = _function("resident", (POS,), BOOL)  # the device has a slot for its last page: page(q)
hosted = _function("hosted", (POS,), BOOL)  # the host has one: host_page(q)
host_page = _function("host_page", (POS,), HOST_PAGE)
pins = _function("pins", (POS,), INT)  # of a node: how many loads read its host pages

# The slots of the host, page by page, and what has arrived on each tier.
host_owner = _function("host_owner", (HOST_PAGE,), INT)  # FREE, TREE, or OWN: reserved by a backup
host_holder = _function("host_holder", (HOST_PAGE,), REQUEST)  # of an OWN page: who has reserved it; of one not filled: who fills it
host_content = _function("host_content", (HOST_PAGE,), POS)  # of a page that is not FREE: the prefix whose last page it is for
filled = _function("filled", (PAGE,), BOOL)  # of a page that is not FREE: its tokens' KV is there
host_filled = _function("host_filled", (HOST_PAGE,), BOOL)  # of a TREE page of the host: the same
host_available = _function("host_available", (), INT)()  # tokens

# Holders.
running = _function("running", (REQUEST,), BOOL)  # the engine reads the holder's row
stage = _function("stage", (REQUEST,), INT)
floor = _function("floor", (REQUEST,), POS)  # of a copy: it copies what is behind this position
aim = _function("aim", (REQUEST,), POS)  # and up to this one
reserved = _function("reserved", (REQUEST,), POS)  # of a backup: how far host pages are reserved
host_row = _function("host_row", (REQUEST, POS), HOST_PAGE)  # the host pages that a copy reads or writes, as they were at its issue

device_leaf = define("device_leaf", (POS,), lambda n: forall(POS, lambda m: (node(m) & resident(m)) >> (up(m) != n)))
device_candidate = define("device_candidate", (POS,), lambda n: node(n) & resident(n) & (lock(n) == 0) & device_leaf(n))
host_candidate = define("host_candidate", (POS,), lambda n: node(n) & ~resident(n) & (pins(n) == 0) & leaf(n))
copying = define("copying", (REQUEST,), lambda h: held(h) & (stage(h) != IDLE))
loading = define("loading", (REQUEST,), lambda h: held(h) & ((stage(h) == PINNING) | (stage(h) == UP)))


def in_span(h: Term, q: Term) -> Term:
    """The holder copies this position."""
    return (floor(h) < q) & (q <= aim(h))
