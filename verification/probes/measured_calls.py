"""The calls whose lines are counted: every verb but `evict` and `reset`, on a key of any shape."""

from collections.abc import Iterator

from radixcheck.spec.values import Key
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.lines import lines_run
from radixcheck.verification.probes.scenes import Scene

REPEATS = 3  # the least counts: an index may be tidied now and then, at the expense of one call
NEW = 500_000  # the first page of keys that nothing else in a scene has
APART = 1_000  # between two of these


def lines_of_calls(scene: Scene, key: Key) -> dict[str, int]:
    """Return the lines of Python that each call executes, by its name. The key is cached."""
    least = dict[str, int]()
    for number in range(REPEATS):
        for name, lines in _counted(scene, key, NEW + APART * number):
            least[name] = min(lines, least.get(name, lines))
    return least


def _counted(scene: Scene, key: Key, new: int) -> Iterator[tuple[str, int]]:
    yield "sizes", lines_run(scene.engine.sizes)
    for name, op in (*_tree_calls(scene, key, new), *_request_calls(scene, key, new)):
        if scene.can(op.name):
            yield name, scene.lines(op)


def _tree_calls(scene: Scene, key: Key, new: int) -> Iterator[tuple[str, Op]]:
    pages = len(key.tokens) // scene.config.page_size
    absent, lock, loan = scene.key(pages, new), scene.holder(), scene.holder()
    yield "alloc", Op("alloc", key, loan)  # first: an insert allocates and frees, too
    yield "free", Op("free", holder=loan)
    yield "peek at a cached key", Op("peek", key)
    yield "peek at another key", Op("peek", absent)
    yield "insert of a new key", Op("insert", absent)
    yield "insert of a cached key", Op("insert", key)
    yield "insert below a cached key", Op("insert", scene.behind(key, 2, new))
    yield "match with a split", Op("match", scene.key(pages // 2, new))
    yield "match", Op("match", key)
    if scene.can("match"):
        yield "lock", Op("lock", key, lock)
        yield "unlock", Op("unlock", holder=lock)


def _request_calls(scene: Scene, key: Key, new: int) -> Iterator[tuple[str, Op]]:
    request, other = scene.holder(), scene.holder()
    yield "start", Op("start", scene.behind(key, 3, new + 1), request)
    yield "chunk", Op("chunk", holder=request)
    yield "decode", Op("decode", holder=request, amount=1)
    yield "finish", Op("finish", holder=request)
    yield "start", Op("start", scene.behind(key, 3, new + 1), other)
    yield "abort", Op("abort", holder=other)
