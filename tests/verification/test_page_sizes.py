"""Any page size: the caches of the project are right under all kinds of them, and what is declared is compared with what is given."""

import json

import pytest
from fast_tier import slow_unless

from radixcheck.verification.core.found import Config
from radixcheck.verification.core.page_sizes import DRAWN, EVERY, LARGEST, drawn_from, sizes_text
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.protocol import Supports
from radixcheck.verification.remote import parse_answers
from radixcheck.verification.remote.process import ProtocolError
from radixcheck.verification.remote.serve import Server
from radixcheck.verification.runs.checked_bounds import bounds_for, shared_bounds
from radixcheck.verification.search.run import random_run
from radixcheck.verification.subjects.reference_subject import ReferenceSubject, reference_subject
from radixcheck.verification.subjects.registry import resolve

KNOWN = {"base": {"RECENCY"}, "leaf-set": {"RECENCY"}}  # what they break under every page size


def subject_with(*page_sizes: int) -> Subject:
    """A subject that declares these page sizes."""
    return Subject("mine", reference_subject, Supports(page_sizes=page_sizes), True, False)


@pytest.mark.parametrize("page_size", [*DRAWN, 6, 7, 24, 48, 255, 1000, LARGEST])
@pytest.mark.parametrize(
    "name", slow_unless(lambda name: name in ("reference", "optimized"), ["reference", "optimized", "model", "base", "leaf-set"])
)
def test_the_built_in_caches_are_right_under_any_page_size(name: str, page_size: int) -> None:
    subject = resolve(name)
    bounds = bounds_for(subject, page_sizes=(page_size,))
    assert bounds.page_sizes == (page_size,)
    for seed in range(2):
        result = random_run(
            subject, Config(subject.supports.policies[seed % len(subject.supports.policies)], page_size, 10 * page_size), seed
        )
        assert result.found.keys() <= KNOWN.get(name, set()), result.found


def test_a_search_draws_from_what_the_subject_supports() -> None:
    assert bounds_for(resolve("reference")).page_sizes == DRAWN
    assert bounds_for(subject_with(16, 48)).page_sizes == (16,)
    assert bounds_for(subject_with(7)).page_sizes == (7,)
    assert drawn_from(EVERY, (7, 9), range(8, 100)) == (9,)


def test_two_subjects_are_compared_under_what_both_support() -> None:
    seven, reference = subject_with(7), resolve("reference")
    assert shared_bounds(seven, reference).page_sizes == (7,)
    assert shared_bounds(reference, seven).page_sizes == (7,)
    assert shared_bounds(reference, reference, page_sizes=(48,)).page_sizes == (48,)
    with pytest.raises(UsageError, match="share no policy or no page size"):
        shared_bounds(seven, subject_with(8))


def test_an_unsupported_page_size_is_refused_in_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"^reference does not support page size 5000: it declares 1 to 4096$"):
        bounds_for(resolve("reference"), page_sizes=(5000,))
    with pytest.raises(UsageError, match=r"^mine does not support page size 3: it declares 1, 2, 16$"):
        bounds_for(subject_with(1, 2, 16), page_sizes=(3,))
    assert sizes_text(EVERY) == "1 to 4096"


def test_of_a_small_pool_only_page_sizes_that_fit_are_drawn() -> None:
    bounds = bounds_for(resolve("reference"), pool=100)
    assert (bounds.page_sizes, bounds.too_large) == ((1, 2, 3, 4, 5, 8, 16), (32, 64, 100, 128, 256))
    assert {config.pool % config.page_size for config in bounds.configs()} == {0}
    with pytest.raises(UsageError, match="give at least 160"):
        bounds_for(resolve("reference"), page_sizes=(1, 32), pool=100)
    with pytest.raises(UsageError, match=r"give at least 5$"):
        bounds_for(resolve("reference"), pool=4)


def test_a_range_of_page_sizes_goes_through_the_protocol() -> None:
    message = {"do": "make", "protocol": 1, "page_size": 48, "policy": "lru", "pool": 96, "device": "cpu"}
    made = json.loads(json.dumps(Server(ReferenceSubject.of).answer(message)))
    assert made["supports"]["page_sizes"] == {"from": 1, "to": LARGEST}
    assert parse_answers.supports(made).page_sizes == EVERY
    assert parse_answers.supports({"supports": {"page_sizes": [1, 2]}}).page_sizes == (1, 2)


@pytest.mark.parametrize(
    "wrong", [{"from": 1}, {"from": 0, "to": 4}, {"from": 4, "to": 1}, {"from": 1, "to": 2**70}, {"from": 1, "to": 2.5}]
)
def test_a_wrong_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ProtocolError, match=r"page.size"):
        parse_answers.supports({"supports": {"page_sizes": wrong}})
