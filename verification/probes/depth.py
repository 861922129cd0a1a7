"""The probe of depth: chains that are deeper than calls can nest, and what a match of them costs."""

import sys
from functools import partial

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import REQUEST_OPERATIONS, Op
from radixcheck.verification.probes.scenes import Scene, judge, judge_growth

CHAIN = {"insert", "match"}  # the operations that make a chain
MATCHED_PAGES = 64  # of the shorter chain whose match is counted
DEPTH_PAGES = 1_500  # of a chain: more than the depth of calls that Python allows by default
RECURSION_LIMIT = 1_000  # that default


def probe_depth(factory: Factory, config: Config) -> RunResult:
    """Match chains, then perform every operation on a deep one.

    A deep chain takes as many matches as it has nodes: if one match costs too much, they would take minutes.
    """
    result = RunResult(runs=1)
    scene = Scene(factory, config)
    if scene.can(*CHAIN) and scene.engine.supports.here:
        judge_growth(result, "MATCH_COST", "match", partial(_matched, factory, config), MATCHED_PAGES, "nodes")
    if scene.can(*CHAIN) and "MATCH_COST" not in result.found:
        _depth(scene, result)
    return result


def _matched(factory: Factory, config: Config, pages: int) -> tuple[int, Scene]:
    scene = Scene(factory, config)
    scene.chain(pages)
    return scene.lines(Op("match", scene.key(pages))), scene


def _depth(scene: Scene, result: RunResult) -> None:
    """Perform every operation on a chain that is deeper than calls can nest."""
    broken, before = "", sys.getrecursionlimit()
    sys.setrecursionlimit(RECURSION_LIMIT)  # whatever a tool that runs this has set
    try:
        _deep(scene)
    except RecursionError:
        broken = f"{scene.trace[-1].name} recurses on a chain of {DEPTH_PAGES} nodes"
    finally:
        sys.setrecursionlimit(before)
    judge(result, scene, "DEPTH", broken)


def _deep(scene: Scene) -> None:
    scene.chain(DEPTH_PAGES)
    deepest = scene.key(DEPTH_PAGES)
    scene.do(Op("insert", deepest))
    if scene.can("lock", "unlock"):
        scene.do(Op("unlock", holder=scene.lock(deepest)))
    if scene.can(*REQUEST_OPERATIONS):
        request = scene.start(deepest)
        scene.do(Op("decode", holder=request, amount=1))
        scene.do(Op("chunk", holder=request))
        scene.do(Op("finish", holder=request))
    if scene.can("evict"):
        scene.evict_all()
