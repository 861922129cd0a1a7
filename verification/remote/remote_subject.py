"""A cache in another process as a subject: each verb is a message."""

import gc
import shlex
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from radixcheck.spec.values import Key, Match, Row, Sizes
from radixcheck.verification.core.timeouts import Patience
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.protocol import Observation, Setup
from radixcheck.verification.remote import parse_answers as answers
from radixcheck.verification.remote.parse_answers import PROTOCOL
from radixcheck.verification.remote.process import Process, SubjectBabbled, SubjectDied, SubjectLost

START_SECONDS = 120.0  # for the first answer: an interpreter, and what the cache imports
ANSWER_SECONDS = 10.0
SHOWN_SHARE = 0.3  # to show the inside in vain costs about a third of a message more
LENDING = ("match", "insert", "free", "start", "chunk")  # an insert ends with the caller freeing what was present already
TOGETHER = 1  # processes of one command in one process of ours, before garbage is collected to get some back: starting one is slow


@dataclass(frozen=True)
class Remote:
    """The factory of a cache that a command serves. Processes are kept and used again: each serves one cache at a time."""

    command: tuple[str, ...]
    start_seconds: float = START_SECONDS
    answer_seconds: float = ANSWER_SECONDS

    def __call__(self, setup: Setup) -> "RemoteSubject":
        """A fresh cache. Raises `UsageError` if there is none to serve, or it speaks another protocol.

        A program that has served before and now does not, is a subject whose every call says so: that is a fault like another.
        """
        served = _served(self)
        asked = {"do": "make", "protocol": PROTOCOL, "page_size": setup.page_size, "policy": setup.policy}
        try:
            process = served.take()
        except SubjectDied as lost:
            raise UsageError(f"{self} {lost}") from lost
        try:
            patience = served.starting if process.fresh else served.patience
            made = process.ask({**asked, "pool": setup.pool.capacity, "device": setup.device}, patience)
            self._agree(made, setup)
            served.made = made
        except UsageError as wrong:
            process.lose(SubjectLost(str(wrong)))
            raise
        except SubjectLost as lost:
            process.lose(lost)
            if served.made is None:
                mend = ": the protocol is in verification/remote/README.md" if isinstance(lost, SubjectBabbled) else ""
                raise UsageError(f"{self} {lost}{mend}") from lost
        kind = RemoteWhiteBox if served.made.get("observe") is True else RemoteSubject
        return kind(served, process, setup.pool)

    def __str__(self) -> str:
        return shlex.join(self.command)

    def _agree(self, made: Mapping[str, Any], setup: Setup) -> None:
        """Raises `UsageError` if there is no cache, or one of another protocol."""
        if "missing" in made:
            raise UsageError(str(made["missing"]))
        if "error" in made:
            raise UsageError(f"{self} cannot make a cache for policy {setup.policy}, pages of {setup.page_size}: {answers.raised(made)}")
        if made.get("protocol") != PROTOCOL:
            raise UsageError(f"{self} speaks protocol {made.get('protocol')!r}, this is protocol {PROTOCOL}")
        answers.supports(made)


class _Served:
    """The processes of one command, those that serve nothing at present first, and what all of them have in common."""

    def __init__(self, remote: Remote) -> None:
        self.command = remote.command
        self.starting, self.patience = Patience(remote.start_seconds), Patience(remote.answer_seconds)
        self.made: dict[str, Any] | None = None  # what a cache was last said to be
        self._idle: list[Process] = []
        self._busy = 0

    def take(self) -> Process:
        """One that is idle, or a new one. Raises `SubjectDied` if there is no such program."""
        if not self._idle and self._busy >= TOGETHER:
            gc.collect()  # a subject that nobody uses any more gives its process back
        process = self._idle.pop() if self._idle else Process(self.command)
        self._busy += 1
        return process

    def give(self, process: Process) -> None:
        """It is needed no more. One that still speaks would answer for the next cache too."""
        self._busy -= 1
        if process.quiet:
            self._idle.append(process)
        else:
            process.lose(SubjectLost("was given back"))


_served = cache(_Served)  # of equal commands the same


