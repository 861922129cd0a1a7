"""Requests that leak, free too much, cache too little, or trust an old match."""

from radixcheck.reference import Request
from radixcheck.reference.node import path
from radixcheck.reference.pool import Pool
from radixcheck.reference.tree import Walk
from radixcheck.spec.values import Key, Namespace, NoRoom, Row
from radixcheck.verification.mutants.lock_mutants import StartForgetsLock
from radixcheck.verification.mutants.mutant import SteppedStart, mutant
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


class FinishFreesFromZero(ReferenceSubject):
    """A finish frees the row from its beginning, not from where the request's own part begins."""

    def finish(self, request: int) -> None:
        """The fault: the tree's slots are freed with the tail."""
        live = self._find_request(request)
        self._cache_request(live, hits=1)
        live.cached = 0
        self._release_request(request)


class FinishCachesPromptOnly(ReferenceSubject):
    """A finish caches the tokens with which the request began and frees what was decoded."""

    def __init__(self, page_size: int, policy: str, pool: Pool) -> None:
        super().__init__(page_size, policy, pool)
        self._prompts: dict[int, int] = {}  # tokens at the start

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """The reference's start; notes how long the prompt is."""
        row = super().start(request, key, priority)
        self._prompts[request] = len(key.tokens)
        return row

    def finish(self, request: int) -> None:
        """The fault: what a chunk has not cached yet is cut to the prompt."""
        live = self._find_request(request)
        kept = max(live.cached, self._prompts[request] // self.page_size * self.page_size)
        starts = live.row[kept :: self.page_size]
        self.pool.free([start + i for start in starts for i in range(self.page_size)])
        live.tokens, live.row = live.tokens[:kept], live.row[:kept]
        super().finish(request)


class AdmissionCountsMatchTwice(StartForgetsLock):
    """A start counts what it has matched as cached and as room: it locks that only after the eviction, which may take it."""

    def _spared(self, walk: Walk) -> int:
        return 0


class AbortLeaksTail(ReferenceSubject):
    """An abort releases the lock and forgets the slots that the request owns."""

    def abort(self, request: int) -> None:
        """The fault: nothing is freed."""
        self._unlock_path(self._find_request(request).node)
        del self.requests[request]


class StartRemembersMatch(SteppedStart):
    """A refused start keeps its match for the next attempt, however old it is by then."""

    def __init__(self, page_size: int, policy: str, pool: Pool) -> None:
        super().__init__(page_size, policy, pool)
        self._walks: dict[Key, Walk] = {}

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """The fault: only an admitted request forgets its match."""
        row = super().start(request, key, priority)
        del self._walks[key]
        return row

    def _find(self, key: Key) -> Walk:
        return self._walks.setdefault(key, self._walk(key.tokens, key.namespace))


class DecodeWastesPage(ReferenceSubject):
    """A decode that needs a page takes two, if two are free, and gives one back."""

    def decode(self, request: int, token: int) -> int:
        """The fault: a page that is not needed is taken for a moment."""
        slot = super().decode(request, token)
        if slot % self.page_size == 0 and self.pool.available:
            self.pool.free(self.pool.alloc(self.page_size))
        return slot


class ChunkKeepsOwnDuplicates(ReferenceSubject):
    """A chunk that finds its tokens cached by others frees its own slots, and leaves them in its row."""

    def chunk(self, request: int) -> Row[list[int]]:
        """The fault: the row is not the tree's."""
        before = list(self._find_request(request).row)
        super().chunk(request)
        live = self._find_request(request)
        live.row = before
        return Row(live.cached, list(live.row))


class ChunkKeepsOldLock(ReferenceSubject):
    """A chunk locks the deeper node and keeps the lock that it had."""

    def chunk(self, request: int) -> Row[list[int]]:
        """The fault: the old lock is never released."""
        before = self._find_request(request).node
        row = super().chunk(request)
        self._lock_path(before)
        return row


class AbortWaitsForOthers(ReferenceSubject):
    """An abort leaves its own slots for the last holder of the cached part to free, which does not know them."""

    def abort(self, request: int) -> None:
        """The fault: nothing is freed while another holder is left."""
        live = self._find_request(request)
        if any(locked.lock > 1 for locked in path(live.node)):
            live.cached = len(live.row)
        super().abort(request)


class FinishFreesUsedPart(ReferenceSubject):
    """A finish frees only those slots of its last page that hold tokens, not the whole page."""

    def _free_own(self, live: Request, until: int) -> None:
        own = live.row[live.cached : until]
        if own:
            self.pool.free(own)


class AbortFreesPadding(ReferenceSubject):
    """An abort frees its row padded with zeros: the first page of the pool goes back with it, whoever owns it."""

    def abort(self, request: int) -> None:
        """The fault: 0 means no slot here, but is the id of a slot."""
        live = self._find_request(request)
        padded = len(live.row) > live.cached
        super().abort(request)
        if padded:
            self.pool.free(range(self.page_size))


class RefusedStartKeepsPage(ReferenceSubject):
    """A start takes a page in advance, and does not give it back when the request is refused."""

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """The fault: the page is lost."""
        try:
            return super().start(request, key, priority)
        except NoRoom:
            if self.pool.available:
                self.pool.alloc(self.page_size)
            raise


class StartPublishesEarly(ReferenceSubject):
    """A start caches the pages of its prompt at once, before anything has been computed into them."""

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """The fault: others can match what was not computed yet."""
        row = super().start(request, key, priority)
        self._cache_request(self._find_request(request), hits=0)
        return row


class StartTakesBatchNamespace(ReferenceSubject):
    """A start takes the namespace of the request before it, as if a batch had only one."""

    _batch: Namespace | None = None

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """The fault: only the first request's namespace counts."""
        self._batch = key.namespace if self._batch is None else self._batch
        return super().start(request, Key(key.tokens, self._batch), priority)


MUTANTS = (
    mutant("finish_frees_from_zero", "SLOT_PARTITION", FinishFreesFromZero, "FB-27"),
    mutant("finish_caches_prompt_only", "INSERT_COVERS", FinishCachesPromptOnly, "FB-07"),
    mutant("admission_counts_match_twice", "ADMISSION", AdmissionCountsMatchTwice, "FB-24"),
    mutant("abort_leaks_tail", "FREE_AT_LAST_RELEASE", AbortLeaksTail, "FB-39"),
    mutant("start_remembers_match", "MATCH_FRESH", StartRemembersMatch, "FB-26"),
    mutant("decode_wastes_page", "REFINEMENT", DecodeWastesPage, page_size=2),
    mutant("chunk_keeps_own_duplicates", "NO_UAF", ChunkKeepsOwnDuplicates, "FB-19"),
    mutant("chunk_keeps_old_lock", "LOCK_COUNT", ChunkKeepsOldLock),
    mutant("abort_waits_for_others", "FREE_AT_LAST_RELEASE", AbortWaitsForOthers, "FB-15"),
    mutant("finish_frees_used_part", "PAGE_ALIGN", FinishFreesUsedPart, "FB-28", page_size=2),
    mutant("abort_frees_padding", "SLOT_PARTITION", AbortFreesPadding, "FB-29"),
    mutant("refused_start_keeps_page", "SLOT_PARTITION", RefusedStartKeepsPage, "FB-34"),
    mutant("start_publishes_early", "SLOT_PARTITION", StartPublishesEarly, "FB-40"),
    mutant("start_takes_batch_namespace", "ISOLATION", StartTakesBatchNamespace, "FB-70"),
)
