"""Decides the cells of the matrix in worker processes, each with every seed, and tells which came out as expected."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import cache
from time import perf_counter

from radixcheck.verification.core.workers import workers
from radixcheck.verification.proofs.claim import Claim
from radixcheck.verification.proofs.conditions import ANY
from radixcheck.verification.proofs.decide import PROVED, REFUTED, decide_each, refute_each
from radixcheck.verification.proofs.laws import AXIOMS, LAWS
from radixcheck.verification.proofs.matrix import Cell, matrix
from radixcheck.verification.proofs.models import Model, Run, model_of
from radixcheck.verification.proofs.promises import composed
from radixcheck.verification.proofs.refute import Counterexample
from radixcheck.verification.proofs.z3_reader import z3

TOGETHER = 4  # cells that a worker takes at once


@dataclass(frozen=True, slots=True)
class Suite:
    """What is decided: the matrix with some claims, and a run of a cache for each claim that is refuted.

    Both fields are functions of a module, so that a suite can be pickled: worker processes make the cells themselves.
    """

    claims: Callable[[], Iterable[Claim]]
    run: Callable[[str], Run | None]  # the same fault in a cache, by the id of a claim; None if there is no such run


@dataclass(frozen=True, slots=True)
class Decided:
    """A verdict with one seed."""

    verdict: str
    seed: int
    seconds: float
    hypotheses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one cell."""

    name: str
    formula: str
    transition: str
    policy: str
    expected: str
    sentence: str
    questions: str
    decided: tuple[Decided, ...]  # with each seed
    model: Model | None  # of the first refutation
    run: Run | None  # the same fault in a cache

    @property
    def verdict(self) -> str:
        """The verdict with every seed, or all that came out."""
        return " / ".join(dict.fromkeys(each.verdict for each in self.decided))

    @property
    def as_expected(self) -> bool:
        """Whether every seed gave what is expected."""
        return self.verdict == self.expected


@dataclass(frozen=True, slots=True)
class Composed:
    """A promise of an operation, and the cells that together prove it."""

    operation: str
    promise: str
    cells: tuple[str, ...]
    verdict: str  # PROVED if all of them are, with every seed; else what the others are


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a second solver says of a condition that is proved."""

    name: str
    answer: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Campaign:
    """Every result, and under what they were obtained."""

    results: tuple[Result, ...]
    seeds: tuple[int, ...]
    seconds: float
    solver: str
    axioms: tuple[str, ...]
    laws: tuple[str, ...]

    @property
    def promised(self) -> tuple[Composed, ...]:
        """The promises of operations of whose cells all were decided."""
        verdicts = {result.name: result.verdict for result in self.results}
        return tuple(
            Composed(operation, promise, cells, _worst([verdicts[name] for name in cells]))
            for (operation, promise), cells in composed().items()
            if verdicts.keys() >= set(cells)
        )

    @property
    def failed(self) -> tuple[Result, ...]:
        """What is not as expected."""
        return tuple(result for result in self.results if not result.as_expected)


def _worst(verdicts: Sequence[str]) -> str:
    return " / ".join(dict.fromkeys(word for word in verdicts if word != PROVED)) or PROVED


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


def campaign(suite: Suite, names: Sequence[str], seeds: Sequence[int], jobs: int, told: Callable[[Mapping[str, Result]], None]) -> Campaign:
    """Decide the named cells. `told(results so far, by name)` is called for each few of them."""
    start = perf_counter()
    found: dict[str, Result] = {}
    for decided in _decided(suite, names, tuple(seeds), jobs):
        found |= {result.name: result for result in decided}
        told(found)
    results = tuple(found[name] for name in names)
    return Campaign(results, tuple(seeds), perf_counter() - start, f"z3 {z3.get_version_string()}", tuple(AXIOMS), tuple(LAWS.values()))


def _decided(suite: Suite, names: Sequence[str], seeds: tuple[int, ...], jobs: int) -> Iterator[list[Result]]:
    """Yield the results, a few at a time: decided here if they are few, else in worker processes."""
    if len(names) <= TOGETHER:
        yield decide_here(suite, names, seeds)
        return
    with workers(jobs) as pool:
        parts = [names[i : i + TOGETHER] for i in range(0, len(names), TOGETHER)]
        for future in as_completed([pool.submit(decide_here, suite, part, seeds) for part in parts]):
            yield future.result()


def second_opinions(suite: Suite, names: Sequence[str], jobs: int, progress: Callable[[float, str], None]) -> tuple[Opinion, ...]:
    """Ask the second solver about the named cells that are expected to be proved. Raises ImportError if it is not there."""
    from radixcheck.verification.proofs import second_solver

    asked = [name for name in names if cells(suite)[name].expected == PROVED]
    found: list[Opinion] = []
    with workers(jobs) as pool:
        for future in as_completed([pool.submit(_confirm, suite, asked[i : i + TOGETHER]) for i in range(0, len(asked), TOGETHER)]):
            found += future.result()
            agreed = sum(opinion.answer == second_solver.CONFIRMED for opinion in found)
            progress(len(found) / len(asked), f"{agreed} of {len(found)} confirmed")
    return tuple(sorted(found, key=lambda opinion: asked.index(opinion.name)))


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
    said = (cell.name, cell.formula, cell.transition, cell.policy, cell.expected, cell.sentence, cell.questions)
    return Result(*said, decided, model, suite.run(cell.name) if model else None)
