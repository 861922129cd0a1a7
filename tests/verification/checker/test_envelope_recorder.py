"""Each quantity of the envelope, recorded from a run of known operations."""

from dataclasses import replace

import pytest
from hiding import BLACK_BOX, Hiding

from radixcheck.spec.values import Key
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.core.envelope import Envelope
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.run import random_run, replay
from radixcheck.verification.subjects.reference_subject import reference_subject

A, AB, AC, OTHER = Key((1, 1)), Key((1, 1, 2, 2)), Key((1, 1, 7, 7)), Key((9, 2**40), ("lora",))
TRACE = (
    *(Op("insert", key) for key in (A, AB, AC, OTHER)),
    *(Op("match", AB), Op("lock", AB, 1), Op("lock", AB, 2), Op("alloc", A, 3)),
    *(Op("start", Key((1, 1, 2)), 4, priority=6), Op("decode", holder=4, amount=2**41)),
    *(Op("evict", amount=99), Op("alloc", Key((1,) * 50), 5), Op("reset")),
    *(Op("unlock", holder=1), Op("unlock", holder=2), Op("free", holder=3), Op("finish", holder=4), Op("reset")),
)


def hidden(setup: Setup) -> Hiding:
    return Hiding(reference_subject(setup), BLACK_BOX)


@pytest.mark.parametrize("factory", [reference_subject, hidden])
def test_each_quantity_is_recorded_from_the_specification(factory: Factory) -> None:
    checker = Checker(factory, "lru", 2, 20)

    assert [checker.step(op) for op in TRACE] == [[]] * len(TRACE)
    assert checker.envelope == Envelope(
        operations=18,
        ticks=7,
        refused=2,
        resets=1,
        token=2**41,
        key_tokens=4,
        key_pages=2,
        depth=2,
        root_children=2,
        inner_children=2,
        namespaces=2,
        holders=3,
        requests=1,
        locks=2,
        loans=1,
        hits=4,
        priority=6,
        slot=11,
        pool=20,
        victims=2,
    )


def test_a_run_has_the_envelope_of_its_checker_and_merged_runs_the_larger_values() -> None:
    config = Config("lru", 2, 20)
    short = replay(reference_subject, config, TRACE[:4])
    random = random_run(reference_subject, replace(config, pool=40), seed=1)
    short.merge(random)

    assert short.envelope == random.envelope.merge(replay(reference_subject, config, TRACE[:4]).envelope)
    assert short.envelope.pool == 40
    assert short.envelope.token == 2**40
