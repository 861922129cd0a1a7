"""The candidates of an eviction in the order of the policy, by the attributes that the cache itself keeps."""

from heapq import heapify, heappop, heappush
from itertools import count

from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.tree_view import NodeKey

SPARE = 1_024  # entries above twice the last number of useful ones, before the heap is tidied


def may_be_evicted(record: Record) -> bool:
    """Return whether it is an unlocked leaf of the tree."""
    return not (record.locks or record.children or record.left)


class EvictionCandidates:
    """A heap with lazy repair: an entry counts as long as its record is a candidate with this key."""

    def __init__(self) -> None:
        self._heap: list[tuple[NodeKey, int, Record]] = []
        self._serial = count()
        self._useful = 0  # entries that counted when the heap was tidied last

    def put(self, record: Record) -> None:
        """A record became a candidate, or its key has changed."""
        heappush(self._heap, (record.order, next(self._serial), record))
        if len(self._heap) > 2 * self._useful + SPARE:
            self._heap = [entry for entry in self._heap if _counts(entry)]
            heapify(self._heap)
            self._useful = len(self._heap)

    def least(self) -> Record | None:
        """Return the candidate that the policy evicts first; None if there is none."""
        heap = self._heap
        while heap and not _counts(heap[0]):
            heappop(heap)
        return heap[0][2] if heap else None


def _counts(entry: tuple[NodeKey, int, Record]) -> bool:
    order, _, record = entry
    return record.order == order and may_be_evicted(record)
