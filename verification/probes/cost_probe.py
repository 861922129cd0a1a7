"""The probe of cost: the lines of Python that each verb executes, against what it may and what it may not depend on."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.growth import FACTOR, depends, too_steep
from radixcheck.verification.probes.measured_calls import lines_of_calls
from radixcheck.verification.probes.scenes import Scene, judge, judge_growth
from radixcheck.verification.probes.surroundings import UNITS, Surroundings, populated

EVICTED = 128  # leaves of the smaller tree that is evicted, or forgotten by a reset
PAGES = 64  # of the shorter key, in one node
PATH = 24  # nodes of the shorter path
VICTIMS = 64  # of the smaller eviction for an `alloc`

Lines = dict[str, int]  # of each call, by its name
Counted = tuple[Lines, Scene]  # the lines, and the scene in which they were counted


def probe_evict_cost(factory: Factory, config: Config) -> RunResult:
    """Evict all of a tree, and evict it for an `alloc`. If the first is refuted, the second would only repeat it."""
    result = RunResult(runs=1)
    if _counted(factory, config, "insert", "evict"):
        judge_growth(result, "EVICT_COST", "evict", partial(_evicted, factory, config), EVICTED, "nodes")
    if not result.found and _counted(factory, config, "insert", "alloc"):
        judge_growth(result, "VERB_COST", "alloc", partial(_evicted_for_alloc, factory, config), VICTIMS, "victims")
    return result


def probe_reset_cost(factory: Factory, config: Config) -> RunResult:
    """Forget all of a tree."""
    result = RunResult(runs=1)
    if _counted(factory, config, "insert", "reset"):
        judge_growth(result, "VERB_COST", "reset", partial(_forgotten, factory, config), EVICTED, "nodes")
    return result


def _evicted(factory: Factory, config: Config, leaves: int) -> tuple[int, Scene]:
    scene = _siblings(factory, config, leaves)
    return scene.lines(Op("evict", amount=config.pool)), scene


def _evicted_for_alloc(factory: Factory, config: Config, leaves: int) -> tuple[int, Scene]:
    """Allocate all of a pool that is full of leaves."""
    scene = _siblings(factory, replace(config, pool=leaves * config.page_size), leaves)
    return scene.lines(Op("alloc", scene.key(leaves), scene.holder())), scene


def _forgotten(factory: Factory, config: Config, leaves: int) -> tuple[int, Scene]:
    scene = _siblings(factory, config, leaves)
    return scene.lines(Op("reset")), scene


def probe_key_cost(factory: Factory, config: Config) -> RunResult:
    """Call each verb with a long key in one node, and with one on a path of many nodes."""
    result = RunResult(runs=1)
    if _counted(factory, config):
        for size, unit, made in ((PAGES, "pages", _in_one_node), (PATH, "nodes", _on_a_path)):
            few, (many, scene) = made(factory, config, size)[0], made(factory, config, FACTOR * size)
            for name in many:
                property_ = "MATCH_COST" if name.startswith("match") else "VERB_COST"
                judge(result, scene, property_, too_steep(name, (few[name], many[name]), size, unit))
    return result


def probe_surroundings(factory: Factory, config: Config) -> RunResult:
    """Call each verb among more other nodes, namespaces, locks, requests and loans, and in a larger pool: it must cost the same."""
    result = RunResult(runs=1)
    if not _counted(factory, config):
        return result
    around, smaller = Surroundings(), replace(config, pool=config.pool // FACTOR)
    few, scene = _among(factory, config, around)
    for field, (unit, operations) in UNITS.items():
        if scene.can(*operations) and (field != "namespaces" or scene.engine.supports.namespaces):
            _judge_field(partial(_among, factory, config), field, unit, few, result)
    for name, lines in _among(factory, smaller, around)[0].items():
        text = depends(name, (lines, few[name]), smaller.pool // config.page_size, "pages of the pool")
        judge(result, scene, "VERB_COST", text)
    return result


def _judge_field(among: Callable[[Surroundings], Counted], field: str, unit: str, few: Lines, result: RunResult) -> None:
    """Compare the calls with those among FACTOR times as many things of one kind. What seems to grow must go on to grow."""
    size = getattr(Surroundings(), field)
    many, scene = among(replace(Surroundings(), **{field: FACTOR * size}))
    broken = {name: text for name in many if (text := depends(name, (few[name], many[name]), size, unit))}
    if broken:
        most, _ = among(replace(Surroundings(), **{field: FACTOR**2 * size}))
        broken = {name: text for name, text in broken.items() if depends(name, (many[name], most[name]), FACTOR * size, unit)}
    for name in many:
        judge(result, scene, "VERB_COST", broken.get(name, ""))


def _among(factory: Factory, config: Config, around: Surroundings) -> Counted:
    scene, key = populated(factory, config, around)
    return lines_of_calls(scene, key), scene


def _in_one_node(factory: Factory, config: Config, pages: int) -> Counted:
    scene = Scene(factory, config)
    key = scene.key(pages)
    scene.cache(key)
    return lines_of_calls(scene, key), scene


def _on_a_path(factory: Factory, config: Config, nodes: int) -> Counted:
    scene = Scene(factory, config)
    for pages in range(1, nodes + 1):
        scene.cache(scene.key(pages))
    return lines_of_calls(scene, scene.key(nodes)), scene


def _counted(factory: Factory, config: Config, *operations: str) -> bool:
    """Return whether the lines of a subject can be counted, and it has these operations and some that fills it."""
    scene = Scene(factory, config)
    return scene.engine.supports.here and scene.can(*operations) and (scene.can("insert") or scene.can("start", "finish"))


def _siblings(factory: Factory, config: Config, leaves: int) -> Scene:
    """Return a scene with so many leaves of one page."""
    scene = Scene(factory, config)
    for first in range(leaves):
        scene.do(Op("insert", scene.key(1, first)))
    return scene
