"""Test items of the subjects that an option names: one item for each property, all filled from one search that the first item runs."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from radixcheck.verification.core.catalogue import MISUSE, properties_of
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.pytest_plugin.settings import PREFIX, Settings
from radixcheck.verification.pytest_plugin.texts import block, undecided
from radixcheck.verification.pytest_plugin.usage_errors import failed, usage
from radixcheck.verification.runs.checked_bounds import bounds_for
from radixcheck.verification.runs.run_results import VerifyOutcome
from radixcheck.verification.runs.verify_job import VerifyRequest, search_subject
from radixcheck.verification.subjects.registry import names_of, resolve

RULES = "RULES"  # the item that fails if the search did not do all that a caller can do


def requests(wanted: Settings) -> list[VerifyRequest]:
    """Return each subject with what to check. Raise UsageError if a subject does not support it."""
    subjects = [resolve(name) for given in wanted.subjects for name in names_of(given)]
    return [
        VerifyRequest(
            subject,
            bounds_for(
                subject,
                wanted.policies,
                wanted.page_sizes,
                seed=wanted.seed,
                seconds=wanted.seconds,
                modes=wanted.modes,
                host_pool=wanted.host_pool,
            ),
        )
        for subject in subjects
    ]


def items_of(session: pytest.Session, wanted: Sequence[VerifyRequest], selected: list[str]) -> Iterator[pytest.Item]:
    """Yield all items, or those that the command line names. Raise UsageError for an unknown name."""
    root = Root.from_parent(session, name="radixcheck", nodeid=PREFIX.removesuffix("::"), searches=list(map(Search, wanted)))
    found = [item for subject in root.collect() for item in subject.collect()]
    for name in selected:
        if not any(_is_in(item, name) for item in found):
            raise UsageError(f"nothing is named {name!r}: it is {PREFIX}SUBJECT::PROPERTY, and `-q --collect-only` lists them")
    yield from (item for item in found if not selected or any(_is_in(item, name) for name in selected))


def _is_in(item: pytest.Item, name: str) -> bool:
    return item.nodeid == name or item.nodeid.startswith(f"{name}::")


class Search:
    """One search, run when its outcome is first needed. An exception that it raises is raised again for each item."""

    def __init__(self, request: VerifyRequest) -> None:
        self.request = request
        self._outcome: VerifyOutcome | Exception | None = None

    def outcome(self) -> VerifyOutcome:
        """Return the outcome; run the search first if need be."""
        if self._outcome is None:
            try:
                self._outcome = search_subject(self.request)
            except Exception as error:
                self._outcome = error
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


class Root(pytest.Collector):
    """The collector of all subjects."""

    def __init__(self, *, searches: list[Search], **others: Any) -> None:
        super().__init__(**others)
        self.searches = searches

    def collect(self) -> "list[SubjectNode]":
        """Return one collector for each subject."""
        return [SubjectNode.from_parent(self, name=search.request.subject.name, search=search) for search in self.searches]


class SubjectNode(pytest.Collector):
    """One subject."""

    def __init__(self, *, search: Search, **others: Any) -> None:
        super().__init__(**others)
        self.search = search

    def collect(self) -> "list[SearchItem]":
        """Return one item for each property. Under xdist one process runs all of them, so that the search runs once."""
        names = [p.id for p in properties_of(self.search.request.subject.supports) if p is not MISUSE]
        found: list[SearchItem] = [PropertyItem.from_parent(self, name=name, search=self.search) for name in names]
        found.append(RulesItem.from_parent(self, name=RULES, search=self.search))
        if self.config.pluginmanager.hasplugin("xdist"):
            for item in found:
                item.add_marker(pytest.mark.xdist_group(self.name))
        return found


class SearchItem(pytest.Item):
    """An item that reads the outcome of a search."""

    def __init__(self, *, search: Search, **others: Any) -> None:
        super().__init__(**others)
        self.search = search

    def outcome(self) -> VerifyOutcome:
        """Return the outcome of the search. Fail the test with one sentence if the subject cannot be used."""
        with usage(failed):
            return self.search.outcome()

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """The item belongs to no file: return its node id."""
        return self.path, None, self.nodeid


class PropertyItem(SearchItem):
    """One property of one subject."""

    def runtest(self) -> None:
        """Pass if the property was TESTED, skip if it is NOT OBSERVABLE, else fail."""
        outcome = self.outcome()
        verdict = next(v for v in outcome.report.verdicts if v.property.id == self.name)
        self.user_properties += [("verdict", verdict.verdict), ("checked", verdict.checked), ("non_vacuous", verdict.exercised)]
        if verdict.verdict == Verdict.REFUTED:
            pytest.fail(block(outcome, self.name), pytrace=False)
        if verdict.verdict == Verdict.NOT_OBSERVABLE:
            pytest.skip(f"NOT OBSERVABLE: {verdict.note}")
        if verdict.verdict != Verdict.TESTED:
            pytest.fail(undecided(verdict), pytrace=False)


class RulesItem(SearchItem):
    """The item that covers what leaves a search undecided."""

    def runtest(self) -> None:
        """Fail if a rule never fired, an edge was never taken or the time was over: what would have been found is unknown."""
        gaps = self.outcome().report.gaps
        if gaps:
            pytest.fail(f"undecided: {'; '.join(gaps)}; give it more seconds", pytrace=False)
