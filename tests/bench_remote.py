"""What another process costs: `python tests/bench_remote.py [NAME@PYTHON ...]` prints a table and judges nothing, as times differ.

Without names: our own caches, in this process and in another. A cache of another environment cannot be run in this process: for those
that are named, the last column says what the cache itself takes.

Every cache does the same checked operations in this process and in another one, by turns; each time is the best of some repetitions.
Switching between processes takes time that counts as processor time of neither, so wall-clock time is measured: run it on an idle machine.
"""

import shutil
import sys
from time import perf_counter

from places import TESTS

from radixcheck.verification.core.found import Config
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.protocol import Setup
from radixcheck.verification.remote.remote_subject import RemoteSubject
from radixcheck.verification.search.run import RunResult, random_run
from radixcheck.verification.subjects.registry import ELSEWHERE, resolve

SUBJECTS = ("reference", "model", "optimized", "base")
JAVASCRIPT = TESTS / "subjects" / "radix.mjs"
CONFIGS = [Config("lru", size, size * pool) for size in (1, 2, 16) for pool in (6, 10, 16, 24)]
REPEATS = 7


def checked(name: str) -> RunResult:
    """One plain run for each configuration."""
    result = RunResult()
    for seed, config in enumerate(CONFIGS):
        result.merge(random_run(resolve(name), config, seed, replicated=0))
    return result


def inside(name: str) -> float:
    """Seconds that the process of a Python cache has spent inside the cache so far."""
    subject = resolve(name)(Setup(1, "lru", WatchedPool(8, 1)))
    return subject.spent() if isinstance(subject, RemoteSubject) else 0.0


def timed(name: str) -> tuple[float, float]:
    """Seconds for an operation, and those of them that a cache elsewhere took itself."""
    before, start = inside(name), perf_counter()
    steps = checked(name).steps
    elapsed = perf_counter() - start
    return elapsed / steps, (inside(name) - before) / steps


def row(here: str, there: str) -> str:
    """One cache in both ways."""
    ours = [timed(here)[0] for _ in range(REPEATS)]
    theirs = [timed(there) for _ in range(REPEATS)]
    (elsewhere, cache), local = min(theirs), min(ours)
    return f"{here:16}{1 / local:14,.0f}{1 / elsewhere:14,.0f}{1e6 * (elsewhere - local):14,.0f}{1e6 * cache:14,.0f}"


def elsewhere(name: str) -> str:
    """One cache that cannot be run here."""
    seconds, cache = min(timed(name) for _ in range(REPEATS))
    return f"{name.partition(ELSEWHERE)[0]:16}{'-':>14}{1 / seconds:14,.0f}{'-':>14}{1e6 * cache:14,.0f}"


def main() -> None:
    """Print the table."""
    print(f"{'':16}{'in process':>14}{'in another':>14}{'more':>14}{'of the cache':>14}")
    print(f"{'':16}{'operations/s':>14}{'operations/s':>14}{'us/operation':>14}{'us/operation':>14}")
    if sys.argv[1:]:
        print(*map(elsewhere, sys.argv[1:]), sep="\n")
        return
    for name in SUBJECTS:
        print(row(name, f"{name}@{sys.executable}"), flush=True)
    if node := shutil.which("node"):
        elapsed = min(timed_in_javascript(node) for _ in range(REPEATS))
        print(f"{'radix.mjs':16}{'-':>14}{1 / elapsed:14,.0f}{'-':>14}{'-':>14}")


def timed_in_javascript(node: str) -> float:
    """Seconds for an operation of the cache in JavaScript."""
    start = perf_counter()
    steps = checked(f"exec:{node} {JAVASCRIPT}").steps
    return (perf_counter() - start) / steps


if __name__ == "__main__":
    main()
