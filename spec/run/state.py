"""A finite state: what the functions of the signature are, as sets, dictionaries and lists over pages."""

from radixcheck.spec.run.positions import Positions
from radixcheck.spec.signature import FREE

SETS = ("node", "cached", "held", "queued")
MAPS = ("end", "up", "page", "time", "creation", "hits", "priority", "lock", "holder", "content")
REQUEST_MAPS = ("at", "tok", "row", "request_priority")
HEAP_MAPS = ("on", "first", "second", "entry")
EARLY_MAPS = ("local_lock_ref",)  # of locks that stop early
EVENT_SETS = ("announced", "host_announced", "misplaced")  # of a fold of events
COUNTERS = ("evictable", "protected", "available", "now")
LISTS = ("owner",)


class State:
    """One state. `owner` is a list over pages; `kids` counts children per node and is an index, not part of the state."""

    __slots__ = (*SETS, *MAPS, *REQUEST_MAPS, *HEAP_MAPS, *EARLY_MAPS, *EVENT_SETS, *COUNTERS, "owner", "kids", "positions", "capacity")

    node: set[int]
    cached: set[int]
    held: set[int]
    queued: set[int]
    end: dict[int, int]
    up: dict[int, int]
    page: dict[int, int]
    time: dict[int, float]
    creation: dict[int, float]
    hits: dict[int, int]
    priority: dict[int, int]
    lock: dict[int, int]
    holder: dict[int, int]
    content: dict[int, int]
    at: dict[int, int]
    tok: dict[int, int]
    row: dict[tuple[int, int], int]
    request_priority: dict[int, int]
    on: dict[int, int]
    first: dict[int, float]
    second: dict[int, float]
    entry: dict[int, int]
    local_lock_ref: dict[int, int]
    announced: set[int]
    host_announced: set[int]
    misplaced: set[int]

    def __init__(self, positions: Positions, pages: int) -> None:
        for name in (*SETS, *EVENT_SETS):
            setattr(self, name, set())
        for name in (*MAPS, *REQUEST_MAPS, *HEAP_MAPS, *EARLY_MAPS):
            setattr(self, name, {})
        self.owner = [FREE] * pages
        self.kids: dict[int, int] = {}
        self.positions = positions
        self.capacity = self.available = pages * positions.page_size
        self.evictable = self.protected = 0
        self.now: float = 0

    def move_up(self, node: int, parent: int) -> None:
        """Set the parent of a node and keep the index of children."""
        self.drop_up(node)
        self.up[node] = parent
        self.kids[parent] = self.kids.get(parent, 0) + 1

    def drop_up(self, node: int) -> None:
        """Forget the parent of a node and keep the index of children."""
        parent = self.up.pop(node, None)
        if parent is not None:
            left = self.kids[parent] - 1
            if left:
                self.kids[parent] = left
            else:
                del self.kids[parent]
