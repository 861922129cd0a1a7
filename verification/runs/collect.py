"""Collects the results of a report: reads those that are stored, and runs and stores those that are missing or out of date."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from radixcheck.verification.bench.bench_data import FLOOR, HISTORICAL
from radixcheck.verification.bench.bench_data import OURS as MEASURED
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.progress import Progress
from radixcheck.verification.mutants.mutant_results import Judged
from radixcheck.verification.review_6907.answers import BENCH, FACTS, LATENCY, PROVE, SECONDS
from radixcheck.verification.runs.bench_job import bench, bench_request
from radixcheck.verification.runs.checked_bounds import bounds_for
from radixcheck.verification.runs.explore_job import explore_request, explore_subject
from radixcheck.verification.runs.facts_job import facts_request, try_facts
from radixcheck.verification.runs.mutants_job import kills, named
from radixcheck.verification.runs.prove_job import prove, prove_request
from radixcheck.verification.runs.report_data import MUTANTS
from radixcheck.verification.runs.store import file_of, load, store, stored
from radixcheck.verification.runs.stored_results import Results, Stored
from radixcheck.verification.runs.verify_job import VerifyRequest, verify_subject
from radixcheck.verification.subjects.registry import BUILT_IN, resolve
from radixcheck.verification.trace_replay.frame_results import Frame

SCENARIOS = ("decode", "batch", "trace")
REPEAT = 3  # processes for each cache, so that there is a spread
EXPLORED = ("reference", "optimized")
VERIFY_SECONDS = 300.0  # after which the search of one cache is cut off; it takes some ten, so that a busy machine ends it too
EXPLORE_SECONDS = 600.0  # after which one exploration is cut off; it takes some seconds, so that even a busy machine visits every state

Draw = Callable[[str, Sequence[Frame]], list[dict[str, str]]]  # returns the pictures of a countermodel, by the claim's name and the frames


@dataclass(frozen=True, slots=True)
class Collector:
    """Where results are stored, and how those that are missing are obtained."""

    folder: Path
    python: str | None  # the interpreter in which to measure caches of other projects; None: they are not measured
    draw: Draw
    progress: Progress

    def collect(self, sources: Iterable[str]) -> Results:
        """Return the results of these sources. Caches of other projects are run every time, because changes in them are not seen.

        Latencies are only read: there is no engine here.
        """
        makers = {PROVE: self._prove, FACTS: self._try, BENCH: self._measure, MUTANTS: self._judge}
        makers |= {f"explore {subject}": self._explorer(subject) for subject in EXPLORED}
        found: dict[str, Stored] = {}
        for source in dict.fromkeys(sources):
            file = file_of(self.folder, source)
            if source == LATENCY:
                found |= {source: here} if (here := load(file)) else {}
                continue
            make = makers.get(source) or self._verifier(source)
            ours = (source in makers or source in BUILT_IN) and not (source == BENCH and self.python)
            found[source] = stored(file, make) if ours else store(file, make())
        return Results(found)

    def _prove(self) -> Stored:
        request = prove_request()
        with self.progress("proving") as tell:
            total = len(request.names)
            outcome = prove(request, lambda so_far: tell(len(so_far) / total, f"{len(so_far)} of {total}"))
        return outcome.to_json() | {"pictures": {name: self.draw(name, frames) for name, frames in outcome.countermodels().items()}}

    def _try(self) -> Stored:
        return try_facts(facts_request(), self.progress).to_json()

    def _measure(self) -> Stored:
        caches = () if self.python else (MEASURED, FLOOR, *HISTORICAL)
        request = bench_request(quick=True, scenarios=SCENARIOS, caches=caches, repeat=REPEAT, python=self.python)
        return bench(request, self.progress).to_json()

    def _judge(self) -> Stored:
        names, done = named(()), list[str]()
        with self.progress("mutants") as tell:

            def judged(each: Judged) -> None:
                done.append(each.name)
                tell(len(done) / len(names), f"{each.name}: {each.verdict}")

            return kills(names, judged).to_json()

    def _explorer(self, subject: str) -> Callable[[], Stored]:
        def explore() -> Stored:
            request = explore_request(resolve(subject), (), ("lru",), (1,), seconds=EXPLORE_SECONDS)
            with self.progress(f"explore {subject}") as tell:
                return explore_subject(request, lambda so_far: tell(0.5, f"{so_far[-1].states:,} states")).to_json()

        return explore

    def _verifier(self, subject: str) -> Callable[[], Stored]:
        def verify() -> Stored:
            cache = resolve(subject)
            bounds = bounds_for(cache, seconds=SECONDS, deadline=Deadline.after(VERIFY_SECONDS))
            return verify_subject(VerifyRequest(cache, bounds), self.progress).to_json()

        return verify
