"""The settings of a watch: what a command writes into the environment, a server reads from it."""

import logging
from dataclasses import fields
from pathlib import Path

import pytest

from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.watch.watch_settings import FOLDER, NAMES, WatchSettings, settings_of_server


@pytest.mark.parametrize(
    "settings",
    [
        WatchSettings(Path("a folder")),
        WatchSettings(Path("f"), 0, frozenset({"ORDER", "all"}), True, 9_000, 1),
        WatchSettings(Path("f"), abort_on=frozenset({"WATCH", "LEAFSET", "ARRIVAL"})),
    ],
)
def test_settings_are_read_as_they_were_written(settings: WatchSettings) -> None:
    assert WatchSettings.from_environment({"PATH": "x", **settings.to_environment()}) == settings


def test_what_is_at_its_default_is_not_in_the_environment() -> None:
    assert WatchSettings(Path("f")).to_environment() == {FOLDER: "f"}


def test_every_setting_has_a_name() -> None:
    assert {each.name for each in fields(WatchSettings)} == {"folder", *NAMES}


@pytest.mark.parametrize("environment", [{}, {FOLDER: ""}, {NAMES["budget_us"]: "nonsense"}])
def test_without_a_folder_nothing_is_watched(environment: dict[str, str]) -> None:
    assert WatchSettings.from_environment(environment) is None


@pytest.mark.parametrize(
    ("field", "text", "names"),
    [
        ("budget_us", "fast", "RADIXCHECK_WATCH_BUDGET is 'fast': give an integer"),
        ("budget_us", "-1", "the budget is -1: give microseconds from 0 to"),
        ("operations", "0", "the number of operations is 0: give operations from 1 to"),
        ("metrics_port", "70000", "the port of the metrics is 70000: give a port from 1 to 65535"),
        ("shadow", "yes", "RADIXCHECK_WATCH_SHADOW is 'yes': give 1, or 0"),
        ("abort_on", "ORDER, TRUTH", "there is no property 'TRUTH' to abort on"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_in_a_server_a_line_in_the_log(
    field: str, text: str, names: str, caplog: pytest.LogCaptureFixture
) -> None:
    environment = {FOLDER: "f", NAMES[field]: text}

    with pytest.raises(UsageError) as wrong:
        WatchSettings.from_environment(environment)
    assert names in str(wrong.value)
    with caplog.at_level(logging.ERROR, "radixcheck"):
        assert settings_of_server(environment) is None
    assert caplog.messages == [f"the cache is not watched: {wrong.value}"]


def test_an_empty_value_is_the_default() -> None:
    assert WatchSettings.from_environment({FOLDER: "f", **dict.fromkeys(NAMES.values(), "")}) == WatchSettings(Path("f"))


def test_only_the_properties_that_are_named_end_a_process() -> None:
    some, every = (WatchSettings(Path("f"), abort_on=frozenset({name})) for name in ("ORDER", "all"))

    assert [one.aborts_on(name) for one in (some, every, WatchSettings(Path("f"))) for name in ("ORDER", "COUNT")] == [
        *(True, False),
        *(True, True),
        *(False, False),
    ]
