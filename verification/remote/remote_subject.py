"""A cache in another process as a subject: each verb is a message. README.md describes the protocol."""

import gc
import shlex
import weakref
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

from radixcheck.spec.values import Key, Match, Row, Sizes, Ticket, TieredMatch
from radixcheck.verification.core.recorder import RECORDER
from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.core.usage import CannotMake, UsageError
from radixcheck.verification.protocol import Observation, Setup
from radixcheck.verification.remote import parse_answers as answers
from radixcheck.verification.remote.parse_answers import PROTOCOL
from radixcheck.verification.remote.process import Process, ProtocolError, SubjectDied, SubjectLost
from radixcheck.verification.remote.remote_tier import RemoteTiers

START_SECONDS = 120.0  # for the first answer: the interpreter starts, and imports the cache
ANSWER_SECONDS = 10.0
SHOW_SHARE = 0.3  # an observation that is not used costs about a third of a message
LENDING = ("match", "insert", "free", "start", "chunk")  # a free may be the end of an insert
BUSY_MAX = 1  # processes of one command in use, before garbage is collected to get some back: to start one is slow


@dataclass(frozen=True)
class Remote:
    """The factory of a cache that a command serves. Processes are reused: each serves one cache at a time."""

    command: tuple[str, ...]
    start_seconds: float = START_SECONDS
    answer_seconds: float = ANSWER_SECONDS

    def __call__(self, setup: Setup) -> "RemoteSubject":
        """Return an empty cache. Raise `UsageError` if the program has no cache, or has another version of the protocol.

        If the program has served a cache before and fails now, return a subject whose calls raise `SubjectLost`: that is a fault.
        """
        served = _served(self)
        message = {"do": "make", "protocol": PROTOCOL, "page_size": setup.page_size, "policy": setup.policy}
        try:
            process = served.take()
        except SubjectDied as lost:
            raise UsageError(f"{self} {lost}") from lost
        try:
            timeout = served.starting if process.fresh else served.timeout
            with RECORDER.limited_elsewhere() if process.fresh else nullcontext():  # the interpreter starts, and imports the cache
                made = process.ask({**message, "pool": setup.pool.capacity, "device": setup.device, **_host_of(setup)}, timeout)
            self._check(made, setup)
            served.made = made
        except CannotMake:
            served.give(process)
            raise
        except UsageError as wrong:
            process.lose(SubjectLost(str(wrong)))
            raise
        except SubjectLost as lost:
            process.lose(lost)
            if served.made is None:
                fix = ": see the protocol in verification/remote/README.md" if isinstance(lost, ProtocolError) else ""
                raise UsageError(f"{self} {lost}{fix}") from lost
        kind = RemoteWhiteBox if served.made.get("observe") is True else RemoteSubject
        return kind(served, process, RemoteTiers(setup))

    def __str__(self) -> str:
        return shlex.join(self.command)

    def _check(self, made: Mapping[str, Any], setup: Setup) -> None:
        """Raise `UsageError` if there is no cache, or another version of the protocol."""
        if "missing" in made:
            raise UsageError(str(made["missing"]))
        if "error" in made:
            raise CannotMake(f"{self} cannot make a cache for policy {setup.policy}, pages of {setup.page_size}: {answers.raised(made)}")
        if made.get("protocol") != PROTOCOL:
            raise UsageError(f"{self} has protocol {made.get('protocol')!r}, this is protocol {PROTOCOL}")
        answers.supports(made)


class _Served:
    """The processes of one command, and their common time limits and answer to `make`."""

    def __init__(self, remote: Remote) -> None:
        self.command = remote.command
        self.starting, self.timeout = Timeout(remote.start_seconds), Timeout(remote.answer_seconds)
        self.made: dict[str, Any] | None = None  # the last answer to `make`
        self._idle: list[Process] = []
        self._busy = 0

    def take(self) -> Process:
        """Return an idle process, or start one. Raise `SubjectDied` if the command cannot be started."""
        if not self._idle and self._busy >= BUSY_MAX:
            gc.collect()  # a subject that is no longer referenced gives its process back
        process = self._idle.pop() if self._idle else Process(self.command)
        self._busy += 1
        return process

    def give(self, process: Process) -> None:
        """Take a process back. End it if it may still write, which would be read as an answer of the next cache."""
        self._busy -= 1
        if process.quiet:
            self._idle.append(process)
        else:
            process.lose(SubjectLost("was given back"))


_served = cache(_Served)  # equal commands share their processes


