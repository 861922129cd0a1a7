"""The engine: calls a cache as a serving engine does, and writes the tokens of a request into its slots.

It judges nothing. It keeps handles, receipts and rows, performs one operation and records the answer. `watch.py` interrupts calls that do
not return.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from math import inf
from typing import Any, NamedTuple, ParamSpec, TypeVar

from radixcheck.spec.events.event_values import Event
from radixcheck.spec.values import CacheError, Key, Sizes
from radixcheck.verification.checker import plain_events, plain_values
from radixcheck.verification.checker.containers import as_ints, joined, overwrite
from radixcheck.verification.checker.hang_timer import HANG_TIMER, CallHung
from radixcheck.verification.core.declared import WrongDeclaration, declared
from radixcheck.verification.core.found import Config, Tier, Violation
from radixcheck.verification.core.printable import error_text, let_interrupt_pass, value_text
from radixcheck.verification.core.recorder import RECORDER
from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.protocol import Observation, SeenEntry, SeenNode, Setup

T = TypeVar("T")
P = ParamSpec("P")

LARGE_POOL, LARGE_POOL_SECONDS = 4_096, 60.0  # pages; a call with a key that fills such a pool takes a second in the specification
FACTORY_SECONDS = 60.0  # to make a cache: it may import much; a cache in a process of its own has a shorter limit
OLD_RECEIPTS = 4  # kept, of locks that were released
LENT_MAX = 16  # containers that are kept to be overwritten
OPTIONAL = ("observe", "locate", "observe_path", "observe_entry", "storage", "overwrite", "lost", "take_events")


class BaseExceptionRaised(Exception):
    """A subject raised an exception that ends a process, as SystemExit."""


def caught(error: Exception) -> Exception:
    """Return an exception of a subject without its traceback, whose frames would keep the subject, and its process, alive."""
    return Exception.with_traceback(error, None)


class Answer(NamedTuple):
    """The result of one call."""

    length: int | None = None  # tokens: of a match, peek, insert (cached already), start (cached), evict (freed)
    slots: tuple[int, ...] | None = None  # of a match, alloc, start, chunk, decode
    error: Exception | None = None
    # Of a cache with a host tier:
    host_length: int | None = None  # tokens: of a match, what only the host has behind its length
    moved: int | None = None  # tokens: of a load_back, a backup, for which copies were issued
    tickets: tuple[int, ...] = ()  # numbers: of a poll, the copies that it handled; of a start, a chunk, those for which the row waits

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
        return "" if self.error is None else error_text(self.error)


class SubjectFailed(Exception):
    """`observe`, `sizes`, `locate` or `overwrite` of a subject raised an error, or returned a value that cannot be read."""


def _read_from(read: Callable[[Any], T], subject: Any, name: str, args: Sequence[Any]) -> T:
    return read(getattr(subject, name)(*args))


def _typed(answer: Answer) -> Answer:
    """Raise TypeError if an answer is not of the protocol's types."""
    for tokens in (answer.length, answer.host_length, answer.moved):
        if tokens is not None and (type(tokens) is not int or abs(tokens) > plain_values.NUMBER_MAX):
            raise TypeError(f"expected a number of tokens, found {value_text(tokens)}")
    if answer.slots is not None and not set(map(type, answer.slots)) <= {int}:
        raise TypeError(f"expected slots, each an int; found {value_text(answer.slots)}")
    if answer.slots and not -plain_values.NUMBER_MAX <= min(answer.slots) <= max(answer.slots) <= plain_values.NUMBER_MAX:
        raise ValueError("expected slots, each an int of 64 bits; found a larger one")
    return answer


