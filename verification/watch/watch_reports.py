"""What a watch reports during a call waits until the call is in the log of operations, so that the trace of a finding ends with it."""

from collections.abc import Iterable

from radixcheck.verification.watch.finding_sink import FindingSink
from radixcheck.verification.watch.live_watch import LiveWatch
from radixcheck.verification.watch.operation_log import OperationLog
from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.watch_results import ITSELF, Finding
from radixcheck.verification.watch.watched_call import RESET, Call


class WatchReports:
    """The report of a `LiveWatch`, and its last listener. `log`: None if the tree cannot be read, so that there are no traces."""

    def __init__(self, sink: FindingSink, log: OperationLog | None) -> None:
        self._sink, self._log = sink, log
        self._watch: LiveWatch | None = None
        self._waiting: list[tuple[Finding, list[Record] | None]] = []  # with the tree before a reset, if it shows one

    def follow(self, watch: LiveWatch) -> None:
        """Take the counts and the tree from this watch."""
        self._watch = watch

    def __call__(self, property_: str, number: int, verb: str, text: str) -> None:
        """Take what was found."""
        if self._sink.departs(property_, verb):
            return
        if property_ in ITSELF:  # there may be no further call
            self._deliver()
            self._sink.found(Finding(property_, number, verb, text))
            self._tick()
            return
        before = list(self._records()) if verb == RESET else None
        self._waiting.append((Finding(property_, number, verb, text), before))

    def called(self, call: Call) -> None:
        """A call was checked: keep it, and write what it has shown."""
        if self._log is not None:
            self._log.called(call)
        if self._waiting:
            self._deliver()
        self._tick()

    def _tick(self) -> None:
        if self._watch is not None:
            self._sink.tick(self._watch.counts)

    def _records(self) -> Iterable[Record]:
        return () if self._watch is None else self._watch.ledger.window

    def _deliver(self) -> None:
        waiting, self._waiting = self._waiting, []
        for finding, before in waiting:
            log = self._log
            if log is None:
                self._sink.found(finding)
            else:
                records = self._records() if before is None else before
                self._sink.found(finding, lambda log=log, records=records: log.recorded(records))  # type: ignore[misc]
