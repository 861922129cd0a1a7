"""What the jobs of prove, contracts, mutants, facts, findings and bench return. Importing this module loads no cache and no solver."""

from dataclasses import asdict, dataclass
from typing import Any

from radixcheck.verification.bench.bench_results import Results as Measurements
from radixcheck.verification.contracts.contract_results import Decided as DecidedContract
from radixcheck.verification.contracts.contract_results import Judged as JudgedFunction
from radixcheck.verification.contracts.contract_results import status as contracts_status
from radixcheck.verification.core.status import Outcome, Status, Verdict, worst
from radixcheck.verification.findings.finding import Comparison, Search
from radixcheck.verification.findings.finding_results import GONE, NOT_RUN, Repeated
from radixcheck.verification.mutants.mutant_results import KILLED, Cleared, Judged, Reliability
from radixcheck.verification.proofs.proof_results import CONTRADICTED, PREFIXES, SURVIVED, Campaign, Opinion, Result
from radixcheck.verification.proofs.proof_results import Judged as JudgedStep
from radixcheck.verification.review_6907.cost_claims import Decided as DecidedClaim
from radixcheck.verification.review_6907.fact_results import Decided as DecidedFact
from radixcheck.verification.review_6907.field_faults import OUT_OF_SCOPE
from radixcheck.verification.runs.countermodel import as_text, frames
from radixcheck.verification.runs.trace_results import trace_json
from radixcheck.verification.trace_replay.frame_results import Frame


@dataclass(frozen=True, slots=True)
class ProveOutcome(Outcome):
    """The verdicts of the solver and, if it was run, of a second solver on each proof."""

    campaign: Campaign
    opinions: tuple[Opinion, ...] = ()

    @property
    def contradicted(self) -> int:
        """Return the number of proofs that the second solver contradicts."""
        return sum(opinion.answer == CONTRADICTED for opinion in self.opinions)

    @property
    def status(self) -> Status:
        """REFUTED if a verdict is not as expected or a proof is contradicted; UNDECIDED if the only such verdicts are UNKNOWN.

        A proof that the second solver does not find changes nothing.
        """
        failed = self.campaign.failed
        if self.contradicted or any(Verdict.UNKNOWN not in result.verdict for result in failed):
            return Status.REFUTED
        return Status.UNDECIDED if failed else Status.HOLDS

    def to_json(self) -> dict[str, Any]:
        """Return every condition with the verdict, time, seed and hypotheses of each attempt, and the answers of the second solver."""
        found = self.campaign
        return {
            **{"solver": found.solver, "seeds": found.seeds, "seconds": found.seconds, "axioms": found.axioms, "laws": found.laws},
            "cells": [_cell_json(result) for result in found.results],
            "operations": [asdict(each) for each in found.promised],
            "cvc5": [asdict(opinion) for opinion in self.opinions],
        }

    def countermodels(self) -> dict[str, tuple[Frame, ...]]:
        """Return the frames of the model that refutes each refuted claim, by the claim's name."""
        results = self.campaign.results
        return {r.name: frames(r.model) for r in results if r.model and not r.name.startswith(PREFIXES)}


def _cell_json(result: Result) -> dict[str, Any]:
    """Return a result with its model as text."""
    return {**asdict(result), "model": result.model and as_text(result.model), "verdict": result.verdict}


@dataclass(frozen=True, slots=True)
class SpecMutantsOutcome(Outcome):
    """The verdicts on the mutants of the specification."""

    judged: tuple[JudgedStep, ...]
    seconds: float

    @property
    def status(self) -> Status:
        """UNDECIDED if a mutant survived: a proof that it is equivalent may exist."""
        return Status.UNDECIDED if any(each.verdict == SURVIVED for each in self.judged) else Status.HOLDS

    def to_json(self) -> list[dict[str, Any]]:
        """Return every mutant with its verdict, and what shows it."""
        return [
            {"machine": j.mutant.machine, "mutant": j.mutant.name, "verdict": j.verdict, "by": j.by, "seconds": j.seconds}
            for j in self.judged
        ]


