"""The engine: it plays the part of the serving engine that calls a cache, and writes the tokens of a request into its slots.

It knows nothing of what is right. It keeps handles, receipts and rows, performs one operation and records what was answered.
"""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple, ParamSpec, TypeVar

from radixcheck.spec.values import CacheError, Key, Sizes
from radixcheck.verification.checker.watch import WATCH, CallHung
from radixcheck.verification.core.timeouts import Patience
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Observation, Setup

T = TypeVar("T")
P = ParamSpec("P")


class Answer(NamedTuple):
    """What one call gave back."""

    length: int | None = None  # tokens: of a match, peek, insert (present already), start (cached), evict (freed)
    slots: tuple[int, ...] | None = None  # of a match, alloc, start, chunk, decode
    error: Exception | None = None

    @property
    def refused(self) -> bool:
        """Whether the subject refused with a typed error."""
        return isinstance(self.error, CacheError)

    @property
    def failed(self) -> bool:
        """Whether the call ended with an error that is no refusal: a crash, or an insert whose duplicates could not be freed."""
        return self.error is not None and (self.length is not None or not self.refused)

    @property
    def error_text(self) -> str:
        """The type and the message of the error."""
        return f"{type(self.error).__name__}: {self.error}"


def as_ints(slots: Any) -> tuple[int, ...]:
    """Slots as integers, whatever container they came in (a list, an array, a tensor)."""
    listed = slots.tolist() if hasattr(slots, "tolist") else slots
    return tuple(listed) if isinstance(listed, Sequence) else (listed,)


class SubjectFailed(Exception):
    """What shows a subject's inside or its sizes raised, or showed something that no cache can mean."""


def _sound(answer: Answer) -> Answer:
    """Raise TypeError for an answer that is not of the protocol's types."""
    if answer.length is not None and type(answer.length) is not int:
        raise TypeError(f"{answer.length!r} is not a number of tokens")
    if answer.slots is not None and not set(map(type, answer.slots)) <= {int}:
        raise TypeError(f"{answer.slots!r} are not slots")
    return answer


