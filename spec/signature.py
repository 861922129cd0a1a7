"""What a state of the cache is: the sorts, and the functions over them.

Attributes (times, hits, priority, creation, lock) are functions of cached tokens of which nodes are the run-length encoding: the
value of a token q is the value of end(q), the node that covers it. That answers what a split must copy: nothing changes.
The root is the empty prefix `eps`; it is not a node here: it holds no slot, is never evicted and never counted.
Slots are owned page by page: the sort Page is an aligned run of page_size slots, and all sizes are in tokens.
"""

from collections.abc import Callable

from radixcheck.spec.logic import BOOL, INT, Function, Sort, Term, define, exists, forall, total

POS = Sort("Position")
PAGE = Sort("Page")
REQUEST = Sort("Request")  # who holds a part of the cache: a request, a lock (no slots of its own), a caller's slots
ENTRY = Sort("Entry")
NAMESPACE = Sort("Namespace")

FREE, TREE, OWN, LOST = 0, 1, 2, 3  # owner of a page; no reachable state has a LOST one: it is how a leak is seen


_SORTS = {"s": PAGE, "g": REQUEST, "h": REQUEST, "d": ENTRY, "e": ENTRY}  # a variable's name tells its sort; all others are positions


def every(body: Callable[..., Term]) -> Term:
    """For all values of the variables of a lambda."""
    return forall(_sorts(body), body)


def some(body: Callable[..., Term]) -> Term:
    """For some values of the variables of a lambda."""
    return exists(_sorts(body), body)


def _sorts(body: Callable[..., Term]) -> tuple[Sort, ...]:
    return tuple(_SORTS.get(name, POS) for name in body.__code__.co_varnames[: body.__code__.co_argcount])


def _rigid(name: str, domain: tuple[Sort, ...], sort: Sort) -> Function:
    return Function(name, domain, sort, "rigid")


def _state(name: str, domain: tuple[Sort, ...], sort: Sort) -> Function:
    return Function(name, domain, sort, "state")


# Rigid: laws in the order of prefixes.
eps = _rigid("eps", (), POS)()
prev = _rigid("prev", (POS,), POS)  # one page shorter
length = _rigid("length", (POS,), INT)  # tokens
room = _rigid("room", (POS,), INT)  # tokens, rounded up to whole pages
whole = _rigid("whole", (POS,), BOOL)  # its last page is complete
namespace = _rigid("namespace", (POS,), NAMESPACE)
page_size = _rigid("page_size", (), INT)()
capacity = _rigid("capacity", (), INT)()  # tokens

# The tree.
node = _state("node", (POS,), BOOL)  # a node other than the root ends here
cached = _state("cached", (POS,), BOOL)  # the last page of this prefix is in the tree
end = _state("end", (POS,), POS)  # the node that covers a cached position
up = _state("up", (POS,), POS)  # parent of a node; eps: the root
page = _state("page", (POS,), PAGE)  # the slots of a cached position's last page
time = _state("time", (POS,), INT)  # last access of a node
creation = _state("creation", (POS,), INT)
hits = _state("hits", (POS,), INT)
priority = _state("priority", (POS,), INT)
lock = _state("lock", (POS,), INT)

# The slots, page by page.
owner = _state("owner", (PAGE,), INT)
holder = _state("holder", (PAGE,), REQUEST)  # where owner = OWN
content = _state("content", (PAGE,), POS)  # whose last page of tokens it holds, where not FREE

# Requests: row(h, q) holds the last page of q, for q <= tok(h); the tree owns it for q <= at(h).
held = _state("held", (REQUEST,), BOOL)
at = _state("at", (REQUEST,), POS)  # the node that it locks
tok = _state("tok", (REQUEST,), POS)  # how far its row reaches; may end in an unfinished page
row = _state("row", (REQUEST, POS), PAGE)
urgency = _state("urgency", (REQUEST,), INT)  # the priority that it gives to what it caches

# Counters, in tokens, and the clock.
evictable = _state("evictable", (), INT)()
protected = _state("protected", (), INT)()
available = _state("available", (), INT)()
now = _state("now", (), INT)()

# The heap machine: entries with stored keys.
queued = _state("queued", (ENTRY,), BOOL)
on = _state("on", (ENTRY,), POS)
first = _state("first", (ENTRY,), INT)  # the stored key is the pair (first, second)
second = _state("second", (ENTRY,), INT)
entry = _state("entry", (POS,), ENTRY)  # the entry that speaks for a node

size = define("size", (POS,), lambda n: length(n) - length(up(n)))  # tokens on the node itself
leaf = define("leaf", (POS,), lambda n: every(lambda m: node(m) >> (up(m) != n)), "not {S}.kids.get({0})")
candidate = define("candidate", (POS,), lambda n: node(n) & (lock(n) == 0) & leaf(n))  # an evictable leaf


def protected_path(bound: Term, floor: Term) -> Term:
    """Tokens of the unlocked nodes k with floor < k <= bound: what a lock of that path makes protected."""
    return total(POS, lambda k: node(k) & (floor < k) & (k <= bound) & (lock(k) == 0), lambda k: size(k))
