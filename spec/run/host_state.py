"""A finite state of a cache with a host tier."""

from radixcheck.spec.run.positions import Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE

HOST_SETS = ("resident", "hosted", "filled", "host_filled", "running")
HOST_MAPS = ("host_page", "host_holder", "host_content", "pins")
HOST_REQUEST_MAPS = ("stage", "floor", "aim", "reserved", "host_row")
HOST_COUNTERS = ("host_available",)
HOST_LISTS = ("host_owner",)


class HostState(State):
    """One state. `host_owner` is a list over host pages; `children` is an index of the tree, not part of the state."""

    __slots__ = (*HOST_SETS, *HOST_MAPS, *HOST_REQUEST_MAPS, *HOST_COUNTERS, *HOST_LISTS, "children", "gaps", "host_capacity")

    resident: set[int]
    hosted: set[int]
    filled: set[int]
    host_filled: set[int]
    running: set[int]
    host_page: dict[int, int]
    host_holder: dict[int, int]
    host_content: dict[int, int]
    pins: dict[int, int]
    stage: dict[int, int]
    floor: dict[int, int]
    aim: dict[int, int]
    reserved: dict[int, int]
    host_row: dict[tuple[int, int], int]

    def __init__(self, positions: Positions, pages: int, host_pages: int, gaps: bool) -> None:
        super().__init__(positions, pages)
        for name in HOST_SETS:
            setattr(self, name, set())
        for name in (*HOST_MAPS, *HOST_REQUEST_MAPS):
            setattr(self, name, {})
        self.host_owner = [FREE] * host_pages
        self.host_capacity = self.host_available = host_pages * positions.page_size
        self.gaps = gaps
        self.children: dict[int, set[int]] = {}

    def move_up(self, node: int, parent: int) -> None:
        """Set the parent of a node and keep the indices."""
        super().move_up(node, parent)
        self.children.setdefault(parent, set()).add(node)

    def drop_up(self, node: int) -> None:
        """Forget the parent of a node and keep the indices."""
        parent = self.up.get(node)
        super().drop_up(node)
        if parent is not None:
            self.children[parent].remove(node)
            if not self.children[parent]:
                del self.children[parent]

    def is_device_leaf(self, node: int) -> bool:
        """Whether no child of a node is on the device."""
        return self.resident.isdisjoint(self.children.get(node, ()))