class Engine:
    """One subject, its pool, and what its callers keep."""

    def __init__(self, factory: Any, policy: str, page_size: int, pool_tokens: int, device: str = "cpu") -> None:
        self.pool = WatchedPool(pool_tokens, page_size)
        self.page_size = page_size
        self.subject = factory(Setup(page_size, policy, self.pool, device))
        self._patience = Patience(inf) if hasattr(self.subject, "lost") else WATCH.patience(self.subject)  # the first is watched elsewhere
        self.handles: dict[Key, Any] = {}  # of the last match of a key
        self.receipts: dict[int, Any] = {}
        self.released: Any = None  # the receipt released last
        self.loans: dict[int, Any] = {}
        self.container: Any = list  # makes the container of slots that this subject uses
        self.lent: list[Any] = []  # containers that crossed the border in this call: the caller may overwrite them

    def perform(self, op: Op) -> Answer:
        """Call the subject; an exception is an answer."""
        self.pool.begin()
        self.lent = []
        try:
            answer = _sound(self.call(getattr(self, "_" + op.name), op))
        except Exception as error:  # whatever a subject raises is what it answered
            return Answer(error=error.with_traceback(None))  # whose frames would keep the subject, and its process, alive
        return answer

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function of the subject returns or raises. Raises `TimeoutError` for one that does not come back."""
        seconds = self._patience.seconds
        try:
            return WATCH.call(self._patience, function, *args, **kwargs)
        except CallHung:
            raise TimeoutError(f"it did not return within {seconds:.3g} s") from None

    @property
    def lost(self) -> bool:
        """Whether the subject, in another process, cannot be asked any more."""
        return getattr(self.subject, "lost", False) is True

    def sizes(self) -> Sizes:
        """What the subject says of its sizes."""
        try:
            sizes: Sizes = self.call(self.subject.sizes)
            return sizes if type(sizes) is Sizes else Sizes(sizes.available, sizes.evictable, sizes.protected)
        except Exception as error:  # whatever a subject raises
            raise SubjectFailed(f"sizes() raised {type(error).__name__}: {error}") from error

    def observe(self) -> Observation:
        """What the subject shows of its inside."""
        try:
            seen: Observation = self.call(self.subject.observe)
            return seen
        except Exception as error:  # whatever a subject raises
            raise SubjectFailed(f"observe() raised {type(error).__name__}: {error}") from error

    def locate(self, handle: Any) -> Any:
        """The node that the subject says a handle stands for."""
        try:
            return self.call(self.subject.locate, handle)
        except Exception as error:  # whatever a subject raises
            raise SubjectFailed(f"locate() raised {type(error).__name__}: {error}") from error

    def _match(self, op: Op) -> Answer:
        match = self.subject.match(op.key)
        self.handles[op.key] = match.node
        answer = Answer(match.length, as_ints(match.slots))
        self.lent.append(match.slots)
        return answer

    def _peek(self, op: Op) -> Answer:
        return Answer(self.subject.peek(op.key))

    def _insert(self, op: Op) -> Answer:
        """Allocate, write, insert, and free what the caller still owns: the duplicates, and the page of the unaligned tail."""
        slots = self.subject.alloc(len(op.key.tokens))
        self.container = getattr(slots, "new_tensor", list)
        listed = as_ints(slots)
        self._write(slots, op.key)
        present = self.subject.insert(op.key, slots, op.priority)
        whole = op.key.whole_pages(self.page_size)
        try:
            for own in (slots[:present], slots[whole:]):
                if len(own):
                    self.subject.free(own)
        except Exception as error:  # what was said to be present may not be the caller's
            return Answer(present, listed, error.with_traceback(None))
        self.lent.append(slots)
        return Answer(present, listed)

    def _lock(self, op: Op) -> Answer:
        self.receipts[op.holder] = self.subject.lock(self.handles[op.key])
        return Answer()

    def _unlock(self, op: Op) -> Answer:
        self.released = self.receipts.pop(op.holder)
        self.subject.unlock(self.released)
        return Answer()

    def _evict(self, op: Op) -> Answer:
        return Answer(self.subject.evict(op.amount))

    def _alloc(self, op: Op) -> Answer:
        slots = self.subject.alloc(len(op.key.tokens))
        self.loans[op.holder] = slots
        return Answer(slots=as_ints(slots))

    def _free(self, op: Op) -> Answer:
        self.subject.free(self.loans.pop(op.holder))
        return Answer()

    def _start(self, op: Op) -> Answer:
        row = self.subject.start(op.holder, op.key, op.priority)
        answer = Answer(row.cached, as_ints(row.slots))
        self.lent.append(row.slots)
        return answer

    def _chunk(self, op: Op) -> Answer:
        row = self.subject.chunk(op.holder)
        answer = Answer(row.cached, as_ints(row.slots))
        self.lent.append(row.slots)
        return answer

    def _decode(self, op: Op) -> Answer:
        return Answer(slots=as_ints(self.subject.decode(op.holder, op.amount)))

    def _finish(self, op: Op) -> Answer:
        self.subject.finish(op.holder)
        return Answer()

    def _abort(self, op: Op) -> Answer:
        self.subject.abort(op.holder)
        return Answer()

    def _reset(self, op: Op) -> Answer:
        self.subject.reset()
        self.handles.clear()
        return Answer()

    def _write(self, slots: Any, key: Key) -> None:
        """The engine computes a key's tokens into slots; a subject that keeps content tags is told, as a kernel would write them."""
        written = getattr(self.subject, "written", None)
        if written is not None:
            written(slots, key)

    def overwrite_lent(self) -> bool:
        """Overwrite every container that crossed the border, as a caller that reuses its buffers does."""
        overwrite = getattr(self.subject, "overwrite", None)
        if overwrite is not None:
            try:
                return bool(self.call(overwrite))
            except Exception as error:  # whatever a subject raises
                raise SubjectFailed(f"overwrite() raised {type(error).__name__}: {error}") from error
        done = False
        for container in self.lent:
            if isinstance(container, list):
                container[:] = [-1] * len(container)
                done = True
            elif hasattr(container, "fill_"):
                container.fill_(-1)
                done = True
        return done