class RemoteSubject:
    """A black box: it shows its answers, its sizes and the moves of its pool."""

    def __init__(self, served: _Served, process: Process, tiers: RemoteTiers) -> None:
        assert served.made is not None
        made = served.made
        self._process, self._timeout, self._tiers = process, served.timeout, tiers
        self.supports, self.version = answers.supports(made), str(made.get("version", ""))
        self._sizes, self._host_available = made.get("sizes"), made.get("host_available")
        self._overwrites = made.get("overwrites") is True
        self._last: Mapping[str, Any] = {}  # the answer to the last verb
        self._lends = False  # whether the last verb took or returned slots
        weakref.finalize(self, served.give, process)

    def match(self, key: Key) -> Match[Any]:
        """As `TreeSubject.match`."""
        answer = self._ask("match", **_of(key))
        found = answers.number(answer, "length"), answers.slots(answer), answers.number(answer, "node")
        if not self._tiers.has_host:
            return Match(*found)
        return TieredMatch(*found, answers.number(answer, "host_length"), answers.number(answer, "host_node"))

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
        return self._row(self._ask("start", request=request, **_of(key), priority=priority))

    def chunk(self, request: int) -> Row[Any]:
        """As `RequestSubject.chunk`."""
        return self._row(self._ask("chunk", request=request))

    def decode(self, request: int, token: int) -> tuple[int, ...]:
        """As `RequestSubject.decode`."""
        return answers.slots(self._ask("decode", request=request, token=token))

    def finish(self, request: int) -> None:
        """As `RequestSubject.finish`."""
        self._ask("finish", request=request)

    def abort(self, request: int) -> None:
        """As `RequestSubject.abort`."""
        self._ask("abort", request=request)

    def load_back(self, node: object) -> int:
        """As `HostSubject.load_back`."""
        return answers.number(self._ask("load_back", node=node), "length")

    def backup(self, node: object) -> int:
        """As `HostSubject.backup`."""
        return answers.number(self._ask("backup", node=node), "length")

    def poll(self) -> tuple[Ticket, ...]:
        """As `HostSubject.poll`."""
        return self._tiers.tickets(self._ask("poll"), "tickets")

    def evict_host(self, tokens: int) -> int:
        """As `HostSubject.evict_host`."""
        return answers.number(self._ask("evict_host", tokens=tokens), "length")

    def run(self, request: int) -> None:
        """As `HostSubject.run`."""
        self._ask("run", request=request)

    def sizes(self) -> Sizes:
        """Return the sizes that came with the answer to the last verb."""
        return answers.sizes(self._sizes)

    def host_available(self) -> int:
        """Return the free tokens of the host that came with it."""
        return answers.host_available(self._host_available)

    def overwrite(self) -> bool:
        """Overwrite, in the other process, the slots that the last call took or returned. Return whether there were any."""
        return self._overwrites and self._lends and self._ask("overwrite").get("done") is True

    @property
    def lost(self) -> bool:
        """Return whether the process can no longer be used."""
        return not self._process.alive

    def spent(self) -> float:
        """Return the seconds that the process has spent inside the cache."""
        return float(self._process.ask({"do": "spent"}, self._timeout)["seconds"])

    def _ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Send a verb and return the answer. Raise the typed errors of the cache, and `RemoteError` for any other exception."""
        self._last, self._lends = {}, verb in LENDING
        self._last = answer = self._process.ask({"do": verb, **arguments, **self._tiers.news()}, self._timeout)
        self._sizes = answer.get("sizes", self._sizes)
        self._host_available = answer.get("host_available", self._host_available)
        return self._checked(answer)

    def _row(self, answer: answers.Answer) -> Row[Any]:
        waits = self._tiers.tickets(answer, "waits") if self._tiers.has_host else ()
        return Row(answers.number(answer, "cached"), answers.slots(answer), waits)

    def _checked(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Repeat what the cache did. Raise the exception that the answer describes, if there is one."""
        self._tiers.repeat(answer)
        if "error" in answer:
            raise answers.raised(answer)
        return answer


class RemoteWhiteBox(RemoteSubject):
    """A subject that can be observed.

    An observation is requested with a verb, and saves a message, if the caller has often observed after this verb.
    """

    def __init__(self, served: _Served, process: Process, tiers: RemoteTiers) -> None:
        super().__init__(served, process, tiers)
        self._verb, self._observed = "", False
        self._share: dict[str, float] = {}  # verb -> recent share of calls after which the caller observed

    def observe(self) -> Observation:
        """As `Transparent.observe`."""
        self._observed = True
        return answers.observation(self._last["seen"] if "seen" in self._last else self._look("observe"))

    def locate(self, node: object) -> int | str | None:
        """As `Transparent.locate`. The answer to a match may hold the name already."""
        return answers.name(self._last if "name" in self._last and self._last.get("node") == node else self._look("locate", node=node))

    def _ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        share = self._share.get(self._verb, 0.5)
        self._share[self._verb] = share + (self._observed - share) / 8
        self._verb, self._observed = verb, False
        return super()._ask(verb, **arguments, **({"show": True} if self._share.get(verb, 0.5) > SHOW_SHARE else {}))

    def _look(self, what: str, **arguments: Any) -> dict[str, Any]:
        return self._checked(self._process.ask({"do": what, **arguments}, self._timeout))


def _host_of(setup: Setup) -> dict[str, Any]:
    host_pool, copier = setup.host_pool, setup.copier
    return {} if host_pool is None or copier is None else {"host_pool": host_pool.capacity, "mode": setup.mode}


def _of(key: Key) -> dict[str, Any]:
    return {"tokens": key.tokens, "namespace": key.namespace}
