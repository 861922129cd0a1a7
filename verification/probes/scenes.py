"""A scene: a fresh subject, and the operations performed on it by a probe."""

from collections.abc import Callable
from typing import Any

from radixcheck.spec.values import CacheError, Key, Namespace
from radixcheck.verification.checker.engine import Answer, Engine
from radixcheck.verification.checker.host_engine import HostEngine
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.growth import FACTOR, too_steep
from radixcheck.verification.probes.lines import lines_run


class NotRefused(Exception):
    """A call that a subject may refuse was accepted, or raised an error that is no refusal: what follows is not judged."""


class Scene:
    """A fresh subject, and the operations performed on it so far."""

    def __init__(self, factory: Factory, config: Config) -> None:
        arguments = (factory, config.policy, config.page_size, config.pool, config.device)
        self.engine = HostEngine(*arguments, config.tier) if config.tier else Engine(*arguments)
        self.subject = self.engine.subject
        self.config = config
        self.trace: list[Op] = []
        self.holders = 0

    def can(self, *operations: str) -> bool:
        """Return whether the subject supports all of these operations."""
        supports = self.engine.supports
        return set(operations) <= {*supports.operations, *(supports.host_operations if self.config.tier else ())}

    @property
    def instruments(self) -> tuple[object, ...]:
        """What the checker gave to the subject: it is not part of what the subject keeps."""
        engine = self.engine
        return engine.pool, *((engine.host_pool, engine.copier) if isinstance(engine, HostEngine) else ())

    def do(self, op: Op) -> Answer:
        """Perform an operation. Raise whatever the subject raises."""
        self.trace.append(op)
        answer = self.engine.perform(op)
        if answer.error is not None:
            answer.error.trace = tuple(self.trace)  # type: ignore[attr-defined]  # for whoever reports it
            raise answer.error
        return answer

    def refused(self, op: Op) -> None:
        """Perform an operation that the subject must refuse. Raise NotRefused if it does not."""
        self.trace.append(op)
        if not self.engine.perform(op).refused:
            raise NotRefused(str(op))

    def refused_call(self, name: str, call: Callable[[], Any]) -> None:
        """Make a call that is no operation and must be refused. Raise NotRefused if it is not."""
        self.trace.append(Op(name))
        try:
            self.engine.call(call)
        except CacheError:
            return
        except Exception as error:
            raise NotRefused(name) from error
        raise NotRefused(name)

    def lines(self, op: Op) -> int:
        """Perform an operation; return how many lines of Python it executes."""
        return lines_run(lambda: self.do(op))

    def key(self, pages: int, first: int = 0, namespace: Namespace = ()) -> Key:
        """Return a key of so many distinct pages. Keys with different first pages share nothing."""
        size = self.config.page_size
        return Key(tuple(first + page for page in range(pages) for _ in range(size)), namespace)

    def behind(self, key: Key, pages: int, first: int) -> Key:
        """Return a key with so many pages behind those of another."""
        return Key((*key.tokens, *self.key(pages, first).tokens), key.namespace)

    def chain(self, pages: int) -> None:
        """Make a chain of one-page nodes: insert a long key, and match shorter and shorter parts of it."""
        self.do(Op("insert", self.key(pages)))
        for cut in range(pages - 1, 0, -1):
            self.do(Op("match", self.key(cut)))

    def cache(self, key: Key) -> None:
        """Insert a key, by a request where the subject has no insert."""
        if self.can("insert"):
            self.do(Op("insert", key))
        else:
            self.do(Op("finish", holder=self.start(key)))

    def evict_all(self) -> None:
        """Evict as many tokens as the pool has."""
        self.do(Op("evict", amount=self.config.pool))

    def holder(self) -> int:
        """Return a name for a new request, lock or loan."""
        self.holders += 1
        return self.holders

    def lock(self, key: Key) -> int:
        """Match a key and lock its node; return the holder."""
        holder = self.holder()
        self.do(Op("match", key))
        self.do(Op("lock", key, holder))
        return holder

    def start(self, key: Key) -> int:
        """Start a request; return its name."""
        holder = self.holder()
        self.do(Op("start", key, holder))
        return holder


def judge(result: RunResult, scene: Scene, property_: str, broken: str, trace: tuple[Op, ...] = ()) -> None:
    """Record a check. `broken`: the text of the violation, empty if there is none. `trace`: what shows it, if not all operations."""
    result.tally.count(property_)
    result.steps += len(scene.trace)
    if broken:
        result.record([Violation(property_, broken)], trace or scene.trace, scene.config)


def judge_growth(result: RunResult, property_: str, name: str, counted: Callable[[int], tuple[int, Scene]], size: int, unit: str) -> None:
    """Record a check that the lines of a call grow no faster than twice its input. `counted` returns them, and the scene, for a size."""
    few, _ = counted(size)
    many, scene = counted(FACTOR * size)
    judge(result, scene, property_, too_steep(name, (few, many), size, unit))
