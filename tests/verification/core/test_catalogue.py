"""The catalogue: what is shown of which cache."""

from radixcheck.verification.core.catalogue import CATALOGUE, EVERY, HOST_CHECKS, HOST_FORMULAS, properties_of
from radixcheck.verification.protocol import MODES, Supports


def test_a_cache_without_a_host_tier_has_the_properties_that_it_had() -> None:
    assert properties_of(Supports()) == tuple(CATALOGUE.values())


def test_a_cache_with_a_host_tier_has_those_of_the_tier_too_each_once() -> None:
    shown = {p.id: p for p in properties_of(Supports(modes=MODES))}
    of_host = {**HOST_FORMULAS, **{p.id: p for p in HOST_CHECKS}}

    assert list(shown) == list(EVERY)
    assert {id_: shown[id_] for id_ in of_host} == of_host
    assert len({p.id for p in HOST_CHECKS} & {*CATALOGUE, *HOST_FORMULAS}) == 0


def test_every_property_has_a_sentence_and_a_mutant() -> None:
    assert [p.id for p in EVERY.values() if not (p.sentence and p.mutant)] == []
