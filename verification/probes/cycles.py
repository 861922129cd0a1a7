"""Cycles of operations that end with an empty cache: whatever a cycle makes, nothing of it may stay behind.

A cycle has a number. Its keys, its namespace and its requests are new unless its name says otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from radixcheck.spec.values import Key
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.scenes import Scene

PAGES = 3  # of a key
APART = 8  # between the first pages of two keys
UNKNOWN = 10**9  # requests from this one on are never started


@dataclass(frozen=True, slots=True)
class Cycle:
    """Operations that are repeated."""

    name: str
    run: Callable[[Scene, int], None]  # with the number of the cycle
    operations: frozenset[str] = field(default_factory=frozenset)  # that the subject must have
    new: bool = True  # whether each cycle has keys of its own
    namespaces: bool = False  # whether it has namespaces


def possible(scene: Scene, cycle: Cycle) -> bool:
    """Return whether the subject has the operations of a cycle, and may not remember its keys."""
    supports = scene.engine.supports
    cleared = scene.can("evict") or scene.can("reset")
    allowed = (supports.namespaces or not cycle.namespaces) and not (cycle.new and supports.remembers)
    return scene.can(*cycle.operations) and cleared and allowed


def _key(scene: Scene, number: int) -> Key:
    return scene.key(PAGES, APART * number)


def _too_long(scene: Scene, number: int) -> Key:
    """Return a key that does not fit into the pool."""
    return scene.key(scene.config.pool // scene.config.page_size + 1, APART * number)


def _clear(scene: Scene) -> None:
    """Evict everything, or forget it where the subject has no eviction."""
    if scene.can("evict"):
        scene.evict_all()
    else:
        scene.do(Op("reset"))


def _same_keys(scene: Scene, number: int) -> None:
    for first in range(4):
        scene.do(Op("insert", scene.key(4, 10 * first)))
        scene.do(Op("match", scene.key(2, 10 * first)))
    _clear(scene)


def _insert(scene: Scene, number: int) -> None:
    key = _key(scene, number)
    scene.do(Op("insert", key))
    scene.do(Op("insert", key))
    scene.do(Op("match", scene.key(PAGES - 1, APART * number)))
    _clear(scene)


def _namespace(scene: Scene, number: int) -> None:
    key = scene.key(PAGES, 0, ("namespace", number))
    scene.do(Op("insert", key))
    scene.do(Op("match", key))
    _clear(scene)


def _lock(scene: Scene, number: int) -> None:
    key = _key(scene, number)
    scene.do(Op("insert", key))
    held = [scene.lock(key), scene.lock(key)]
    for holder in held:
        scene.do(Op("unlock", holder=holder))
    _clear(scene)


def _absent(scene: Scene, number: int) -> None:
    scene.do(Op("match", _key(scene, number)))


def _absent_peek(scene: Scene, number: int) -> None:
    scene.do(Op("peek", _key(scene, number)))


def _loan(scene: Scene, number: int) -> None:
    holder = scene.holder()
    scene.do(Op("alloc", _key(scene, number), holder))
    scene.do(Op("free", holder=holder))


def _reset(scene: Scene, number: int) -> None:
    scene.do(Op("insert", _key(scene, number)))
    scene.do(Op("reset"))


def _finish(scene: Scene, number: int) -> None:
    request = scene.start(_key(scene, number))
    scene.do(Op("chunk", holder=request))
    for token in range(2):
        scene.do(Op("decode", holder=request, amount=token))
    scene.do(Op("finish", holder=request))
    _clear(scene)


def _abort(scene: Scene, number: int) -> None:
    request = scene.start(_key(scene, number))
    scene.do(Op("abort", holder=request))
    _clear(scene)


def _no_room_to_start(scene: Scene, number: int) -> None:
    scene.refused(Op("start", _too_long(scene, number), scene.holder()))


def _no_room_to_alloc(scene: Scene, number: int) -> None:
    scene.refused(Op("alloc", _too_long(scene, number), scene.holder()))


def _no_room_to_decode(scene: Scene, number: int) -> None:
    request = scene.start(scene.key(scene.config.pool // scene.config.page_size, APART * number))
    scene.refused(Op("decode", holder=request, amount=1))
    scene.do(Op("abort", holder=request))


# Calls outside their guard. A subject that does not refuse them is not judged by them: that is what MISUSE is for.


def _unlock_twice(scene: Scene, number: int) -> None:
    _lock(scene, number)
    scene.refused_call("unlock twice", lambda: scene.subject.unlock(scene.engine.released))


def _stale_lock(scene: Scene, number: int) -> None:
    key = _key(scene, number)
    scene.do(Op("insert", key))
    scene.do(Op("match", key))
    _clear(scene)
    scene.refused(Op("lock", key, scene.holder()))


def _started_twice(scene: Scene, number: int) -> None:
    request = scene.start(_key(scene, number))
    scene.refused(Op("start", _key(scene, number), request))
    scene.do(Op("abort", holder=request))
    _clear(scene)


def _unknown_request(scene: Scene, number: int) -> None:
    for name in ("finish", "chunk", "abort"):
        scene.refused(Op(name, holder=UNKNOWN + number))
    scene.refused(Op("decode", holder=UNKNOWN + number, amount=1))


def _reset_while_held(scene: Scene, number: int) -> None:
    key = _key(scene, number)
    scene.do(Op("insert", key))
    held = scene.lock(key)
    scene.refused(Op("reset"))
    scene.do(Op("unlock", holder=held))
    _clear(scene)


REQUEST = frozenset({"start", "abort"})
LOCK = frozenset({"insert", "match", "lock", "unlock"})

CYCLES = (
    Cycle("inserting and evicting the same keys", _same_keys, frozenset({"insert", "match"}), new=False),
    Cycle("inserting a new key and evicting it", _insert, frozenset({"insert", "match"})),
    Cycle("inserting a key in a new namespace and evicting it", _namespace, frozenset({"insert", "match"}), namespaces=True),
    Cycle("locking and unlocking", _lock, LOCK),
    Cycle("matching a key that is not cached", _absent, frozenset({"match"})),
    Cycle("peeking at a key that is not cached", _absent_peek, frozenset({"peek"})),
    Cycle("alloc and free", _loan, frozenset({"alloc", "free"})),
    Cycle("insert and reset", _reset, frozenset({"insert", "reset"})),
    Cycle("start, chunk, decode, finish", _finish, frozenset({"start", "chunk", "decode", "finish"})),
    Cycle("start and abort", _abort, REQUEST),
    Cycle("a start for which there is no room", _no_room_to_start, REQUEST),
    Cycle("an alloc for which there is no room", _no_room_to_alloc, frozenset({"alloc", "free"})),
    Cycle("a decode for which there is no room", _no_room_to_decode, REQUEST | {"decode"}),
)
WRONG_CALLS = (
    Cycle("unlocking twice", _unlock_twice, LOCK),
    Cycle("locking a stale handle", _stale_lock, LOCK),
    Cycle("starting a live request", _started_twice, REQUEST),
    Cycle("ending an unknown request", _unknown_request, frozenset({"finish", "chunk", "abort", "decode"})),
    Cycle("a reset while a lock is held", _reset_while_held, LOCK | {"reset"}),
)
