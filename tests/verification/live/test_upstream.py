"""Upstream's own tests of SGLang's radix cache, with its cache and with our backend: marked peers, with UPSTREAM_TESTS."""

import json
import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from places import PACKAGE, TESTS
from upstream_run import CACHES

KNOWN: dict[str, Any] = tomllib.loads((TESTS / "peers" / "upstream_tests.toml").read_text())
COUNTED = ("plain", "theirs", "ours")
Found = Mapping[str, Mapping[str, str]]  # by cache and test: the error, or nothing


def wrong(found: Found, fails: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each failure without a reason, each with another error than its reason has, and each reason without a failure."""
    reasons = {(cache, test): each for each in fails for cache in each["with"] for test in each["tests"]}
    for cache in COUNTED:
        for test, error in found[cache].items():
            reason = reasons.pop((cache, test), None)
            if error and reason is None:
                yield f"{test} fails with {cache}, without a reason: {error}"
            elif error and reason is not None and reason["error"] not in error:
                yield f"{test} fails with {cache} for another reason: {error}"
            elif reason is not None and not error:
                yield f"{test} passes with {cache}; the list says: {reason['why']}"
    yield from (f"{test} is listed for {cache}, and was not run" for cache, test in reasons)


def blob(path: Path) -> str:
    """The name that git gives to a text."""
    data = path.read_bytes()
    return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def counts(found: Found) -> dict[str, str]:
    """How many of the tests pass, by cache."""
    return {cache: f"{sum(not error for error in found[cache].values())} of {len(found[cache])}" for cache in CACHES}


FAILS = [{"with": ["ours"], "error": "no events", "tests": ["T.events"], "why": "it has none"}]
PASSING = {"T.events": "", "T.match": ""}
AS_LISTED = {"plain": PASSING, "theirs": PASSING, "ours": {"T.events": "Refused: no events", "T.match": ""}}


def test_what_fails_as_the_list_says_is_explained() -> None:
    assert list(wrong(AS_LISTED, FAILS)) == []


@pytest.mark.parametrize(
    ("cache", "outcomes", "sentence"),
    [
        ("ours", {"T.events": "Refused: no events", "T.match": "1 != 2"}, "T.match fails with ours, without a reason: 1 != 2"),
        ("theirs", {"T.events": "Refused: no events"}, "T.events fails with theirs, without a reason: Refused: no events"),
        ("ours", {"T.events": "1 != 2"}, "T.events fails with ours for another reason: 1 != 2"),
        ("ours", {"T.events": ""}, "T.events passes with ours; the list says: it has none"),
        ("ours", {}, "T.events is listed for ours, and was not run"),
    ],
)
def test_what_the_list_does_not_explain_is_named(cache: str, outcomes: dict[str, str], sentence: str) -> None:
    assert list(wrong({**AS_LISTED, cache: outcomes}, FAILS)) == [sentence]


def test_each_listed_failure_has_one_reason_for_a_cache() -> None:
    listed = [(cache, test) for each in KNOWN["fails"] for cache in each["with"] for test in each["tests"]]

    assert len(listed) == len(set(listed))
    assert {cache for cache, _ in listed} == set(COUNTED)


@pytest.mark.peers
def test_upstreams_tests_give_with_our_backend_what_the_list_says() -> None:
    """UPSTREAM_TESTS is a folder with the files: the list says where they are; they are in no package."""
    files = [Path(os.environ["UPSTREAM_TESTS"]) / name for name in KNOWN["blobs"]]
    assert {path.name: blob(path) for path in files} == KNOWN["blobs"], f"other texts than at {KNOWN['commit']}"
    command = [os.environ["RADIXCHECK_PEERS"], "-W", "ignore", str(TESTS / "upstream_run.py"), *map(str, files)]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent), "CUDA_VISIBLE_DEVICES": ""}

    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr[-2_000:]
    each = [{cache: outcomes[cache] for cache in CACHES} for outcomes in json.loads(ran.stdout).values()]
    found = {cache: {test: error for outcomes in each for test, error in outcomes[cache].items()} for cache in CACHES}
    print(f"\nupstream's tests that pass: {counts(found)}")
    assert list(wrong(found, KNOWN["fails"])) == []
    assert list(wrong({**found, "ours": found["short"]}, KNOWN["fails"])), "matches that lack a page are not noticed"
