"""Cycles of operations of a cache with a host tier that end with both tiers empty: nothing of a copy may stay behind.

A cycle has a number, and keys of its own. What each mode copies when differs, so that a cycle completes whatever is in flight.
"""

from radixcheck.spec.values import Key
from radixcheck.verification.checker.host_engine import HostEngine
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.cycles import APART, PAGES, Cycle
from radixcheck.verification.probes.scenes import Scene

ARRIVES, FAILS = 0, 1
POLLS = 3  # what a poll issues again arrives before the next one


def _key(scene: Scene, number: int) -> Key:
    return scene.key(PAGES, APART * number)


def _settle(scene: Scene, how: int = ARRIVES) -> None:
    """Complete every copy in flight, and let the cache handle them; those that it issues again arrive."""
    engine = scene.engine
    assert isinstance(engine, HostEngine), "the configuration of a cycle has a host tier"
    for _ in range(POLLS):
        for _ in range(len(engine.copier.in_flight)):
            scene.do(Op("complete", amount=how))
        scene.do(Op("poll"))
        how = ARRIVES


def _offload(scene: Scene, key: Key) -> None:
    """Cache a key, hit it twice so that every mode copies it, and evict it from the device."""
    scene.do(Op("insert", key))
    scene.do(Op("insert", key))
    _settle(scene)
    scene.evict_all()
    _settle(scene)


def _clear(scene: Scene) -> None:
    scene.evict_all()
    _settle(scene)
    scene.do(Op("evict_host", amount=scene.config.host_pool))


def _there_and_back(scene: Scene, number: int) -> None:
    key = _key(scene, number)
    _offload(scene, key)
    scene.do(Op("load_back", key))
    _settle(scene)
    _clear(scene)


def _failed_load(scene: Scene, number: int) -> None:
    key = _key(scene, number)
    _offload(scene, key)
    scene.do(Op("load_back", key))
    _settle(scene, FAILS)
    _clear(scene)


def _failed_backup(scene: Scene, number: int) -> None:
    scene.do(Op("insert", _key(scene, number)))
    scene.do(Op("insert", _key(scene, number)))
    _settle(scene, FAILS)
    _clear(scene)


def _loading_request(scene: Scene, number: int) -> None:
    key = _key(scene, number)
    _offload(scene, key)
    request = scene.start(key)
    _settle(scene)
    scene.do(Op("run", holder=request))
    scene.do(Op("finish", holder=request))
    _settle(scene)
    _clear(scene)


_COPIES = frozenset({"insert", "evict", "load_back", "evict_host", "poll"})
HOST_CYCLES = (
    Cycle("copying a new key to the host and back", _there_and_back, _COPIES),
    Cycle("a load that fails", _failed_load, _COPIES),
    Cycle("a backup that fails", _failed_backup, _COPIES),
    Cycle("a request that loads back before it runs", _loading_request, _COPIES | {"start", "finish", "run"}),
)
