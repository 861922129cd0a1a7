"""The signature: the sorts, and the functions whose values are a state of the cache. Every formula is made of these words.

A *position* is a prefix of a key, in its namespace: whole pages of tokens, and then perhaps one unfinished page. Each position has one
name, an integer. `p <= q` says that p is q, or q cut at a page boundary. Every other word is a function of positions, pages, holders or
heap entries.

An example. Pages hold 2 tokens. The keys [1 2 3 4 5 6] and [1 2 3 4 7 8] were inserted, and request h was started with the tokens
[1 2 3 4 7 8 9]: it shares three pages with the cache, and its last page is unfinished. (Pages 3 and 4 went back to the caller of the second
insert, for their tokens were cached already.)

    position  prefix             page(q)   node(q)  end(q)  up(q)
    eps       []                                                     the root: the empty prefix
    a         [1 2]              page 0    no       b                inside the node that ends at b
    b         [1 2 3 4]          page 1    yes      b       eps
    c         [1 2 3 4 5 6]      page 2    yes      c       b
    d         [1 2 3 4 7 8]      page 5    yes      d       b
    e         [1 2 3 4 7 8 9]    (not cached)

    node(q)      a node ends here. The node at c holds the segment [5 6]: the tokens after up(c) = b, up to c
    end(q)       the node that covers a cached position: end(a) = b, for [1 2] lies on the node that ends at b
    up(q)        the parent of a node
    page(q)      the page of slots that holds the last page of a cached prefix
    at(h) = d    the node that h locks. The tree owns the slots of h up to here
    tok(h) = e   how far the tokens of h reach, with their unfinished page
    row(h, q)    the page of slots that h reads for the last page of q, for every q <= tok(h) but eps:
                 row(h, a), row(h, b), row(h, d) are pages 0, 1 and 5 of the tree; row(h, e) is page 6, which h owns

The root is the empty prefix `eps`. It is no node in this sense: it holds no slot, is never evicted and never counted.
Attributes (time, creation, hits, priority, lock) are values of nodes, and a cached position q has those of end(q). So a split must give
both halves the values of the node: then no position changes its values.
Slots are owned page by page: a page is an aligned run of page_size slots. All sizes are in tokens.
"""

from radixcheck.spec.logic import BOOL, INT, Function, Sort, Term, define, forall, ite, total

POS = Sort("Position")
PAGE = Sort("Page")
REQUEST = Sort("Request")  # a holder: a request, a lock (which has no slots of its own), or a caller with slots
ENTRY = Sort("Entry")
NAMESPACE = Sort("Namespace")

FREE, TREE, OWN, LOST = 0, 1, 2, 3  # owner of a page. No reachable state has a LOST page: this value is how a leak shows


def _rigid(name: str, domain: tuple[Sort, ...], sort: Sort) -> Function:
    return Function(name, domain, sort, "rigid")


def _state(name: str, domain: tuple[Sort, ...], sort: Sort) -> Function:
    return Function(name, domain, sort, "state")


# Positions. These functions never change; their laws are those of prefixes.
eps = _rigid("eps", (), POS)()  # the empty prefix
prev = _rigid("prev", (POS,), POS)  # the position without its last page, be it whole or unfinished
length = _rigid("length", (POS,), INT)  # tokens
room = _rigid("room", (POS,), INT)  # tokens, rounded up to whole pages: the slots that hold the prefix
whole = _rigid("whole", (POS,), BOOL)  # its last page is complete
namespace = _rigid("namespace", (POS,), NAMESPACE)  # that of its key
page_size = _rigid("page_size", (), INT)()  # tokens
capacity = _rigid("capacity", (), INT)()  # of the slot pool, in tokens

# The tree.
node = _state("node", (POS,), BOOL)  # a node ends here
cached = _state("cached", (POS,), BOOL)  # the last page of this prefix is in the tree
end = _state("end", (POS,), POS)  # of a cached position: the node that covers it
up = _state("up", (POS,), POS)  # of a node: its parent, or eps
page = _state("page", (POS,), PAGE)  # of a cached position: the slots of its last page
time = _state("time", (POS,), INT)  # of a node: the last access
creation = _state("creation", (POS,), INT)  # of a node: the time at which it was cached
hits = _state("hits", (POS,), INT)  # of a node: how many inserts and finished requests used it
priority = _state("priority", (POS,), INT)  # of a node: the highest priority of a request or insert that has cached it
lock = _state("lock", (POS,), INT)  # of a node: how many holders protect it

# The slots, page by page.
owner = _state("owner", (PAGE,), INT)  # FREE, TREE or OWN
holder = _state("holder", (PAGE,), REQUEST)  # of an OWN page: whose it is
content = _state("content", (PAGE,), POS)  # of a page that is not FREE: the prefix whose last page of tokens it holds

# Holders.
held = _state("held", (REQUEST,), BOOL)  # the holder is live
at = _state("at", (REQUEST,), POS)  # the node that it locks, or eps; the tree owns its slots up to here
tok = _state("tok", (REQUEST,), POS)  # where its tokens end; may be inside a page
row = _state("row", (REQUEST, POS), PAGE)  # the page that it reads for the last page of a prefix of tok
request_priority = _state("request_priority", (REQUEST,), INT)  # the priority of what it caches

# Counters, in tokens, and the clock.
evictable = _state("evictable", (), INT)()
protected = _state("protected", (), INT)()
available = _state("available", (), INT)()
now = _state("now", (), INT)()

# The eviction heap: entries with stored keys.
queued = _state("queued", (ENTRY,), BOOL)  # the entry is in the heap
on = _state("on", (ENTRY,), POS)  # the node for which it was pushed
first = _state("first", (ENTRY,), INT)  # the stored key is the pair (first, second)
second = _state("second", (ENTRY,), INT)
entry = _state("entry", (POS,), ENTRY)  # the entry that is current for a node

size = define("size", (POS,), lambda n: length(n) - length(up(n)))  # tokens on the node itself
leaf = define("leaf", (POS,), lambda n: forall(POS, lambda m: node(m) >> (up(m) != n)))  # a node without children; only nodes are asked
candidate = define("candidate", (POS,), lambda n: node(n) & (lock(n) == 0) & leaf(n))  # an evictable leaf
aligned = define("aligned", (POS,), lambda p: ite(whole(p), p, prev(p)))  # without the unfinished page


def protected_path(bound: Term, floor: Term) -> Term:
    """Tokens of the unlocked nodes k with floor < k <= bound: what a lock of that path makes protected."""
    return total(POS, lambda k: node(k) & (floor < k) & (k <= bound) & (lock(k) == 0), lambda k: size(k))


def evictable_path(found: Term) -> Term:
    """Evictable tokens of a cached prefix, which may end inside a node: what a lock of it will protect."""
    above = up(end(found))
    below = ite(lock(end(found)) == 0, length(found) - length(above), 0)
    return ite(found == eps, 0, protected_path(above, eps) + below)