class Engine:
    """One subject, its pool, and what a serving engine keeps for its calls."""

    def __init__(
        self,
        factory: Any,
        policy: str,
        page_size: int,
        pool_tokens: int,
        device: str = "cpu",
        tier: Tier | None = None,
        events: bool = False,
    ) -> None:
        """`events`: the cache is to emit KV events, if it can."""
        self.page_size, self._events = page_size, events
        self._config, self._factory = Config(policy, page_size, pool_tokens, device, *(tier or ())), factory
        self.pool, setup = self._setup()
        self.subject = self._made(factory, setup)
        large = pool_tokens // page_size > LARGE_POOL
        remote = self.has("lost")  # `remote/` has a timeout of its own
        self._timeout = Timeout(inf) if remote else Timeout(LARGE_POOL_SECONDS) if large else HANG_TIMER.timeout(self.subject)
        self._plain_nodes = plain_values.PlainNodes()
        self.shows_objects = False  # it has shown names that are objects of its own, whose comparison may raise anything
        self.handles: dict[Key, Any] = {}  # from the last match of each key
        self.receipts: dict[int, Any] = {}  # of locks, by holder
        self.released: Any = None  # the last receipt that was unlocked
        self.old_handles: dict[Key, Any] = {}  # from before the last reset
        self.old_receipts: dict[int, Any] = {}  # the last of those that were unlocked before the last reset
        self._unlocked: dict[int, Any] = {}  # the last of those that were unlocked since
        self.loans: dict[int, Any] = {}  # slots from `alloc`, by holder
        self.container: Any = list  # the type of container that the subject uses for slots
        self.lent: deque[Any] = deque(maxlen=LENT_MAX)  # containers of slots passed or returned: the caller may overwrite them

    def _setup(self) -> tuple[WatchedPool, Setup]:
        """Return a pool, and what the factory is given."""
        c = self._config
        pool = WatchedPool(c.pool, c.page_size)
        return pool, Setup(c.page_size, c.policy, pool, c.device, events=self._events)

    def _made(self, factory: Any, setup: Setup) -> Any:
        """Return a fresh cache. Raise UsageError if the factory raises: `supports` declares this configuration."""
        self._record = RECORDER.began(getattr(factory, "name", ""), self._config)
        try:
            made = self._watched(Timeout(FACTORY_SECONDS), factory, setup)
            self._has = {name for name in OPTIONAL if hasattr(made, name)}
            self.supports = declared(made)
        except UsageError:
            raise
        except WrongDeclaration as wrong:
            raise UsageError(f"expected a cache for {self._config}; {wrong}") from wrong
        except Exception as error:
            text = error_text(error)
            raise UsageError(f"expected a cache for {self._config}, which it declares to support; its factory raised {text}") from error
        return made

    @property
    def findings(self) -> list[Violation]:
        """What the instruments of the engine found in this operation."""
        return self.pool.findings

    def begin(self) -> None:
        """Start the record of a new operation."""
        self.pool.begin()

    def has(self, name: str) -> bool:
        """Return whether the subject has an optional method."""
        return name in self._has

    def perform(self, op: Op) -> Answer:
        """Call the subject. An exception is an answer too."""
        self.begin()
        RECORDER.operation(self._record, op)
        try:
            answer = _typed(self.call(getattr(self, "_" + op.name), op))
        except Exception as error:
            return Answer(error=caught(error))
        return answer

    def attempt(self, op: Op, call: Callable[[], object]) -> Answer:
        """Make a call that should be refused. Its result does not matter."""
        self.begin()
        RECORDER.operation(self._record, op)
        try:
            self.call(call)
        except Exception as error:
            return Answer(error=caught(error))
        return Answer()

    def record_from(self, before: Trace) -> None:
        """Record the operations of this subject anew, after those performed `before`: for an engine that is a copy of another."""
        self._record = RECORDER.began(getattr(self.subject, "name", ""), self._config, before)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function of the subject; return or raise what it does. Raise TimeoutError if it does not return in time."""
        return self._watched(self._timeout, function, *args, **kwargs)

    def _watched(self, timeout: Timeout, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        seconds = timeout.seconds
        RECORDER.call()
        try:
            return HANG_TIMER.call(timeout, function, *args, **kwargs)
        except CallHung:
            raise TimeoutError(f"it did not return within {seconds:g} s") from None
        except Exception:
            raise
        except BaseException as error:
            let_interrupt_pass(error)
            raise BaseExceptionRaised(error_text(error)) from None
        finally:
            RECORDER.returned()

    @cached_property
    def another(self) -> Any:
        """Another cache of the same kind, with a pool of its own."""
        _, setup = self._setup()
        return self._factory(setup)

    @property
    def lost(self) -> bool:
        """Whether the process of the subject has ended or hangs, so that no more calls are possible."""
        try:
            return self.has("lost") and self.subject.lost is True
        except BaseException as error:
            let_interrupt_pass(error)
            return False

    def ask(self, read: Callable[[Any], T], name: str, *args: Any) -> T:
        """Call a method of the subject that shows its inside, and `read` the answer. Raise SubjectFailed if one of them raises."""
        try:
            return self.call(_read_from, read, self.subject, name, args)
        except plain_values.Unreadable as error:
            raise SubjectFailed(f"{name}() returned what cannot be read: {error}") from error
        except Exception as error:
            raise SubjectFailed(f"{name}() raised {error_text(error)}") from error

    def sizes(self) -> Sizes:
        """Return the sizes that the subject reports. Raise SubjectFailed."""
        return self.ask(plain_values.sizes, "sizes")

    def observe(self) -> Observation:
        """Return the observation of the subject. Raise SubjectFailed."""
        seen = self.ask(partial(plain_values.observation, read_nodes=self._plain_nodes), "observe")
        self.shows_objects = self.shows_objects or not plain_values.has_plain_names(seen)
        return seen

    def observe_path(self, key: Key) -> Sequence[SeenNode]:
        """Return the nodes on the path of a key. Raise SubjectFailed."""
        seen = self.ask(self._plain_nodes, "observe_path", key)
        self.shows_objects = self.shows_objects or not plain_values.are_plain_names(seen)
        return seen

    def observe_entry(self, key: Key) -> SeenEntry | None:
        """Return the entry of the heap for the node at which a key ends. Raise SubjectFailed."""
        return self.ask(plain_values.optional_entry, "observe_entry", key)

    def locate(self, handle: Any) -> Any:
        """Return the name of the node to which a handle belongs. Raise SubjectFailed."""
        found = self.ask(plain_values.name, "locate", handle)
        self.shows_objects = self.shows_objects or type(found) not in plain_values.PLAIN
        return found

    def take_events(self) -> Sequence[Event]:
        """Return the KV events of the subject since the last call. Raise SubjectFailed."""
        return self.ask(plain_events.events, "take_events")

    def storage(self) -> int:
        """Return the bytes of slot storage that the nodes keep alive. Raise SubjectFailed."""
        return self.ask(plain_values.bytes_kept, "storage")

    def _match(self, op: Op) -> Answer:
        match = self.subject.match(op.key)
        self.handles[op.key] = match.node
        answer = Answer(match.length, as_ints(match.slots))
        self.lent.append(match.slots)
        return answer

    def _peek(self, op: Op) -> Answer:
        return Answer(self.subject.peek(op.key))

    def _insert(self, op: Op) -> Answer:
        """Allocate, write, insert, and free the slots that the caller still owns: the duplicates and the unaligned tail."""
        slots = self._slots_for(op)
        self.container = getattr(slots, "new_tensor", list)
        listed = as_ints(slots)
        self._write(slots, op.key)
        present = self.subject.insert(op.key, slots, op.priority)
        whole = op.key.whole_pages(self.page_size)
        try:
            for own in (slots[:present], slots[whole:]):
                if len(own):
                    self.subject.free(own)
        except Exception as error:  # a wrong `present` lets the caller free slots of the tree
            return Answer(present, listed, caught(error))
        self.lent.append(slots)
        return Answer(present, listed)

    def _slots_for(self, op: Op) -> Any:
        """Return slots for all tokens of a key: those of the loans, then allocated ones."""
        lent = [self.loans.pop(h) for h in op.loans]
        missing = len(op.key.tokens) - sum(map(len, lent))
        if missing > 0 or not lent:
            lent.append(self.subject.alloc(missing))
        return joined(lent)

    def _lock(self, op: Op) -> Answer:
        handle = self.handles[op.key] if op.key in self.handles else self.old_handles[op.key]
        self.receipts[op.holder] = self.subject.lock(handle)
        return Answer()

    def _unlock(self, op: Op) -> Answer:
        if op.holder not in self.receipts:
            self.subject.unlock(self.old_receipts[op.holder])
            return Answer()
        self._unlocked.pop(op.holder, None)  # the order of the keys is that of the unlocks
        self.released = self._unlocked[op.holder] = self.receipts.pop(op.holder)
        if len(self._unlocked) > OLD_RECEIPTS:
            del self._unlocked[next(iter(self._unlocked))]
        self.subject.unlock(self.released)
        return Answer()

    def _evict(self, op: Op) -> Answer:
        return Answer(self.subject.evict(op.amount))

    def _alloc(self, op: Op) -> Answer:
        slots = self.subject.alloc(len(op.key.tokens))
        self.loans[op.holder] = slots
        return Answer(slots=as_ints(slots))

    def _free(self, op: Op) -> Answer:
        if op.amount:
            slots = self.loans[op.holder]
            self.loans[op.holder], given = slots[: -op.amount], slots[-op.amount :]
        else:
            given = joined([self.loans.pop(h) for h in op.loans or (op.holder,)])
        self.subject.free(given)
        return Answer()

    def _start(self, op: Op) -> Answer:
        return self._row(self.subject.start(op.holder, op.key, op.priority))

    def _chunk(self, op: Op) -> Answer:
        return self._row(self.subject.chunk(op.holder))

    def _row(self, row: Any) -> Answer:
        answer = Answer(row.cached, as_ints(row.slots))
        self.lent.append(row.slots)
        return answer

    def _decode(self, op: Op) -> Answer:
        return Answer(slots=as_ints(self.subject.decode(op.holder, op.amount)))

    def _end(self, op: Op) -> Answer:
        getattr(self.subject, op.name)(op.holder)
        return Answer()

    _finish = _abort = _end

    def _reset(self, op: Op) -> Answer:
        self.subject.reset()
        self.old_handles, self.handles = self.handles, {}
        self.old_receipts, self._unlocked = self._unlocked, {}
        return Answer()

    def _write(self, slots: Any, key: Key) -> None:
        """Report the tokens written into slots to a subject that keeps content tags, as a kernel would write them."""
        written = getattr(self.subject, "written", None)
        if written is not None:
            written(slots, key)

    def overwrite_lent(self) -> bool:
        """Overwrite every container in `lent`, as a caller that reuses its buffers does. Return whether there was one to overwrite."""
        if self.has("overwrite"):
            return self.ask(bool, "overwrite")
        try:
            done = self.call(lambda: sum(map(overwrite, self.lent)) > 0)
        except Exception as error:
            raise SubjectFailed(f"slots that it returned cannot be overwritten: {error_text(error)}") from error
        self.lent.clear()
        return done
