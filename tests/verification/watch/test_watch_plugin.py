"""The entry point in a server, with a small registry of hooks in the place of SGLang's; and the watch that it puts together."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from engine_types import Scheduler, parameters, results
from places import PACKAGE

from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.traces import read
from radixcheck.verification.live.engine_backends import Miscounting
from radixcheck.verification.watch import server_watch, watch_plugin
from radixcheck.verification.watch.cache_views import NotWatched
from radixcheck.verification.watch.finding_sink import FindingSink
from radixcheck.verification.watch.live_watch import FAILED
from radixcheck.verification.watch.server_watch import Watched, watched
from radixcheck.verification.watch.watch_folder import read_outcome
from radixcheck.verification.watch.watch_settings import FOLDER, WatchSettings
from radixcheck.verification.watch.watched_call import CHECKPOINT, Call


class HookType(Enum):
    AFTER = "after"


Hooks = dict[str, tuple[Any, HookType]]


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Hooks:
    """What is registered with SGLang."""
    registered: Hooks = {}

    class HookRegistry:
        @classmethod
        def register(cls, target: str, hook: Any, hook_type: HookType) -> None:
            registered[target] = hook, hook_type

    module = ModuleType("sglang.srt.plugins.hook_registry")
    vars(module).update(HookRegistry=HookRegistry, HookType=HookType)
    for name in ("sglang", "sglang.srt", "sglang.srt.plugins"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return registered


@pytest.fixture(autouse=True)
def sinks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Those of a test are closed with it."""
    made: list[FindingSink] = []

    class Closed(FindingSink):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(server_watch, "FindingSink", Closed)
    yield
    for sink in made:
        sink.close()


def cache(kind: type[SGLangCache] = SGLangCache, size: int = 64) -> Any:
    return cache_class(results(), kind)(parameters(size, 1))


def serve(one: Scheduler) -> None:
    one.start(0, [1, 2, 3])
    one.checkpoint(0, 3)
    one.release(0)


def of(settings: WatchSettings, made: Any) -> Watched:
    found = watched(made, settings)
    assert isinstance(found, Watched)
    return found


def test_without_a_folder_nothing_is_registered(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)

    watch_plugin.register()

    assert not hooks


def test_the_cache_that_a_server_makes_is_watched(hooks: Hooks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "watch"))
    watch_plugin.register()
    hook, kind = hooks["sglang.srt.mem_cache.registry.create_tree_cache"]
    made = cache()

    assert hook(made, SimpleNamespace()) is None
    serve(Scheduler(made))

    assert kind is HookType.AFTER
    (file,) = tmp_path.glob("watch/summary-*.json")
    assert json.loads(file.read_text())["cache"] == "radixcheck"


def test_a_cache_that_is_not_watched_leaves_a_note(hooks: Hooks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    watch_plugin.register()
    ((hook, _),) = hooks.values()

    assert hook(object()) is None

    assert read_outcome(tmp_path).notes == ("the cache object is not watched: builtins.object is not known",)
    assert read_outcome(tmp_path).status is Status.UNDECIDED


def test_a_watch_that_cannot_be_made_does_not_stop_the_server(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_watch, "attach", lambda *_: 1 // 0)
    folder = tmp_path / "file"
    folder.touch()  # which cannot be a folder
    made = cache()

    with caplog.at_level(logging.ERROR):
        watch_plugin.made(made, WatchSettings(folder))
    serve(Scheduler(made))

    assert "the cache SGLangCache is not watched: ZeroDivisionError" in caplog.text
    assert f"the watch cannot write into {folder}" in caplog.text


def test_an_engine_without_hooks_starts_without_a_watch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setitem(sys.modules, "sglang", None)  # as if it could not be imported

    watch_plugin.register()

    (note,) = read_outcome(tmp_path).notes
    assert note.startswith("the cache is not watched: this SGLang has no hook for a watch")


def test_the_entry_point_loads_no_extra() -> None:
    program = (
        "import sys; from radixcheck.verification.watch import watch_plugin; watch_plugin.register()\n"
        "from radixcheck.verification.watch import server_watch\n"
        "print({'click', 'z3', 'hypothesis', 'rich', 'sglang'} & sys.modules.keys())"
    )
    environment = {"PYTHONPATH": str(PACKAGE.parent)}

    answer = subprocess.run([sys.executable, "-W", "ignore", "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert answer.stdout == "set()\n"


def test_a_finding_has_a_trace_with_the_call_that_shows_it(tmp_path: Path) -> None:
    made = cache(Miscounting)
    watch, sink = of(WatchSettings(tmp_path, budget_us=10**6), made)
    one = Scheduler(made)
    one.start(0, [1, 2, 3])
    one.checkpoint(0, 3)
    sink.close()

    outcome = read_outcome(tmp_path)
    _, first = outcome.findings[0]
    assert (first.property, first.verb, first.call) == ("COUNT", CHECKPOINT, watch.counts.calls.total())
    operations = read(tmp_path / first.trace).trace
    assert [op.name for op in operations][:2] == ["match", "lock"]
    assert "insert" in {op.name for op in operations}
    assert outcome.status is Status.REFUTED


def test_counts_are_those_of_the_watch(tmp_path: Path) -> None:
    made = cache()
    watch, sink = of(WatchSettings(tmp_path, budget_us=10**6), made)
    serve(Scheduler(made))
    sink.close()

    (seen,) = read_outcome(tmp_path).caches
    assert seen.calls == watch.counts.calls
    assert seen.nodes == 1
    assert not seen.found


def test_what_ends_a_watch_is_reported_although_no_call_follows(tmp_path: Path) -> None:
    made = cache()
    watch, sink = of(WatchSettings(tmp_path), made)

    watch.failed(RuntimeError("as it happens"))
    serve(Scheduler(made))
    sink.close()

    ((_, finding),) = read_outcome(tmp_path).findings
    assert (finding.property, "as it happens" in finding.text) == (FAILED, True)


def test_a_shadow_is_made_if_it_is_wanted(tmp_path: Path) -> None:
    calls: list[str] = []
    shadow = SimpleNamespace(called=lambda call: calls.append(call.verb))
    for wanted in (False, True):
        made = cache()
        assert not isinstance(watched(made, WatchSettings(tmp_path, shadow=wanted), lambda view, report: shadow), NotWatched)
        serve(Scheduler(made))
        assert (CHECKPOINT in calls) == wanted


def test_the_listeners_see_each_call_once(tmp_path: Path) -> None:
    seen: list[Call] = []
    made = cache()
    watch, _ = of(WatchSettings(tmp_path), made)
    watch.listeners = (*watch.listeners, SimpleNamespace(called=seen.append))
    serve(Scheduler(made))

    assert [call.number for call in seen] == list(range(1, len(seen) + 1))
