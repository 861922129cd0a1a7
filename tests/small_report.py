"""A whole report of small budgets, with real results: what the tests of its files and of its page share."""

from pathlib import Path
from typing import Any

from radixcheck.verification.bench.bench_data import CACHES
from radixcheck.verification.bench.bench_results import Measurement, Results
from radixcheck.verification.bench.plan import planned
from radixcheck.verification.cli.app import run
from radixcheck.verification.mutants.kill_matrix import Plan
from radixcheck.verification.report.drawing import drawn
from radixcheck.verification.review_6907.cost_claims import decided
from radixcheck.verification.runs.explore_job import explore_request, explore_subject
from radixcheck.verification.runs.facts_job import facts_request, try_facts
from radixcheck.verification.runs.mutants_job import MatrixRequest, kill_matrix
from radixcheck.verification.runs.prove_job import ProveRequest, prove
from radixcheck.verification.runs.store import store
from radixcheck.verification.runs.verify_job import VerifyRequest, search_subject
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.subjects.registry import resolve

FEW = ("Q1-EQUAL", "EVICT-ENDS", "evict/COUNT", "touch/RECENCY", "STAMP", "split/ADDS")


def bench() -> dict[str, object]:
    """What a run of the benchmark would have stored, had it taken these times."""
    jobs = planned(True, ("decode",), None)
    about = {"clock": "a clock", "repetitions": 3, "machine": "one", "cores": 2, "load before": 0.0}
    times = {"optimized": 3.0, "base": 900.0, "as-submitted:pairs": 9.0}
    measurements = [
        Measurement(cache, i, job.name, {"evict p50": time * factor}, 1.0)
        for job in jobs
        for cache, time in times.items()
        for i, factor in enumerate((1.0, 1.0 + 0.1 * (cache == "base"), 1.0 - 0.2 * (cache == "base")))
    ]
    results = Results([CACHES[name] for name in times], jobs, about, measurements=measurements)
    return results.to_json() | {"claims": [one.to_json() for one in decided(results)]}


def small(folder: Path) -> None:
    """Real results of small budgets, where the report looks for them."""
    proved = prove(ProveRequest(FEW, workers=1))
    pictures = {name: drawn(name, frames) for name, frames in proved.countermodels().items()}
    store(folder / "prove.json", proved.to_json() | {"pictures": pictures})
    store(folder / "facts.json", try_facts(facts_request()).to_json())
    store(folder / "bench.json", bench())
    store(folder / "mutants.json", kill_matrix(MatrixRequest(("evict_internal",), Plan(detectors=("driver", "proofs")))).to_json())
    request = explore_request(resolve("reference"), ("tree",), ("lru",), (1,), limit=20, seconds=5.0, cores=1)
    explored = explore_subject(request).to_json()
    for subject in ("reference", "optimized"):
        store(folder / f"explore-{subject}.json", explored)
    refuted, right = checked("as-submitted:pairs"), checked("reference")
    for subject in ("as-submitted:pairs", "base", "leaf-set"):
        store(folder / f"{subject.replace(':', '-')}.json", refuted | {"subject": subject})
    store(folder / "optimized.json", right | {"subject": "optimized"})


def checked(subject: str) -> dict[str, Any]:
    """A small search; what is refuted is shown by pictures."""
    return search_subject(VerifyRequest(resolve(subject), Bounds(("lru",), (1,), pool=16, operations=2_000))).to_json()


def make(folder: Path) -> None:
    """Write the results and the report."""
    (folder / "results").mkdir(parents=True)
    small(folder / "results")
    assert run(["report", "--results", str(folder / "results"), "--out", str(folder / "out")]) == 3, "many answers miss their results"
