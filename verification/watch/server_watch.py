"""Puts the watch of one cache of a server together: its view, where findings go, the log of operations, the shadow."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from radixcheck.verification.core.found import Config
from radixcheck.verification.watch.attach import attach
from radixcheck.verification.watch.black_box import BlackBoxShadow, BlackBoxView, BlackBoxWatch, attach_black_box
from radixcheck.verification.watch.cache_views import NotWatched, view_of
from radixcheck.verification.watch.departures import Departures
from radixcheck.verification.watch.finding_sink import FindingSink
from radixcheck.verification.watch.imitation import UnifiedImitation
from radixcheck.verification.watch.live_watch import FAILED, LiveWatch, Report
from radixcheck.verification.watch.operation_log import OperationLog
from radixcheck.verification.watch.shadow import KINDS, SHADOW, NotShadowed, Shadow
from radixcheck.verification.watch.shadow_rebuild import NotReadable
from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.tree_view import TreeView
from radixcheck.verification.watch.watch_results import Finding
from radixcheck.verification.watch.watch_settings import WatchSettings
from radixcheck.verification.watch.watched_call import Call, Listener

ShadowOf = Callable[[TreeView, Report], Listener]


class Delivery:
    """Gives findings to the sink when the call that shows them is in the log: the last of the listeners."""

    watch: LiveWatch

    def __init__(self, sink: FindingSink, log: OperationLog) -> None:
        self._sink, self._log = sink, log
        self._waiting: list[tuple[Finding, list[Record]]] = []  # with the nodes of the tree, of which a reset makes another list

    def report(self, property_: str, number: int, verb: str, text: str) -> None:
        """Take a finding. That of a watch that has ended is the last one: no call follows."""
        self._waiting.append((Finding(property_, number, verb, text), self.watch.ledger.window))
        if property_ == FAILED and not self.watch.on:
            self._deliver()

    def called(self, call: Call) -> None:
        """Give the findings of a call to the sink, and the counts."""
        if self._waiting:
            self._deliver()
        self._sink.tick(self.watch.counts)

    def _deliver(self) -> None:
        findings, self._waiting = self._waiting, []
        for finding, records in findings:
            self._sink.found(finding, partial(self._log.recorded, records))
        self._sink.tick(self.watch.counts)


class Watched(NamedTuple):
    """The watch of a cache, and where its findings go."""

    watch: LiveWatch
    sink: FindingSink


def shadow_of(view: TreeView, report: Report) -> Listener:
    """Return our cache beside theirs, with those of SGLang's choices in which SGLang and we differ."""
    return Shadow(view, KINDS[view.cache_name], report)


def box_shadow_of(view: TreeView, report: Report) -> Listener:
    """Return our cache beside one whose tree cannot be read."""
    return BlackBoxShadow(view, UnifiedImitation, report)


def watch_black_box(cache: Any, policy: str, settings: WatchSettings, shadow: ShadowOf = box_shadow_of) -> FindingSink | NotWatched:
    """Compare the answers of a cache whose tree cannot be read with those of ours from now on. There are no traces."""
    view: Any = BlackBoxView(cache, policy)
    sink = FindingSink(settings, view.cache_name, view.version, Departures.of(view.cache_name, view.version))

    def report(property_: str, number: int, verb: str, text: str) -> None:
        sink.found(Finding(property_, number, verb, text))

    listeners, reason = _shadow_or_reason(view, report, shadow)
    if not listeners:
        sink.close()
        return NotWatched(f"its tree cannot be read, and {reason}")
    watch = BlackBoxWatch(view, report, listeners, sink.tick)
    watch.counts.shadow = next((each.counts for each in listeners if isinstance(each, Shadow)), None)
    attach_black_box(cache, watch)
    return sink


def _shadow_or_reason(view: TreeView, report: Report, shadow: ShadowOf) -> tuple[tuple[Listener, ...], str]:
    """Return the shadow, or nothing and why."""
    try:
        return (shadow(view, report),), ""
    except (ValueError, NotReadable, NotShadowed) as reason:
        return (), f"no shadow runs beside this cache: {reason}"


def watched(cache: Any, settings: WatchSettings, shadow: ShadowOf = shadow_of) -> Watched | NotWatched:
    """Watch a cache from now on, or say why not."""
    view = view_of(cache)
    if isinstance(view, NotWatched):
        return view
    departures = Departures.of(view.cache_name, view.version)
    sink = FindingSink(settings, view.cache_name, view.version, departures)
    log = OperationLog(view, Config(view.policy, view.page_size, view.capacity, view.device.type), settings.operations)
    delivery = Delivery(sink, log)
    delivery.watch = watch = LiveWatch(view, delivery.report, settings.budget_us, accepts=departures.accepts)
    shadows, reason = _shadow_or_reason(view, delivery.report, shadow) if settings.shadow else ((), "")
    watch.listeners = (log, *shadows, delivery)
    watch.counts.shadow = next((each.counts for each in shadows if isinstance(each, Shadow)), None)
    if reason:
        delivery.report(SHADOW, 0, "", reason)
    attach(cache, watch)
    return Watched(watch, sink)