class RemoteSubject:
    """A black box: its answers, its sizes, and what passes through its pool."""

    def __init__(self, served: _Served, process: Process, pool: Any) -> None:
        assert served.made is not None
        made = served.made
        self._process, self._patience, self._pool = process, served.patience, pool
        self.supports, self.version = answers.supports(made), str(made.get("version", ""))
        self._sizes: Any = made.get("sizes")
        self._overwrites = made.get("overwrites") is True
        self._said: Mapping[str, Any] = {}  # to the last verb
        self._lends = False  # whether slots crossed the border with it
        weakref.finalize(self, served.give, process)

    def match(self, key: Key) -> Match[Any]:
        """As `TreeSubject.match`."""
        said = self._ask("match", **_of(key))
        return Match(answers.number(said, "length"), answers.slots(said), answers.number(said, "node"))

    def peek(self, key: Key) -> int:
        """As `TreeSubject.peek`."""
        return answers.number(self._ask("peek", **_of(key)), "length")

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """As `TreeSubject.insert`."""
        return answers.number(self._ask("insert", **_of(key), slots=slots, priority=priority), "length")

    def lock(self, node: object) -> int:
        """As `TreeSubject.lock`."""
        return answers.number(self._ask("lock", node=node), "receipt")

    def unlock(self, receipt: object) -> None:
        """As `TreeSubject.unlock`."""
        self._ask("unlock", receipt=receipt)

    def evict(self, tokens: int) -> int:
        """As `TreeSubject.evict`."""
        return answers.number(self._ask("evict", tokens=tokens), "length")

    def alloc(self, tokens: int) -> tuple[int, ...]:
        """As `TreeSubject.alloc`."""
        return answers.slots(self._ask("alloc", tokens=tokens))

    def free(self, slots: Sequence[int]) -> None:
        """As `TreeSubject.free`."""
        self._ask("free", slots=slots)

    def reset(self) -> None:
        """As `TreeSubject.reset`."""
        self._ask("reset")

    def start(self, request: int, key: Key, priority: int = 0) -> Row[Any]:
        """As `RequestSubject.start`."""
        said = self._ask("start", request=request, **_of(key), priority=priority)
        return Row(answers.number(said, "cached"), answers.slots(said))

    def chunk(self, request: int) -> Row[Any]:
        """As `RequestSubject.chunk`."""
        said = self._ask("chunk", request=request)
        return Row(answers.number(said, "cached"), answers.slots(said))

    def decode(self, request: int, token: int) -> tuple[int, ...]:
        """As `RequestSubject.decode`."""
        return answers.slots(self._ask("decode", request=request, token=token))

    def finish(self, request: int) -> None:
        """As `RequestSubject.finish`."""
        self._ask("finish", request=request)

    def abort(self, request: int) -> None:
        """As `RequestSubject.abort`."""
        self._ask("abort", request=request)

    def sizes(self) -> Sizes:
        """As they were after the last verb, with whose answer they came."""
        return answers.sizes(self._sizes)

    def overwrite(self) -> bool:
        """Overwrite, over there, what crossed the border in the last call; whether there was anything."""
        return self._overwrites and self._lends and self._ask("overwrite").get("done") is True

    @property
    def lost(self) -> bool:
        """Whether the process cannot be asked any more."""
        return not self._process.alive

    def spent(self) -> float:
        """Seconds that the process has spent inside the cache so far."""
        return float(self._process.ask({"do": "spent"}, self._patience)["seconds"])

    def _ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """One verb and its answer. Raises the typed errors of the cache, and `RemoteError` for what else it raised."""
        self._said, self._lends = {}, verb in LENDING
        self._said = said = self._process.ask({"do": verb, **arguments}, self._patience)
        self._sizes = said.get("sizes", self._sizes)
        return self._believed(said)

    def _believed(self, said: dict[str, Any]) -> dict[str, Any]:
        """An answer, once its pool has moved and it is no error."""
        for taken, slots in answers.moves(said):
            (self._pool.note_alloc if taken else self._pool.note_free)(slots)
        if "error" in said:
            raise answers.raised(said)
        return said


class RemoteWhiteBox(RemoteSubject):
    """It shows its inside too: when asked, or with the answer to a verb after which its caller often looks inside (one message less)."""

    def __init__(self, served: _Served, process: Process, pool: Any) -> None:
        super().__init__(served, process, pool)
        self._verb, self._looked = "", False
        self._share: dict[str, float] = {}  # of each verb: how often its caller looked inside after it, lately

    def observe(self) -> Observation:
        """As `Transparent.observe`."""
        self._looked = True
        return answers.observation(self._said["seen"] if "seen" in self._said else self._look("observe"))

    def locate(self, node: object) -> int | str | None:
        """As `Transparent.locate`. An answer with a node may name it."""
        return answers.name(self._said if "name" in self._said and self._said.get("node") == node else self._look("locate", node=node))

    def _ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        share = self._share.get(self._verb, 0.5)
        self._share[self._verb] = share + (self._looked - share) / 8
        self._verb, self._looked = verb, False
        return super()._ask(verb, **arguments, **({"show": True} if self._share.get(verb, 0.5) > SHOWN_SHARE else {}))

    def _look(self, what: str, **arguments: Any) -> dict[str, Any]:
        return self._believed(self._process.ask({"do": what, **arguments}, self._patience))


def _of(key: Key) -> dict[str, Any]:
    return {"tokens": key.tokens, "namespace": key.namespace}
