"""Probes: memory, depth and cost, which random runs do not reach, measured by counting and never by a clock.

A probe performs fixed operations on a fresh subject. If the subject lacks an operation, the probe is left out and its property stays
unchecked. The pool must hold `POOL_PAGES` pages.
"""

import gc
import sys
import sysconfig
from collections.abc import Callable, Iterable
from functools import cache, partial
from os.path import dirname
from types import BuiltinFunctionType, FrameType, FunctionType, ModuleType
from typing import Any

from radixcheck.spec.values import Key
from radixcheck.verification.checker.blame import of_crash
from radixcheck.verification.checker.engine import Engine
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import REQUEST_OPERATIONS, Op
from radixcheck.verification.search.run import RunResult

SCENES = {"insert", "match", "lock", "unlock", "evict"}  # the operations of all probes
POOL_PAGES = 4096
NAMESPACES = 1_200  # cut to 16 bits, two of them are equal with a probability of 0.99998
DEPTH_PAGES = 1_500  # of a chain: more than the depth of calls that Python allows by default
RECURSION_LIMIT = 1_000  # that default
FACTOR = 4  # between the sizes of two probes
COST_MAX = 8  # times the steps allowed at FACTOR times the size: twice the linear growth
SLOT_BYTES = 8
STORAGE_MAX = 4  # bytes of slot storage for each byte needed
STORAGE_SLACK = 4096  # bytes


class Probe:
    """A fresh subject, and the operations performed on it so far."""

    def __init__(self, factory: Factory, config: Config) -> None:
        self.engine = Engine(factory, config.policy, config.page_size, config.pool, config.device)
        self.subject = self.engine.subject
        self.config = config
        self.trace: list[Op] = []
        self.holders = 0

    def do(self, op: Op) -> None:
        """Perform an operation. Raise whatever the subject raises."""
        self.trace.append(op)
        error = self.engine.perform(op).error
        if error is not None:
            error.trace = tuple(self.trace)  # type: ignore[attr-defined]  # for whoever reports it
            raise error

    def key(self, pages: int, first: int = 0) -> Key:
        """Return a key of so many distinct pages. Keys with different first pages share nothing."""
        size = self.config.page_size
        return Key(tuple(first + page for page in range(pages) for _ in range(size)))

    def chain(self, pages: int) -> None:
        """Make a chain of one-page nodes: insert a long key, and match shorter and shorter parts of it."""
        self.do(Op("insert", self.key(pages)))
        for cut in range(pages - 1, 0, -1):
            self.do(Op("match", self.key(cut)))

    def evict_all(self) -> None:
        """Evict as many tokens as the pool has."""
        self.do(Op("evict", amount=self.config.pool))

    def lock(self, key: Key) -> int:
        """Match a key and lock its node; return the holder."""
        self.holders += 1
        self.do(Op("match", key))
        self.do(Op("lock", key, self.holders))
        return self.holders


def probe(factory: Factory, config: Config) -> RunResult:
    """Run every probe for which the subject has the operations."""
    result = RunResult(runs=1)
    supports = Probe(factory, config).subject.supports
    if not set(supports.operations) >= SCENES:
        return result
    if supports.here:
        _growth(factory, config, result)
        _storage(factory, config, result)
        _cost("EVICT_COST", partial(_evict_steps, factory, config), 128, result)
        _cost("MATCH_COST", partial(_match_steps, factory, config), 64, result)
    # A chain takes as many matches as it has nodes: if one match costs too much, they would take minutes.
    if "MATCH_COST" not in result.found:
        _depth(factory, config, result, set(REQUEST_OPERATIONS) <= set(supports.operations))
    if supports.namespaces:
        _namespaces(factory, config, result)
    return result


def probed(factory: Factory, config: Config) -> RunResult:
    """Run every probe; an exception of the subject is recorded as a violation."""
    try:
        return probe(factory, config)
    except Exception as error:  # whatever a subject raises where it is only measured
        result = RunResult(runs=1)
        violation = Violation(of_crash(error), f"raised {type(error).__name__}: {error}, under a large load")
        result.record([violation], getattr(error, "trace", ()), config)
        return result


def _namespaces(factory: Factory, config: Config, result: RunResult) -> None:
    """Insert one key in so many namespaces that some of them collide if a cache cuts them to 16 bits (FB-68)."""
    scene = Probe(factory, config)
    wrong = ""
    for i in range(NAMESPACES):
        key = Key(scene.key(1).tokens, (f"adapter-{i % 97}", i))
        scene.trace.append(Op("insert", key))
        answer = scene.engine.perform(scene.trace[-1])
        if answer.error is not None:
            raise answer.error
        if answer.length:
            wrong = f"{answer.length} tokens were present in a namespace into which nothing was inserted"
            break
    _judge(result, scene, "ISOLATION", wrong)


def _judge(result: RunResult, scene: Probe, property_: str, broken: str) -> None:
    """Record a check; `broken`: the text of the violation, empty if there is none."""
    result.tally.count(property_)
    result.steps += len(scene.trace)
    if broken:
        result.record([Violation(property_, broken)], scene.trace, scene.config)


# Memory.


