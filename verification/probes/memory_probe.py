"""The probe of memory: what grows with cycles that leave nothing behind, and the storage of split nodes."""

from collections.abc import Iterable
from dataclasses import replace

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.cycles import Cycle, possible
from radixcheck.verification.probes.growth import FACTOR
from radixcheck.verification.probes.kept import Kept, kept_by
from radixcheck.verification.probes.scenes import NotRefused, Scene, judge

POOL_PAGES = 32  # of the cycles
ROUNDS = 32  # cycles before the first measurement; FACTOR times as many before the second
MOST = 2_048  # cycles where something seems to grow: what stops growing before, as a memo with a bound, is no leak
WINDOW = 6  # measurements, one after each of the last cycles: the least counts, since containers grow and shrink in leaps
CYCLE_BYTES = 4  # bytes for each cycle that may be rounding: less than one entry of any list, and more than capacities differ
SLOT_BYTES = 8
STORAGE_MAX = 4  # bytes of slot storage for each byte needed
STORAGE_SLACK = 4096  # bytes


class Repeated:
    """A cycle that is repeated in one scene."""

    def __init__(self, scene: Scene, cycle: Cycle) -> None:
        self.scene, self.cycle = scene, cycle
        self.first: tuple[Op, ...] = ()  # the operations of the first cycle
        self._rounds = 0

    def kept_after(self, rounds: int) -> Kept:
        """Repeat the cycle up to this number of times; return the least that was kept after one of the last. Raise NotRefused."""
        kept = []
        while self._rounds < rounds:
            self.cycle.run(self.scene, self._rounds)
            self.first = self.first or tuple(self.scene.trace)
            self._rounds += 1
            if self._rounds > rounds - WINDOW:
                kept.append(kept_by(self.scene.subject, (*self.scene.instruments, *getattr(self.scene.subject, "instruments", ()))))
        return Kept(min(each.objects for each in kept), min(each.size for each in kept))


def probe_cycles(cycles: Iterable[Cycle], factory: Factory, config: Config) -> RunResult:
    """Repeat each cycle for which the subject has the operations, in a small pool."""
    result = RunResult(runs=1)
    pool = min(config.pool, POOL_PAGES * config.page_size)
    host_pool = config.host_pool * pool // config.pool // config.page_size * config.page_size  # as large beside the device's as it was
    small = replace(config, pool=pool, host_pool=host_pool)
    for cycle in cycles:
        scene = Scene(factory, small)
        if result.found or not scene.engine.supports.here:  # what is found, others would only repeat
            break
        if possible(scene, cycle):
            _judge_cycle(Repeated(scene, cycle), result)
    return result


def _judge_cycle(repeated: Repeated, result: RunResult) -> None:
    """Count what is kept after ROUNDS cycles and after FACTOR times as many."""
    try:
        few, many = repeated.kept_after(ROUNDS), repeated.kept_after(FACTOR * ROUNDS)
        text = _more(few, many)
        if text and not _unbounded(few, many, repeated.kept_after(MOST)):
            text = ""
    except NotRefused:
        return
    name = repeated.cycle.name
    broken = f"after {FACTOR * ROUNDS} cycles of {name}, of which this is the first, the subject keeps {text} than after {ROUNDS}"
    judge(result, repeated.scene, "MEM_BOUND", broken if text else "", repeated.first)


def _more(few: Kept, many: Kept) -> str:
    """Return how much more is kept, as text; empty if no more is."""
    if many.objects > few.objects:
        return f"{many.objects - few.objects} more objects"
    grown = many.size - few.size
    return f"{grown} more bytes" if grown > CYCLE_BYTES * (FACTOR - 1) * ROUNDS else ""


def _unbounded(few: Kept, many: Kept, most: Kept) -> bool:
    """Return whether what has grown goes on to grow, with at least half as much for each cycle."""
    low, high, end = ((each.objects if many.objects > few.objects else each.size) for each in (few, many, most))
    return (end - high) / (MOST - FACTOR * ROUNDS) >= 0.5 * (high - low) / (FACTOR * ROUNDS - ROUNDS)


def probe_storage(factory: Factory, config: Config) -> RunResult:
    """Split long edges behind their first page, lock that page, evict the rest, and compare the storage with what is needed."""
    result = RunResult(runs=1)
    scene = Scene(factory, config)
    if not scene.can("insert", "match", "lock", "evict") or not scene.engine.has("storage"):
        return result
    for first in range(16):
        scene.do(Op("insert", scene.key(64, 1000 * first)))
        scene.lock(scene.key(1, 1000 * first))
    scene.evict_all()
    stored, sizes = scene.engine.storage(), scene.engine.sizes()
    needed = SLOT_BYTES * (sizes.evictable + sizes.protected)
    text = f"{stored} bytes of slot storage are kept for slots of {needed} bytes"
    judge(result, scene, "MEM_BOUND", text if stored > STORAGE_MAX * needed + STORAGE_SLACK else "")
    return result
