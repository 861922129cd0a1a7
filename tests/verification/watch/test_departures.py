"""Accepted departures: each is of a cache, a property and a verb that exist, for the versions that it names."""

import re

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.findings.finding import findings
from radixcheck.verification.subjects.registry import known
from radixcheck.verification.watch import watched_call
from radixcheck.verification.watch.departures import Departure, Departures, departures

CACHES = {named.name for named in known()} | {"radixcheck"}
FINDINGS = {finding.id: finding for finding in findings()}
VERBS = {value for name, value in vars(watched_call).items() if name.isupper()}


def wrong(each: Departure) -> list[str]:
    """What is wrong with one."""
    finding = FINDINGS.get(each.finding)
    return [
        *([] if each.cache in CACHES else ["cache"]),
        *([] if each.property in EVERY else ["property"]),
        *([] if each.verb in VERBS | {""} else ["verb"]),
        *([] if each.versions and all(re.fullmatch(r"[\d.]+\w*", version) for version in each.versions) else ["versions"]),
        *([] if len(each.why) > 40 and each.why.endswith(".") else ["why"]),
        *([] if not each.finding or (finding and finding.subject == each.cache) else ["finding"]),
    ]


def test_every_departure_is_about_what_exists() -> None:
    assert {each: found for each in departures() if (found := wrong(each))} == {}
    assert {(each.cache, each.property) for each in departures()} >= {("sglang-classic", "TIME_MONO"), ("sglang-python", "TIME_MONO")}


def test_a_departure_about_what_does_not_exist_is_seen() -> None:
    assert wrong(Departure("nobody", (), "TRUTH", "so", "sing", "absent")) == ["cache", "property", "verb", "versions", "why", "finding"]
    assert wrong(Departure("sglang-python", ("0.5.23",), "ORDER", "x" * 40 + ".", finding="classic-split-renews-creation")) == ["finding"]


def test_a_departure_is_accepted_in_the_versions_that_it_names_and_no_other() -> None:
    assert Departures.of("sglang-classic", "0.5.23").accepts("TIME_MONO", "match")
    assert not Departures.of("sglang-classic", "0.5.24").accepts("TIME_MONO", "match")
    assert not Departures.of("sglang-classic", "0.5.23").accepts("ORDER", "match")
    assert not Departures.of("radixcheck", "0.5.23").accepts("TIME_MONO", "match")
    assert not Departures().accepts("TIME_MONO", "match")


def test_a_departure_of_one_verb_is_a_finding_after_another() -> None:
    one = Departures.among([Departure("c", ("1",), "ORDER", "", "evict"), Departure("c", ("2",), "COUNT", "")], "c", "1")

    assert (one.accepts("ORDER", "evict"), one.accepts("ORDER", "match"), one.accepts("COUNT", "match")) == (True, False, False)
