"""The machine takes the steps that the text of the operations says, and answers what it says."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

from interpreter import value
from machine_calls import Taken, calls, values_of

from radixcheck.spec.logic import INT, var
from radixcheck.spec.operations import LONGEST, OPERATIONS, PARAMETERS, Stage, longest
from radixcheck.spec.run.reader import holds
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import eps
from radixcheck.spec.transitions import CACHE


def test_every_place_of_every_chain_is_taken() -> None:
    seen = Counter[str]()
    for seed in range(40):
        for taken in calls(seed, 200):
            seen[taken.call.operation] += 1
            seen.update(f"{taken.call.operation}:{step.name}" for step, _, _ in taken.steps)

    assert OPERATIONS.keys() <= seen.keys()
    assert {f"{o.name}:{step}" for o in OPERATIONS.values() for stage in o.chain for step in stage.steps} <= seen.keys()


def due(stage: Stage, state: State, names: dict[str, int]) -> tuple[str, tuple[int, ...]] | None:
    """The step that a stage which is no loop takes, read naively from the text; without the page, which is chosen."""
    for take in stage.takes:
        if value(take.when, state, names):
            return take.transition.name, tuple(value(argument, state, names) for argument in take.arguments if argument.args != ("s",))
    return None


def follow(taken: Taken) -> Iterator[str]:
    """Follow the chain of a call beside the steps that the machine has taken; the names of those that were compared."""
    operation, state, rest = OPERATIONS[taken.call.operation], taken.before, list(taken.steps)
    names = values_of(taken.call) | {"longest": taken.call.longest}
    names |= {p.args[0]: given for p, given in zip(operation.takes, taken.given, strict=True)}
    if operation.key is not eps:
        assert value(LONGEST, state, names)
    for stage in operation.chain:
        if stage.loop:
            while rest and rest[0][0].name in stage.steps:
                state = rest.pop(0)[2]
        elif (step := due(stage, state, names)) is not None:
            transition, arguments, state = rest.pop(0)
            assert (transition.name, arguments[: len(step[1])]) == step, taken.call
            yield transition.name
    assert rest == []


def test_the_machine_takes_what_the_text_says() -> None:
    compared = Counter(name for seed in range(16) for taken in calls(seed, 100) for name in follow(taken))
    assert compared.keys() == {"split", "touch", "begin", "extend", "fill", "grow", "relock", "release", "reset"}


@cache
def answers(name: str) -> Callable[..., bool] | None:
    """Whether the term of an operation's answer is a number of tokens, after a call with these parameters."""
    answer, tokens = OPERATIONS[name].answer, var("answered", INT)
    return None if answer is None else holds(answer == tokens, (*PARAMETERS, longest, tokens))


def test_the_answer_of_a_call_is_what_its_term_says() -> None:
    compared = Counter[str]()
    for taken in (taken for seed in range(8) for taken in calls(seed, 100)):
        call, after = taken.call, taken.steps[-1][2] if taken.steps else taken.before
        if (right := answers(call.operation)) is not None:
            p = after.positions
            tokens = len(call.freed) * p.page_size if call.operation == "evict" else p.length[call.found]
            values = (*values_of(call).values(), call.longest)
            assert right(after, taken.before, *values, tokens), call
            assert not right(after, taken.before, *values, tokens + 1)
            compared[call.operation] += 1
    assert compared.keys() == {"match", "peek", "insert", "evict", "start", "chunk"}


def test_every_transition_has_its_requires_and_its_effect_in_words() -> None:
    for step in CACHE:
        for sentence in (step.requires, step.effect):
            assert (sentence[-1:], sentence.count(".")) == (".", 1), step.name