def _growth(factory: Factory, config: Config, result: RunResult) -> None:
    """Count objects after equal rounds that leave nothing behind: after the second round the number must not grow."""
    scene = Probe(factory, config)
    kept = []
    for _ in range(4):
        _round(scene)
        kept.append(len(reachable(scene.subject, scene.engine.pool)))
    grown = kept[3] - kept[1]
    text = f"after every round of inserting and evicting the same keys the subject keeps {grown / 2:g} more objects"
    _judge(result, scene, "MEM_BOUND", text if grown > 0 else "")


def _round(scene: Probe) -> None:
    for first in range(24):
        scene.do(Op("insert", scene.key(4, first)))
        held = scene.lock(scene.key(2, first))
        scene.do(Op("unlock", holder=held))
    scene.evict_all()


def _storage(factory: Factory, config: Config, result: RunResult) -> None:
    """Split long edges behind their first page, lock that page, evict the rest, and compare the storage with what is needed."""
    scene = Probe(factory, config)
    if not hasattr(scene.subject, "storage"):
        return
    for first in range(16):
        scene.do(Op("insert", scene.key(64, 1000 * first)))
        scene.lock(scene.key(1, 1000 * first))
    scene.evict_all()
    stored, sizes = scene.subject.storage(), scene.engine.sizes()
    needed = SLOT_BYTES * (sizes.evictable + sizes.protected)
    text = f"{stored} bytes of slot storage are kept for slots of {needed} bytes"
    _judge(result, scene, "MEM_BOUND", text if stored > STORAGE_MAX * needed + STORAGE_SLACK else "")


def reachable(start: object, pool: object) -> set[int]:
    """Return the ids of the objects that `start` keeps alive, without the pool, modules, types and the globals of functions."""
    seen = {id(start)}
    waiting = [start]
    while waiting:
        for found in _referents(waiting.pop()):
            if id(found) not in seen and found is not pool and not isinstance(found, _SHARED):
                seen.add(id(found))
                waiting.append(found)
    return seen


_SHARED = (ModuleType, type, BuiltinFunctionType, int, float, str, bytes, type(None))


def _referents(found: object) -> Iterable[Any]:
    if isinstance(found, FunctionType):
        return [found.__closure__, found.__defaults__, found.__kwdefaults__]
    return gc.get_referents(found)


# Cost.


def _cost(property_: str, steps: Callable[[int], tuple[int, Probe]], size: int, result: RunResult) -> None:
    few, _ = steps(size)
    many, scene = steps(FACTOR * size)
    text = f"{many} lines for {FACTOR * size} nodes, {few} for {size}: more than {COST_MAX} times as many"
    _judge(result, scene, property_, text if many > COST_MAX * few else "")


def _evict_steps(factory: Factory, config: Config, leaves: int) -> tuple[int, Probe]:
    """Return the lines executed to evict so many siblings."""
    scene = Probe(factory, config)
    for first in range(leaves):
        scene.do(Op("insert", scene.key(1, first)))
    return lines_run(scene.evict_all), scene


def _match_steps(factory: Factory, config: Config, pages: int) -> tuple[int, Probe]:
    """Return the lines executed to match a chain of so many nodes."""
    scene = Probe(factory, config)
    scene.chain(pages)
    return lines_run(lambda: scene.do(Op("match", scene.key(pages)))), scene


def lines_run(call: Callable[[], None]) -> int:
    """Return how many lines of Python `call` executes, without those of the standard library and of torch."""
    lines = 0

    def line(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return line

    def entered(frame: FrameType, _event: str, _argument: object) -> Any:
        return line if _counts(frame.f_code.co_filename) else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        call()
    finally:
        sys.settrace(before)
    return lines


@cache
def _counts(filename: str) -> bool:
    """Return whether the lines of a file count. Code without a file was generated, as the specification's formulas are."""
    paths, torch = sysconfig.get_paths(), sys.modules.get("torch")
    if filename.startswith("<") or (torch is not None and filename.startswith(dirname(torch.__file__ or "<"))):
        return False
    installed = filename.startswith((paths["purelib"], paths["platlib"]))
    return installed or not filename.startswith((paths["stdlib"], paths["platstdlib"]))


# Depth.


def _depth(factory: Factory, config: Config, result: RunResult, requests: bool) -> None:
    """Perform every operation on a chain that is deeper than calls can nest."""
    scene, broken, before = Probe(factory, config), "", sys.getrecursionlimit()
    sys.setrecursionlimit(RECURSION_LIMIT)  # whatever a tool that runs this has set
    try:
        _deep(scene, requests)
    except RecursionError:
        broken = f"{scene.trace[-1].name} recurses on a chain of {DEPTH_PAGES} nodes"
    finally:
        sys.setrecursionlimit(before)
    _judge(result, scene, "DEPTH", broken)


def _deep(scene: Probe, requests: bool) -> None:
    scene.chain(DEPTH_PAGES)
    deepest = scene.key(DEPTH_PAGES)
    scene.do(Op("insert", deepest))
    scene.do(Op("unlock", holder=scene.lock(deepest)))
    if requests:
        scene.holders += 1
        scene.do(Op("start", deepest, scene.holders))
        scene.do(Op("decode", holder=scene.holders, amount=1))
        scene.do(Op("chunk", holder=scene.holders))
        scene.do(Op("finish", holder=scene.holders))
    scene.evict_all()
