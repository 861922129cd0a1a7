"""The probe of namespaces: so many that some of them collide if a cache cuts them to 16 bits (FB-68)."""

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.scenes import Scene, judge

NAMESPACES = 1_200  # cut to 16 bits, two of them are equal with a probability of 0.99998


def probe_namespaces(factory: Factory, config: Config) -> RunResult:
    """Insert one key in many namespaces: none of its tokens may be present in the next."""
    result = RunResult(runs=1)
    scene = Scene(factory, config)
    if not scene.can("insert") or not scene.engine.supports.namespaces:
        return result
    wrong = ""
    for i in range(NAMESPACES):
        length = scene.do(Op("insert", scene.key(1, 0, (f"adapter-{i % 97}", i)))).length
        if length:
            wrong = f"{length} tokens were present in a namespace into which nothing was inserted"
            break
    judge(result, scene, "ISOLATION", wrong)
    return result