@dataclass(frozen=True, slots=True)
class ContractsOutcome(Outcome):
    """The verdicts on the contracts and their twins."""

    decided: tuple[DecidedContract, ...]
    seconds: float

    @property
    def status(self) -> Status:
        """REFUTED if a contract is refuted, UNDECIDED if one is undecided or a twin passes."""
        return contracts_status(self.decided)

    def to_json(self) -> list[dict[str, Any]]:
        """Return every contract with its sentence, bounds and verdict, and its twin with the counterexample to it."""
        return [
            {
                **{"function": d.contract.name, "where": d.contract.where, "contract": d.contract.sentence, "bounds": d.contract.bound()},
                **_function_json(d.judged),
                **{"paths": d.paths, "seconds": round(d.seconds, 1)},
                "twin": {"fault": d.contract.fault, **_function_json(d.twin)},
            }
            for d in self.decided
        ]


def _function_json(judged: JudgedFunction) -> dict[str, Any]:
    return {"verdict": judged.verdict, "note": judged.note, "counterexample": judged.arguments}


@dataclass(frozen=True, slots=True)
class KillMatrix(Outcome):
    """The results of the detectors on each mutant."""

    judged: tuple[Judged, ...]
    seconds: float

    @property
    def status(self) -> Status:
        """HOLDS if each mutant was killed by the property and the detector that must catch it; UNDECIDED if the others were cut off."""
        verdicts = {each.verdict for each in self.judged} - {KILLED}
        return Status.REFUTED if verdicts - {Verdict.UNDECIDED} else Status.UNDECIDED if verdicts else Status.HOLDS

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Return the mutants of which a search was cut off."""
        return tuple(each.name for each in self.judged if any(cell.verdict == Verdict.UNDECIDED for cell in each.cells))

    @property
    def covered(self) -> tuple[str, ...]:
        """Return the ids of the faults reported in the field that have a mutant here."""
        return tuple(sorted({source for each in self.judged for source in each.sources}))

    def to_json(self) -> dict[str, Any]:
        """Return every mutant with the result of each detector, and how the faults of the field are covered."""
        head = {"status": self.status, "seconds": round(self.seconds, 1), "unfinished": self.unfinished}
        field = {"covered": list(self.covered), "out_of_scope": OUT_OF_SCOPE}
        return head | {"mutants": list(map(_mutant_json, self.judged)), "field": field}


def _mutant_json(each: Judged) -> dict[str, Any]:
    out: dict[str, Any] = {"mutant": each.name, "property": each.wanted, "verdict": each.verdict, "field": each.sources}
    out["detector"] = each.detector
    out["detectors"] = {cell.detector: {k: v for k, v in asdict(cell).items() if k != "detector"} for cell in each.cells}
    if found := each.smallest:
        out["smallest"] = {"config": found.config.to_json(), "text": found.violation.text, "trace": trace_json(found.trace)}
    return out


@dataclass(frozen=True, slots=True)
class Reliabilities(Outcome):
    """How reliably the state machine finds each mutant."""

    measured: tuple[Reliability, ...]
    seeds: int
    examples: int  # of the state machine, with each seed
    steps: int  # of an example
    seconds: float

    @property
    def status(self) -> Status:
        """HOLDS if enough seeds found each mutant, or the catalogue names another detector."""
        return Status.HOLDS if all(each.reliable for each in self.measured) else Status.REFUTED

    def to_json(self) -> dict[str, Any]:
        """Return every mutant with the operations that each seed needed."""
        rows = [asdict(each) | {"found": each.found, "reliable": each.reliable} for each in self.measured]
        return {"status": self.status, "seeds": self.seeds, "examples": self.examples, "steps": self.steps, "mutants": rows}


@dataclass(frozen=True, slots=True)
class FalsePositives(Outcome):
    """What was found in correct caches."""

    cleared: tuple[Cleared, ...]
    seeds: int
    places: int  # configurations of each cache
    seconds: float
    host_places: int = 0  # more of them, of caches with a host tier

    @property
    def status(self) -> Status:
        """REFUTED if anything was found."""
        return Status.REFUTED if any(each.found for each in self.cleared) else Status.HOLDS

    def to_json(self) -> dict[str, Any]:
        """Return every cache in every configuration, with its false positives (`alarms`)."""
        rows = [_cleared_json(each) for each in self.cleared]
        return {"status": self.status, "seeds": self.seeds, "seconds": round(self.seconds, 1), "rows": rows}


def _cleared_json(each: Cleared) -> dict[str, Any]:
    found = [{"property": id_, "text": f.violation.text, "trace": trace_json(f.trace)} for id_, f in each.found.items()]
    place = {name: value for name, value in asdict(each.place).items() if value or name not in ("host_pages", "mode")}
    return {"subject": each.subject, **place, "runs": each.runs, "operations": each.operations, "missed": each.missed, "alarms": found}


@dataclass(frozen=True, slots=True)
class FactsOutcome(Outcome):
    """Facts that were tried."""

    decided: tuple[DecidedFact, ...]

    @property
    def status(self) -> Status:
        """The worst status of the facts."""
        return worst(each.status for each in self.decided)

    def to_json(self) -> dict[str, Any]:
        """Return every fact with its verdict, and what was tried."""
        return {"status": self.status, "facts": list(map(_fact_json, self.decided))}


def _fact_json(each: DecidedFact) -> dict[str, Any]:
    fact, tried = each.fact, each.tried
    return {
        **{"id": fact.id, "questions": fact.questions.split(), "claim": fact.claim, "verdict": each.verdict},
        **{"expected": fact.expected, "cases": tried.cases, "against": tried.against, "detail": tried.detail},
        **{"about": fact.about, "seconds": round(each.seconds, 2)},
    }


@dataclass(frozen=True, slots=True)
class FindingsOutcome(Outcome):
    """Findings that were repeated, and the recorded results of long comparisons and searches."""

    repeated: tuple[Repeated, ...]
    comparisons: tuple[Comparison, ...]
    searches: tuple[Search, ...]

    @property
    def status(self) -> Status:
        """REFUTED if a finding was not reproduced, UNDECIDED if one could not be run."""
        seen = {verdict for each in self.repeated for verdict in (each.verdict, each.script)}
        return Status.REFUTED if GONE in seen else Status.UNDECIDED if NOT_RUN in seen else Status.HOLDS

    def to_json(self) -> dict[str, Any]:
        """Return every finding with its trace and its verdicts."""
        return {
            "status": self.status,
            "findings": list(map(_finding_json, self.repeated)),
            "comparisons": [{"left": c.left, "right": c.right, "command": c.command, "result": c.result} for c in self.comparisons],
            "searches": [asdict(s) | {"command": s.command} for s in self.searches],
        }


def _finding_json(each: Repeated) -> dict[str, Any]:
    f = each.finding
    return {
        **{"id": f.id, "subject": f.subject, "versions": list(f.versions), "property": f.broken, "trace": trace_json(f.trace)},
        **{"class": f.kind, "sentence": f.sentence, "consequence": f.consequence, "duty": f.duty, "report": f.report},
        **{"verdict": each.verdict, "text": each.text, "script": each.script, "said": each.script_output},
    }


@dataclass(frozen=True, slots=True)
class BenchOutcome(Outcome):
    """What was measured, and the claims about costs that it decides."""

    results: Measurements
    claims: tuple[DecidedClaim, ...]

    @property
    def status(self) -> Status:
        """HOLDS if every measurement is complete, whatever the claims; else UNDECIDED."""
        return self.results.status

    def to_json(self) -> dict[str, Any]:
        """Return every measurement and the claims."""
        return self.results.to_json() | {"claims": [each.to_json() for each in self.claims]}
