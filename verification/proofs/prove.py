"""Decides the cells of the matrix in worker processes, each with every seed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from functools import cache
from time import perf_counter

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.workers import workers
from radixcheck.verification.proofs.conditions import ANY
from radixcheck.verification.proofs.decide import decide_each, refute_each
from radixcheck.verification.proofs.laws import AXIOMS, LAWS
from radixcheck.verification.proofs.matrix import matrix
from radixcheck.verification.proofs.models import model_of
from radixcheck.verification.proofs.promises import composed
from radixcheck.verification.proofs.proof_results import PROVED, REFUTED, Campaign, Cell, Composed, Decided, Opinion, Result, Run
from radixcheck.verification.proofs.refute import Counterexample
from radixcheck.verification.proofs.z3_reader import z3

TOGETHER = 4  # cells per task of a worker


@cache
def _cells() -> dict[str, Cell]:
    return {cell.name: cell for cell in matrix()}


def chosen(properties: Sequence[str], transitions: Sequence[str], policies: Sequence[str]) -> tuple[str, ...]:
    """Names of the cells that are asked for; of all, where nothing is said. What is proved of any policy is proved of each."""
    return tuple(
        name
        for name, cell in _cells().items()
        if (not properties or cell.formula in properties or name in properties)
        and (not transitions or cell.transition in transitions)
        and (not policies or (cell.policy and cell.policy in (*policies, ANY.name)))
    )


def planned(names: Sequence[str]) -> tuple[Cell, ...]:
    """The named cells."""
    return tuple(_cells()[name] for name in names)


def known(field: str) -> tuple[str, ...]:
    """The values of a cell's field that can be asked for."""
    return tuple(dict.fromkeys(getattr(cell, field) for cell in _cells().values() if getattr(cell, field)))


def campaign(names: Sequence[str], seeds: Sequence[int], jobs: int, progress: Callable[[Mapping[str, Result]], None]) -> Campaign:
    """Decide the named cells. `progress` is called with the results so far, by name."""
    start = perf_counter()
    found: dict[str, Result] = {}
    for decided in _decided(names, tuple(seeds), jobs):
        found |= {result.name: result for result in decided}
        progress(found)
    results = tuple(found[name] for name in names)
    solver, laws = f"z3 {z3.get_version_string()}", tuple(LAWS.values())
    return Campaign(results, _promised(results), tuple(seeds), perf_counter() - start, solver, tuple(AXIOMS), laws)


def _promised(results: Iterable[Result]) -> tuple[Composed, ...]:
    """Return the promises of operations all of whose cells were decided."""
    verdicts = {result.name: result.verdict for result in results}
    return tuple(
        Composed(operation, promise, cells, _worst([verdicts[name] for name in cells]))
        for (operation, promise), cells in composed().items()
        if verdicts.keys() >= set(cells)
    )


def _worst(verdicts: Sequence[str]) -> str:
    return " / ".join(dict.fromkeys(word for word in verdicts if word != PROVED)) or PROVED


def _decided(names: Sequence[str], seeds: tuple[int, ...], jobs: int) -> Iterator[list[Result]]:
    """Yield the results, a few at a time: decided in this process if they are few, else in worker processes."""
    if len(names) <= TOGETHER:
        yield _decide(names, seeds)
        return
    with workers(jobs) as pool:
        parts = [names[i : i + TOGETHER] for i in range(0, len(names), TOGETHER)]
        for future in as_completed([pool.submit(_decide, part, seeds) for part in parts]):
            yield future.result()


def second_opinions(names: Sequence[str], jobs: int, progress: Callable[[float, str], None]) -> tuple[Opinion, ...]:
    """Ask the second solver about the named cells that must be proved. Raise ImportError if it is not installed."""
    provable = [name for name in names if _cells()[name].expected == PROVED]
    found: list[Opinion] = []
    with workers(jobs) as pool:
        for future in as_completed([pool.submit(_confirm, provable[i : i + TOGETHER]) for i in range(0, len(provable), TOGETHER)]):
            found += future.result()
            agreed = sum(opinion.answer == Verdict.CONFIRMED for opinion in found)
            progress(len(found) / len(provable), f"{agreed} of {len(found)} confirmed")
    return tuple(sorted(found, key=lambda opinion: provable.index(opinion.name)))


def _confirm(names: Sequence[str]) -> list[Opinion]:
    from radixcheck.verification.proofs.second_solver import confirm

    opinions = []
    for name in names:
        start = perf_counter()
        opinions.append(Opinion(name, confirm(_cells()[name].condition), perf_counter() - start))
    return opinions


def _decide(names: Sequence[str], seeds: tuple[int, ...]) -> list[Result]:
    return [_one(_cells()[name], seeds) for name in names]


def _one(cell: Cell, seeds: tuple[int, ...]) -> Result:
    each, condition = refute_each if cell.expected == REFUTED else decide_each, cell.condition
    verdicts = list(each(condition, seeds))
    decided = tuple(Decided(v.verdict, v.seed, v.seconds, v.hypotheses) for v in verdicts)
    counterexample: Counterexample | None = next((v.counterexample for v in verdicts if v.counterexample), None)
    model = model_of(condition, counterexample) if counterexample else None
    fields = (cell.name, cell.formula, cell.transition, cell.policy, cell.expected, cell.sentence, cell.questions)
    return Result(*fields, decided, model, _run(cell.name) if model else None)


def _run(claim: str) -> Run | None:
    from radixcheck.verification.proofs.runs import shortest  # caches need torch, which most proofs can do without

    return shortest(claim)
