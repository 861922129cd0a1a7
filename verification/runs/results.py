"""What the report rests on: results that are stored in a folder, and obtained where they are missing or speak of other sources."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.review_6907.answers import BENCH, FACTS, PROVE, SECONDS, Evidence
from radixcheck.verification.runs.request import request_for
from radixcheck.verification.runs.store import Stored, load, store, stored
from radixcheck.verification.subjects.registry import BUILT_IN, resolve

if TYPE_CHECKING:
    from radixcheck.verification.mutants.kill_matrix import Judged

Progress = Callable[[str], AbstractContextManager[Any]]
SCENARIOS = ("decode", "batch", "trace")
EXPLORED = ("reference", "optimized")
EXPLORE_SECONDS = 60.0  # of one exploration, after which it is given up
MUTANT_SECONDS = 1.5  # of one search; each ends with the part that it is in
MUTANT_DETECTORS = ("machine", "driver", "probes", "replay", "proofs")  # exploring each mutant would take longer than all of these
TRACE_MAX = 40  # operations of a mutant's trace that is kept


@dataclass(frozen=True, slots=True)
class Result:
    """What is stored of one piece of evidence."""

    verdict: str
    detail: str  # how much was decided, and in what time


@dataclass(frozen=True, slots=True)
class Results:
    """What is stored, by source. A subject that was verified is a source of its own."""

    stored: Mapping[str, Stored]

    def of(self, evidence: Evidence) -> Result | None:
        """The result, if there is one."""
        found = self.stored.get(evidence.source)
        if found is None:
            return None
        reader = {PROVE: _proved, FACTS: _tried, BENCH: _measured}.get(evidence.source, _verified)
        return reader(found, evidence.name)


def _verified(found: Stored, name: str) -> Result | None:
    for p in found["properties"]:
        if p["id"] == name:
            if p["verdict"] == Verdict.NOT_OBSERVABLE:
                return Result(p["verdict"], p["note"])
            return Result(p["verdict"], f"{p['non_vacuous']:,} of {p['checked']:,} states or calls said something")
    return None


def _proved(found: Stored, name: str) -> Result | None:
    cells = [cell for cell in found["cells"] if name in (cell["name"], cell["formula"])]
    if not cells:
        return None
    verdicts = dict.fromkeys(cell["verdict"] for cell in cells)
    seconds = sum(each["seconds"] for cell in cells for each in cell["decided"])
    return Result(" / ".join(verdicts), f"{len(cells)} condition{'s' if len(cells) > 1 else ''}, {seconds:.1f} s")


def _tried(found: Stored, name: str) -> Result | None:
    return next((Result(f["verdict"], f["against"] or f["detail"]) for f in found["facts"] if f["id"] == name), None)


def _measured(found: Stored, name: str) -> Result | None:
    return next((Result(c["verdict"], c["text"]) for c in found["claims"] if c["id"] == name), None)


def collect(folder: Path, sources: Iterable[str], python: str | None, progress: Progress) -> Results:
    """The results of these sources. A cache that is not of this package is run anew each time, as its sources are not known here."""
    makers = {
        PROVE: _prove,
        FACTS: _try,
        BENCH: lambda told: _measure(python, told),
        "mutants": _mutants,
        **{f"explore {subject}": _explorer(subject) for subject in EXPLORED},
    }
    found = {}
    for source in dict.fromkeys(sources):
        make = makers.get(source) or _verifier(source)
        file = _file(folder, source)
        ours = (source in makers or source in BUILT_IN) and not (source == BENCH and python)
        found[source] = (stored if ours else _anew)(file, lambda: make(progress))  # noqa: B023 - it is called at once
    return Results(found)


def _anew(file: Path, obtain: Callable[[], Stored]) -> Stored:
    return store(file, obtain())


def present(folder: Path, sources: Iterable[str]) -> Results:
    """Return those results of these sources that are stored and are of the present package. Nothing is run."""
    found = {source: load(_file(folder, source)) for source in dict.fromkeys(sources)}
    return Results({source: each for source, each in found.items() if each is not None})


def _file(folder: Path, source: str) -> Path:
    return folder / ("".join(c if c.isalnum() or c in "-._" else "-" for c in source)[:120] + ".json")


def _prove(progress: Progress) -> Stored:
    from radixcheck.verification.proofs import prove as campaign
    from radixcheck.verification.report import prove_view as proofs
    from radixcheck.verification.review_6907.proof_suite import PROOFS

    names = campaign.chosen(PROOFS, (), (), ())
    with progress("proving") as told:
        found = campaign.campaign(PROOFS, names, (0,), 2, lambda so_far: told(len(so_far) / len(names), f"{len(so_far)} of {len(names)}"))
    return proofs.to_store(found)


def _try(progress: Progress) -> Stored:
    from radixcheck.verification.report import facts_view as facts
    from radixcheck.verification.review_6907.facts import FACTS, decide

    with progress("facts"):
        return facts.to_json([decide(fact, 0) for fact in FACTS.values()])


def _measure(python: str | None, progress: Progress) -> Stored:
    import sys

    from radixcheck.verification.bench import plan
    from radixcheck.verification.bench.bench_data import FLOOR, HISTORICAL, OURS
    from radixcheck.verification.bench.measure import measure
    from radixcheck.verification.review_6907.cost_claims import decided

    with progress("bench") as told:
        caches = plan.chosen(() if python else (OURS, FLOOR, *HISTORICAL))
        results = measure(caches, plan.planned(True, SCENARIOS, None), 1, python or sys.executable, told)
    return results.to_json() | {"claims": [one.to_json() for one in decided(results)]}


def _mutants(progress: Progress) -> Stored:
    from radixcheck.verification.mutants import MUTANTS
    from radixcheck.verification.mutants.kill_matrix import judge_all
    from radixcheck.verification.report.mutants_view import Matrix

    start, done = perf_counter(), list[str]()
    with progress("mutants") as told:

        def judged(each: Any) -> None:
            done.append(each.name)
            told(len(done) / len(MUTANTS), f"{each.name}: {each.verdict}")

        found = judge_all(tuple(MUTANTS), 0, MUTANT_SECONDS, judged, MUTANT_DETECTORS)
    return Matrix(tuple(map(_brief, found)), perf_counter() - start).to_json()


def _brief(judged: "Judged") -> "Judged":
    """Without a trace that nobody reads: where size is the fault, it is of hundreds of operations."""
    found = judged.smallest
    return replace(judged, smallest=None) if found and len(found.trace) > TRACE_MAX else judged


def _explorer(subject: str) -> Callable[[Progress], Stored]:
    def explore(progress: Progress) -> Stored:
        from radixcheck.verification.report import explore_view as exploration

        cache = resolve(subject)
        bounds = exploration.bounds(cache, (), ("lru",), (1,), None, EXPLORE_SECONDS)
        with progress(f"explore {subject}") as told:
            results = exploration.explorations(cache, bounds, 2, lambda so_far: told(0.5, f"{so_far[-1].states:,} states"))
        return exploration.to_json(subject, results)

    return explore


def _verifier(subject: str) -> Callable[[Progress], Stored]:
    def verify(progress: Progress) -> Stored:
        from radixcheck.verification.runs.outcome import verify_and_replay

        cache = resolve(subject)
        return verify_and_replay(cache, request_for(cache, (), ()), SECONDS, False, progress).to_json()

    return verify
