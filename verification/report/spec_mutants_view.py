"""The result of `radixcheck prove --mutate` at the terminal."""

from collections import Counter
from typing import Any

from rich.text import Text

from radixcheck.verification.proofs.proof_results import CAUGHT, EQUIVALENT, SURVIVED
from radixcheck.verification.report.style import Tone, of_status, table, toned
from radixcheck.verification.runs.evidence_results import SpecMutantsOutcome

VERDICTS = (CAUGHT, EQUIVALENT, SURVIVED)


def spec_mutants(outcome: SpecMutantsOutcome) -> list[Any]:
    """Return the equivalent mutants and why, the numbers by machine and by formula, and the mutants that survived."""
    judged = outcome.judged
    same = table("equivalent mutant", "because it is proved that")
    for each in judged:
        if each.verdict == EQUIVALENT:
            same.add_row(f"{each.mutant.machine}: {each.mutant.name}", each.by)
    counts = table("machine", "mutants", *VERDICTS)
    for machine in dict.fromkeys(each.mutant.machine for each in judged):
        verdicts = Counter(each.verdict for each in judged if each.mutant.machine == machine)
        counts.add_row(machine, str(verdicts.total()), *(str(verdicts[verdict]) for verdict in VERDICTS))
    by = Counter(each.by.partition(" ")[0].rpartition("/")[2] for each in judged if each.verdict == CAUGHT)
    caught = toned("caught by " + ", ".join(f"{formula} {count}" for formula, count in by.most_common()), Tone.DIM)
    survived = [toned(f"SURVIVED {each.mutant.machine}: {each.mutant.name}", Tone.BAD) for each in judged if each.verdict == SURVIVED]
    total = Counter(each.verdict for each in judged)
    words = f"{len(judged)} mutants of the specification: {', '.join(f'{total[verdict]} {verdict}' for verdict in VERDICTS)}"
    last = Text.assemble(of_status(words, outcome.status), f", {outcome.seconds:.0f} s")
    return [same, Text(), counts, Text(), caught, *survived, last]
