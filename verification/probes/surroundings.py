"""What a call may not depend on: how much else there is in a cache."""

from dataclasses import dataclass

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.scenes import Scene

PAGES = 4  # of the key whose calls are counted; it is split in the middle
SIBLINGS, CHILDREN, TAILS = 1_000, 10_000, 20_000  # the first pages of other keys


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How many of each are beside the key whose calls are counted."""

    nodes: int = 64  # one half below the root, the other below the first half of the key
    namespaces: int = 64
    locks: int = 64  # one half on the key, the other on other nodes
    requests: int = 64  # live; they share the key
    loans: int = 64  # pages from `alloc`


UNITS = {  # what a field counts, and the operations by which it is made
    "nodes": ("other nodes", ()),
    "namespaces": ("namespaces", ()),
    "locks": ("other locks", ("match", "lock")),
    "requests": ("live requests", ("start", "chunk")),
    "loans": ("allocated pages", ("alloc",)),
}


def populated(factory: Factory, config: Config, around: Surroundings) -> tuple[Scene, Key]:
    """Return a scene with these surroundings, and the key, which is cached."""
    scene = Scene(factory, config)
    key, half = scene.key(PAGES), scene.key(PAGES // 2)
    scene.cache(half)
    scene.cache(key)
    for i in range(around.nodes // 2):
        scene.cache(scene.key(1, SIBLINGS + i))
        scene.cache(scene.behind(half, 1, CHILDREN + i))
    if scene.engine.supports.namespaces:
        for i in range(around.namespaces):
            scene.cache(scene.key(PAGES, 0, ("namespace", i)))
    _add_holders(scene, key, around)
    return scene, key


def _add_holders(scene: Scene, key: Key, around: Surroundings) -> None:
    if scene.can("match", "lock"):
        for i in range(around.locks):
            scene.lock(key if i % 2 else scene.key(1, SIBLINGS + i // 2 % (around.nodes // 2)))
    if scene.can("start", "chunk"):
        for i in range(around.requests):
            scene.do(Op("chunk", holder=scene.start(scene.behind(key, 1, TAILS + i))))
    if scene.can("alloc"):
        for _ in range(around.loans):
            scene.do(Op("alloc", scene.key(1), scene.holder()))
