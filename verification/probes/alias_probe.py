"""The probe of shared storage: containers of slots are overwritten calls after they crossed, also after their slots were freed.

The same operations are performed on two subjects, of which one has its callers' containers overwritten. Whatever differs from then on,
in an answer, a size, a page of the pool or what the subject shows of its inside, is due to that: two more subjects, of which none is
overwritten, must agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from radixcheck.spec.values import Key
from radixcheck.verification.checker.containers import overwrite
from radixcheck.verification.checker.engine import Engine, SubjectFailed
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.lender import Lender
from radixcheck.verification.probes.scenes import Scene
from radixcheck.verification.protocol import Setup

POOL_PAGES = 24  # few enough that freed slots are soon used again
ROUNDS = 6
DELAYS = (0, 1, 3, 0, 7)  # operations between a call and the overwriting of its containers, in turn
INSIDE = "slots of the nodes and requests"
Outcome = dict[str, object]  # what can be seen of one operation, by what it is


class Side:
    """One subject whose containers are kept."""

    def __init__(self, factory: Factory, config: Config) -> None:
        self.lender: Any = None
        self._engine = Engine(self._make(factory), config.policy, config.page_size, config.pool, config.device)
        self._due: list[tuple[int, Any]] = []  # operations until a container is overwritten
        self._count = 0
        self.overwritten = 0

    def _make(self, factory: Factory) -> Factory:
        def made(setup: Setup) -> Lender:
            self.lender = Lender(factory(setup))
            return self.lender  # type: ignore[no-any-return]

        return made

    def perform(self, op: Op) -> Outcome:
        """Perform an operation; return what can be seen of it."""
        engine, answer = self._engine, self._engine.perform(op)
        pool = engine.pool
        return {
            "tokens": answer.length,
            "slots": answer.slots,
            "error": "" if answer.error is None else type(answer.error).__name__,
            "pages allocated": tuple(pool.allocated),
            "pages freed": tuple(pool.freed),
            "errors of the pool": tuple(found.text for found in pool.findings),
            "sizes": _read(engine.sizes),
            INSIDE: _read(self._inside) if engine.has("observe") else (),
        }

    def overwrite_due(self) -> None:
        """Overwrite the containers whose time has come."""
        if hasattr(self.lender, "overwrite"):  # in another process, where only those of the last call are kept
            self.overwritten += bool(self.lender.overwrite())
        for container in self.lender.lent:
            self._due.append((DELAYS[self._count % len(DELAYS)], container))
            self._count += 1
        self.lender.lent.clear()
        self.overwritten += sum(overwrite(container) for left, container in self._due if left == 0)
        self._due = [(left - 1, container) for left, container in self._due if left]

    def _inside(self) -> object:
        seen = self._engine.observe()
        nodes = sorted((str(n.namespace), tuple(n.segment), tuple(n.slots)) for n in seen.nodes)
        return nodes, sorted((h, tuple(r.slots)) for h, r in seen.requests.items())


def _read(look: Any) -> object:
    try:
        return look()
    except SubjectFailed as failed:
        return str(failed)


def probe_alias(factory: Factory, config: Config) -> RunResult:
    """Perform the same operations with and without overwriting."""
    small = replace(config, pool=min(config.pool, POOL_PAGES * config.page_size))
    operations, result = _operations(factory, small), RunResult(runs=1)
    plain, other = Side(factory, small), Side(factory, small)
    for i, op in enumerate(operations):
        expected, found = plain.perform(op), other.perform(op)
        result.steps += 2
        other.overwrite_due()
        if expected != found:
            _judge(factory, small, operations[: i + 1], _difference(op, expected, found), result)
            break
        if expected["error"] not in ("", "NoRoom"):
            break  # it fails without overwriting, too
    if other.overwritten:
        result.tally.count("NO_ALIAS")
    return result


def _judge(factory: Factory, config: Config, trace: Sequence[Op], text: str, result: RunResult) -> None:
    """Record a difference, unless two subjects differ also when nothing is overwritten."""
    one, two = Side(factory, config), Side(factory, config)
    if all(one.perform(op) == two.perform(op) for op in trace):
        result.record([Violation("NO_ALIAS", text)], trace, config)


def _difference(op: Op, expected: Outcome, found: Outcome) -> str:
    name = next(name for name in expected if expected[name] != found[name])
    what = "they changed" if name == INSIDE else f"expected {expected[name]}, found {found[name]}"
    return f"the caller overwrote slots that it had passed in or got back before; after {op.name}, {name}: {what}"


def _operations(factory: Factory, config: Config) -> list[Op]:
    """Return the operations that the subject has."""
    scene = Scene(factory, config)
    return [op for number in range(ROUNDS) for op in _round(scene, number) if scene.can(op.name)]


def _round(scene: Scene, number: int) -> Iterator[Op]:
    """Yield operations that pass slots in and out in each way, and use freed slots again. Odd rounds have keys of their own."""
    first, holder = 1000 * number, 10 * number
    cached = scene.key(3, first if number % 2 else 0)
    longer, half = scene.behind(cached, 2, first + 100), scene.key(2, first if number % 2 else 0)
    tail = Key((*longer.tokens, *scene.key(1, first + 200).tokens, 1))
    yield from _tree_part(cached, longer, half, holder)
    yield from _request_part(tail, holder)
    for key in (cached, longer, half, tail):
        yield Op("match", key)
    yield Op("evict", amount=(2, scene.config.pool)[number % 2])
    yield Op("insert", scene.key(4, first + 300))
    yield Op("match", scene.key(4, first + 300))
    if number == ROUNDS // 2:
        yield Op("reset")


def _tree_part(cached: Key, longer: Key, half: Key, holder: int) -> Iterator[Op]:
    yield Op("insert", cached)
    yield Op("match", cached)
    yield Op("insert", cached)
    yield Op("insert", longer)
    yield Op("alloc", cached, holder + 1)
    yield Op("match", longer)
    yield Op("free", holder=holder + 1)
    yield Op("alloc", half, holder + 1)
    yield Op("alloc", half, holder + 2)
    yield Op("match", half)
    yield Op("free", holder=holder + 2)
    yield Op("evict", amount=1)
    yield Op("free", holder=holder + 1)
    yield Op("insert", longer)


def _request_part(tail: Key, holder: int) -> Iterator[Op]:
    one, two, three = holder + 3, holder + 4, holder + 5
    yield Op("start", tail, one)
    yield Op("start", tail, two)
    yield Op("decode", holder=one, amount=7)
    yield Op("decode", holder=two, amount=7)
    yield Op("chunk", holder=one)
    yield Op("chunk", holder=two)
    yield Op("decode", holder=two, amount=8)
    yield Op("chunk", holder=two)
    yield Op("chunk", holder=one)
    yield Op("finish", holder=one)
    yield Op("start", Key((*tail.tokens, 7, 9)), three)
    yield Op("chunk", holder=two)
    yield Op("finish", holder=two)
    yield Op("chunk", holder=three)
    yield Op("match", tail)
    yield Op("chunk", holder=three)
    yield Op("abort", holder=three)
