"""Test items of subjects that are named by an option: one for each property, all filled from one search, which the first of them runs."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from radixcheck.verification.core.catalogue import CATALOGUE, MISUSE
from radixcheck.verification.pytest_plugin.settings import PREFIX, Settings
from radixcheck.verification.pytest_plugin.texts import block, undecided
from radixcheck.verification.pytest_plugin.usage_errors import failed, usage
from radixcheck.verification.report import console
from radixcheck.verification.runs.outcome import Request, VerifyOutcome, verified
from radixcheck.verification.runs.request import asked_of
from radixcheck.verification.subjects.registry import UsageError, names_of

RULES = "RULES"  # the item that asks whether every rule of the state machine fired


def requests(wanted: Settings) -> dict[str, Request]:
    """What to check, by subject. Raises `UsageError` if one of them cannot be checked as asked."""
    names = [name for subject in wanted.subjects for name in names_of(subject)]
    return {name: asked_of(name, wanted.policies, wanted.page_sizes, seed=wanted.seed) for name in names}


def items_of(session: pytest.Session, asked: Mapping[str, Request], seconds: float, selected: list[str]) -> Iterator[pytest.Item]:
    """All items, or those that the command line names. Raises `UsageError` for a name that is none."""
    searches = [Search(name, request, seconds) for name, request in asked.items()]
    root = Root.from_parent(session, name="radixcheck", nodeid=PREFIX.removesuffix("::"), searches=searches)
    found = [item for subject in root.collect() for item in subject.collect()]
    for name in selected:
        if not any(_is_in(item, name) for item in found):
            raise UsageError(f"nothing is named {name!r}: it is {PREFIX}SUBJECT::PROPERTY, and `-q --collect-only` lists them")
    yield from (item for item in found if not selected or any(_is_in(item, name) for name in selected))


def _is_in(item: pytest.Item, name: str) -> bool:
    return item.nodeid == name or item.nodeid.startswith(f"{name}::")


class Search:
    """One search, run when it is first asked for; whatever it raises, it raises again for the next."""

    def __init__(self, subject: str, request: Request, seconds: float) -> None:
        self.subject, self.request, self.seconds = subject, request, seconds
        self._outcome: VerifyOutcome | Exception | None = None

    def outcome(self) -> VerifyOutcome:
        """What was found."""
        if self._outcome is None:
            try:
                self._outcome = verified(self.subject, self.request, self.seconds, False, console.silence)
            except Exception as error:
                self._outcome = error
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


class Root(pytest.Collector):
    """Above all subjects."""

    def __init__(self, *, searches: list[Search], **others: Any) -> None:
        super().__init__(**others)
        self.searches = searches

    def collect(self) -> "list[SubjectNode]":
        """One node for each subject."""
        return [SubjectNode.from_parent(self, name=search.subject, search=search) for search in self.searches]


class SubjectNode(pytest.Collector):
    """One subject."""

    def __init__(self, *, search: Search, **others: Any) -> None:
        super().__init__(**others)
        self.search = search

    def collect(self) -> "list[SearchItem]":
        """One item for each property. All of a subject are for one process: a search in each would be a waste."""
        names = [id_ for id_ in CATALOGUE if id_ != MISUSE.id]
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
        """Of the search. Fails with one sentence where the subject cannot be used."""
        with usage(failed):
            return self.search.outcome()

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where it is: in no file."""
        return self.path, None, self.nodeid


class PropertyItem(SearchItem):
    """One property of one subject."""

    def runtest(self) -> None:
        """Passes if the property was TESTED. What cannot be observed is left out, and what was not exercised is no pass."""
        outcome = self.outcome()
        verdict = next(v for v in outcome.report.verdicts if v.property.id == self.name)
        self.user_properties += [("verdict", verdict.verdict), ("checked", verdict.checked), ("non_vacuous", verdict.exercised)]
        if verdict.verdict == "REFUTED":
            pytest.fail(block(outcome, self.name), pytrace=False)
        if verdict.verdict == "NOT OBSERVABLE":
            pytest.skip(f"NOT OBSERVABLE: {verdict.note}")
        if verdict.verdict != "TESTED":
            pytest.fail(undecided(verdict), pytrace=False)


class RulesItem(SearchItem):
    """Whether the search did all that a caller of this subject can do."""

    def runtest(self) -> None:
        """Fails if a rule of the state machine never fired: what it would have shown is not known."""
        idle = self.outcome().report.idle_rules
        if idle:
            pytest.fail(f"undecided: rules of the state machine that never fired: {', '.join(idle)}; give it more seconds", pytrace=False)
