"""Decides the cells of the matrix in worker processes, each with every seed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import cache
from time import perf_counter

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.workers import workers
from radixcheck.verification.proofs.claim import Claim
from radixcheck.verification.proofs.conditions import ANY
from radixcheck.verification.proofs.decide import decide_each, refute_each
from radixcheck.verification.proofs.host_promises import HOST_PROMISES
from radixcheck.verification.proofs.laws import AXIOMS, LAWS
from radixcheck.verification.proofs.matrix import matrix
from radixcheck.verification.proofs.models import model_of
from radixcheck.verification.proofs.promises import CACHE_PROMISES
from radixcheck.verification.proofs.proof_results import HOST, PROVED, REFUTED, Campaign, Cell, Composed, Decided, Opinion, Result, Run
from radixcheck.verification.proofs.refute import Counterexample
from radixcheck.verification.proofs.z3_reader import z3

TOGETHER = 4  # cells per task of a worker


@dataclass(frozen=True, slots=True)
class Suite:
    """What is decided: the matrix with some claims, and a run of a cache for each claim that is refuted.

    Both fields are functions of a module, so that a suite can be pickled: worker processes make the cells themselves.
    """

    claims: Callable[[], Iterable[Claim]]
    run: Callable[[str], Run | None]  # the same fault in a cache, by the id of a claim; None if there is no such run


@cache
def cells(suite: Suite) -> dict[str, Cell]:
    """Return every cell of the suite by its name."""
    return {cell.name: cell for cell in matrix(suite.claims())}


def chosen(suite: Suite, properties: Sequence[str], transitions: Sequence[str], policies: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the cells that match every criterion; an empty one matches all. A cell about any policy matches each policy."""
    return tuple(
        name
        for name, cell in cells(suite).items()
        if (not properties or cell.formula in properties or name in properties)
        and (not transitions or cell.transition in transitions)
        and (not policies or (cell.policy and cell.policy in (*policies, ANY.name)))
    )


def known(suite: Suite, field: str) -> tuple[str, ...]:
    """Return the values of a cell's field that can be chosen."""
    return tuple(dict.fromkeys(getattr(cell, field) for cell in cells(suite).values() if getattr(cell, field)))


def campaign(
    suite: Suite, names: Sequence[str], seeds: Sequence[int], jobs: int, progress: Callable[[Mapping[str, Result]], None]
) -> Campaign:
    """Decide the named cells. `progress` is called with the results so far, by name."""
    start = perf_counter()
    found: dict[str, Result] = {}
    for decided in _decided(suite, names, tuple(seeds), jobs):
        found |= {result.name: result for result in decided}
        progress(found)
    results = tuple(found[name] for name in names)
    solver, laws = f"z3 {z3.get_version_string()}", tuple(LAWS.values())
    return Campaign(results, _promised(results), tuple(seeds), perf_counter() - start, solver, tuple(AXIOMS), laws)


def _promised(results: Iterable[Result]) -> tuple[Composed, ...]:
    """Return the promises of operations all of whose cells were decided."""
    verdicts = {result.name: result.verdict for result in results}
    return tuple(
        Composed(prefix + operation, promise, names, _worst([verdicts[name] for name in names]))
        for prefix, promises in {"": CACHE_PROMISES, HOST: HOST_PROMISES}.items()
        for (operation, promise), cells in promises.composed().items()
        if verdicts.keys() >= {*(names := tuple(prefix + cell for cell in cells))}
    )


def _worst(verdicts: Sequence[str]) -> str:
    return " / ".join(dict.fromkeys(word for word in verdicts if word != PROVED)) or PROVED


def _decided(suite: Suite, names: Sequence[str], seeds: tuple[int, ...], jobs: int) -> Iterator[list[Result]]:
    """Yield the results, a few at a time: decided in this process if they are few, else in worker processes."""
    if len(names) <= TOGETHER:
        yield decide_here(suite, names, seeds)
        return
    with workers(jobs) as pool:
        parts = [names[i : i + TOGETHER] for i in range(0, len(names), TOGETHER)]
        for future in as_completed([pool.submit(decide_here, suite, part, seeds) for part in parts]):
            yield future.result()


def second_opinions(suite: Suite, names: Sequence[str], jobs: int, progress: Callable[[float, str], None]) -> tuple[Opinion, ...]:
    """Ask the second solver about the named cells that must be proved. Raise ImportError if it is not installed."""
    provable = [name for name in names if cells(suite)[name].expected == PROVED]
    found: list[Opinion] = []
    with workers(jobs) as pool:
        for future in as_completed([pool.submit(_confirm, suite, provable[i : i + TOGETHER]) for i in range(0, len(provable), TOGETHER)]):
            found += future.result()
            agreed = sum(opinion.answer == Verdict.CONFIRMED for opinion in found)
            progress(len(found) / len(provable), f"{agreed} of {len(found)} confirmed")
    return tuple(sorted(found, key=lambda opinion: provable.index(opinion.name)))


def _confirm(suite: Suite, names: Sequence[str]) -> list[Opinion]:
    from radixcheck.verification.proofs.second_solver import confirm

    opinions = []
    for name in names:
        start = perf_counter()
        opinions.append(Opinion(name, confirm(cells(suite)[name].condition), perf_counter() - start))
    return opinions


def decide_here(suite: Suite, names: Sequence[str], seeds: tuple[int, ...]) -> list[Result]:
    """Decide the named cells in this process, each with every seed."""
    return [_one(suite, cells(suite)[name], seeds) for name in names]


def _one(suite: Suite, cell: Cell, seeds: tuple[int, ...]) -> Result:
    each, condition = refute_each if cell.expected == REFUTED else decide_each, cell.condition
    verdicts = list(each(condition, seeds))
    decided = tuple(Decided(v.verdict, v.seed, v.seconds, v.hypotheses) for v in verdicts)
    counterexample: Counterexample | None = next((v.counterexample for v in verdicts if v.counterexample), None)
    model = model_of(condition, counterexample) if counterexample else None
    fields = (cell.name, cell.formula, cell.transition, cell.policy, cell.expected, cell.sentence, cell.questions)
    return Result(*fields, decided, model, suite.run(cell.name) if model else None)
