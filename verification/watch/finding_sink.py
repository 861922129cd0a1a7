"""Where findings go: a file, a log line, metrics, and, if that is wanted, the end of the process. Nothing here ever raises into the server.

A finding is in its file before the call of the server returns, which waits some tenths of a second if it gets a trace. Counts are written
by a thread, about once a second, so that no call waits for them; those of the last second of a process that is killed may be missing.
"""

import atexit
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Lock, Thread
from typing import IO, Any

from radixcheck.verification.core import traces
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.watch.departures import Departures
from radixcheck.verification.watch.watch_counts import WatchCounts
from radixcheck.verification.watch.watch_folder import EVERY_SECONDS, claimed_name, findings_file, trace_file, write_summary
from radixcheck.verification.watch.watch_metrics import WatchMetrics, metrics_of
from radixcheck.verification.watch.watch_results import Finding, LoggedTrace, ShadowSeen, WatchedCache
from radixcheck.verification.watch.watch_settings import WatchSettings

WRITTEN_MAX = 20  # findings of one property that are written; later ones are counted
TRACES_MAX = 3  # traces of one property: findings of one call share one

log = logging.getLogger("radixcheck")


class FindingSink:
    """Takes the findings of one watched cache. `end` ends the process."""

    def __init__(
        self, settings: WatchSettings, cache_name: str, version: str, departures: Departures, end: Callable[[], object] = os.abort
    ) -> None:
        self._settings, self._departures, self._end = settings, departures, end
        self._about = (cache_name, version, sys.executable, settings.budget_us)
        self._found, self._departed = Counter[str](), Counter[str]()
        self._counts = WatchCounts()
        self._aborted, self._ended, self._last = "", False, ""
        self._traces = dict[str, dict[int, str]]()  # property -> call -> the name of a trace
        self._process = os.getpid()
        self._lock, self._closed = Lock(), Event()
        self._failed = False  # an error was logged
        self._file: IO[str] | None = None  # None: the folder cannot be written
        self.name = str(self._process)  # of the files
        try:
            self.name = claimed_name(settings.folder)
            self._file = findings_file(settings.folder, self.name).open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            self._log_once("the watch cannot write into %s (%s): its findings are only logged", settings.folder, error.strerror)
        self._metrics = self._made_metrics(cache_name)
        self.flush()
        log.info("the cache %s of %s is watched, %d us for each call; findings go to %s", *self._about[:2], self._about[3], settings.folder)
        atexit.register(self.close)
        Thread(target=self._write_now_and_then, name="radixcheck watch", daemon=True).start()

    def departs(self, property_: str, verb: str) -> bool:
        """Return whether this property may fail after this verb, and count it then."""
        accepted = self._departures.accepts(property_, verb)
        if accepted:
            self._departed[property_] += 1
        return accepted

    def found(self, finding: Finding, recorded: Callable[[], LoggedTrace] | None = None) -> bool:
        """Take a finding, and the trace that led to it. Return whether it is one; an accepted departure is only counted.

        The call that shows it must be in the trace already.
        """
        if self.departs(finding.property, finding.verb):
            return False
        self._found[finding.property] += 1
        try:
            self._take(finding, recorded)
        except Exception as error:
            self._log_once("the watch could not write a finding: %r", error)
        if self._settings.aborts_on(finding.property):
            self._abort(finding)
        return True

    def tick(self, counts: WatchCounts) -> None:
        """Take the counts of the watch, which it goes on to change. Called after each call of the server."""
        self._counts = counts

    def flush(self) -> None:
        """Write the counts, if they have changed."""
        if os.getpid() != self._process:  # a fork of the server
            return
        try:
            with self._lock:
                self._write()
        except Exception as error:
            self._log_once("the watch could not write its counts: %r", error)

    def close(self) -> None:
        """Write the counts for the last time."""
        self._closed.set()
        self._ended = True
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None
        atexit.unregister(self.close)

    def _made_metrics(self, cache_name: str) -> WatchMetrics | None:
        try:
            return metrics_of(cache_name, self._settings.metrics_port, os.environ)
        except Exception as error:
            self._log_once("the watch has no metrics: %r", error)
            return None

    def _take(self, finding: Finding, recorded: Callable[[], LoggedTrace] | None) -> None:
        """Log and write a finding, unless there were many of its property."""
        number = self._found[finding.property]
        if number > WRITTEN_MAX:
            return
        written = self._traces.setdefault(finding.property, {})
        if finding.call in written:
            finding = replace(finding, trace=written[finding.call])
        elif len(written) < TRACES_MAX and recorded is not None and self._file is not None:
            finding = self._with_trace(finding, recorded)
            written[finding.call] = finding.trace
        log.error("RADIXCHECK %s at call %d, %s: %s", finding.property, finding.call, finding.verb, finding.text)
        if number == WRITTEN_MAX:
            log.error("RADIXCHECK later findings of %s are only counted", finding.property)
        if self._file is not None:
            self._file.write(json.dumps(finding.to_json() | {"time": time.time()}) + "\n")
            self._file.flush()

    def _with_trace(self, finding: Finding, recorded: Callable[[], LoggedTrace]) -> Finding:
        """Write the trace. Return the finding with its name, or with the reason why there is none."""
        try:
            logged = recorded()
            path = trace_file(self._settings.folder, self.name, self._found.total(), finding.property)
            traces.write(path, replace(logged.recorded, property=finding.property))
        except Exception as error:
            why = str(error) if isinstance(error, UsageError) else repr(error)
            return replace(finding, text=f"{finding.text} (there is no trace: {why})")
        note = f" (the trace is partial: {logged.left_out})" if logged.left_out else ""
        return replace(finding, text=finding.text + note, trace=path.name)

    def _abort(self, finding: Finding) -> None:
        """End the process; its files are complete."""
        self._aborted = finding.property
        self.close()
        log.critical("RADIXCHECK ends the process: a finding of %s", finding.property)
        self._end()

    def _write(self) -> None:
        seen = self._seen()
        if self._metrics is not None:
            self._metrics.update(seen)
        if self._file is None or (text := repr(seen)) == self._last:
            return
        write_summary(self._settings.folder, seen)
        self._last = text

    def _seen(self) -> WatchedCache:
        c = self._counts
        counted = (c.nanoseconds, c.longest, c.path_checks, c.window_checks, c.rounds, c.skipped, c.nodes, c.raised)
        departed = Counter(dict(c.departures)) | self._departed.copy()
        found, s = self._found.copy(), c.shadow
        shadow = s and ShadowSeen(sum(dict(s.calls).values()), s.nanoseconds, s.differences, s.rebuilds, s.left_out, s.paused)
        state: dict[str, Any] = {"aborted": self._aborted, "shadow": shadow, "ended": self._ended}
        return WatchedCache(self.name, *self._about, Counter(dict(c.calls)), *counted, departed, found, **state)

    def _write_now_and_then(self) -> None:
        while not self._closed.wait(EVERY_SECONDS):
            self.flush()

    def _log_once(self, message: str, *details: object) -> None:
        if not self._failed:
            self._failed = True
            log.error(message, *details)
