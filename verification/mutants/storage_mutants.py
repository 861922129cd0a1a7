"""Memory that is kept, and walks that cost more, or recurse deeper, than they should."""

from radixcheck.reference.node import Node, Page, below, shared_tokens
from radixcheck.reference.pool import Pool
from radixcheck.reference.tree import Walk
from radixcheck.spec.values import Key, Match, Namespace, NoRoom, Row, Sizes
from radixcheck.verification.mutants.mutant import BY_SIZE, mutant
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


class EvictedNodesKept(ReferenceSubject):
    """Evicted nodes stay on a list that is never emptied."""

    def __init__(self, page_size: int, policy: str, pool: Pool) -> None:
        super().__init__(page_size, policy, pool)
        self._evicted: list[Node] = []

    def _evict_leaf(self, leaf: Node) -> Node:
        self._evicted.append(leaf)
        return super()._evict_leaf(leaf)


class RecursiveWalk(ReferenceSubject):
    """The walk down the tree calls itself for each node."""

    def _walk(self, tokens: Page, namespace: Namespace) -> Walk:
        return self._below(self.root, 0, tokens, namespace)

    def _below(self, node: Node, length: int, tokens: Page, namespace: Namespace) -> Walk:
        page = tokens[length : length + self.page_size]
        child = node.children.get(self._child_key(node, namespace, page))
        if child is None:
            return Walk(length, node)
        shared = shared_tokens(child.segment, tokens, length, self.page_size)
        if shared < len(child.segment):
            return Walk(length + shared, node, child, shared)
        return self._below(child, length + shared, tokens, namespace)


class MatchRewalksFromRoot(ReferenceSubject):
    """A match tries one page, two pages, three pages, and starts at the root each time."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: no walk goes on where the one before it ended."""
        end = self.page_size
        while self._walk(key.tokens[:end], key.namespace).length == end < len(key.tokens):
            end += self.page_size
        return super().match(key)


class SizesWalkTheTree(ReferenceSubject):
    """The sizes are summed up over all nodes at each call, instead of being counted."""

    def sizes(self) -> Sizes:
        """The fault: right, at the cost of a walk over the tree."""
        sizes = [0, 0]
        for node in below(self.root):
            sizes[node.lock > 0] += len(node.segment)
        return Sizes(self.pool.available, *sizes)


class RefusedStartsKept(ReferenceSubject):
    """A start that is refused for lack of room stays on a list of requests that wait, which nothing empties."""

    def __init__(self, page_size: int, policy: str, pool: Pool) -> None:
        super().__init__(page_size, policy, pool)
        self._waiting: list[int] = []

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """The fault: the note of the request."""
        try:
            return super().start(request, key, priority)
        except NoRoom:
            self._waiting.append(request)
            raise


MUTANTS = (
    mutant("evicted_nodes_kept", "MEM_BOUND", EvictedNodesKept, "FB-56", directed=BY_SIZE),
    mutant("refused_starts_kept", "MEM_BOUND", RefusedStartsKept, directed=BY_SIZE),
    mutant("recursive_walk", "DEPTH", RecursiveWalk, "FB-84", directed=BY_SIZE),
    mutant("match_rewalks_from_root", "MATCH_COST", MatchRewalksFromRoot, "FB-85", directed=BY_SIZE),
    mutant("sizes_walk_the_tree", "VERB_COST", SizesWalkTheTree, directed=BY_SIZE),
)
