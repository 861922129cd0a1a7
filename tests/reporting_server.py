"""A program in the place of a server whose cache is watched: it reports as a watch does. Its arguments say what happens.

calls      some calls are watched
finding    one of them shows a fault, with a trace
departure  one of them shows an accepted departure of SGLang's classic cache
failed     the watch itself fails
note       the cache cannot be watched
wait       it runs until it is interrupted
fails      it ends with status 5
"""

import os
import sys
import time
from collections import Counter

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.operations import Op
from radixcheck.verification.watch.departures import Departures
from radixcheck.verification.watch.finding_sink import FindingSink
from radixcheck.verification.watch.watch_counts import ShadowCounts, WatchCounts
from radixcheck.verification.watch.watch_folder import write_note
from radixcheck.verification.watch.watch_results import Finding, LoggedTrace
from radixcheck.verification.watch.watch_settings import settings_of_server

CACHE, VERSION = "sglang-classic", "0.5.23"
FAULT = Recorded(Config("lru", 1, 6), (Op("insert", Key((1,))), Op("insert", Key((1, 1))), Op("evict", amount=1)), "as-submitted:pairs")


def main() -> int:
    """Report what the arguments say."""
    settings = settings_of_server(os.environ)
    print("the output of the server", *filter(None, [os.environ.get("SGLANG_PLUGINS")]))
    if settings is None or sys.argv[1:] == []:
        return 0
    if "note" in sys.argv:
        write_note(settings.folder, "this cache cannot be watched: its core is in Rust")
        return 0
    sink, counts = FindingSink(settings, CACHE, VERSION, Departures.of(CACHE, VERSION)), WatchCounts()
    sink.tick(counts)
    if "calls" in sys.argv:
        counts.calls.update({"match": 1_200, "evict": 3})
        counts.nanoseconds, counts.longest, counts.path_checks, counts.skipped, counts.rounds = 12_030_000, 94_000, 900, 100, 2
    if "shadow" in sys.argv:
        paused = "its tree has too many nodes" if "paused" in sys.argv else ""
        counts.shadow = ShadowCounts(Counter(match=1_000), 2_000_000, left_out=203, paused=paused)
    if "departure" in sys.argv:
        sink.found(Finding("TIME_MONO", 4, "match", "later than its parent"))
    if "failed" in sys.argv:
        sink.found(Finding("WATCH", 9, "", "the watch has ended: KeyError: 7"))
    if "finding" in sys.argv:
        sink.found(Finding("EVICT_LEAF", 1_203, "evict", "expected a leaf; found an internal node"), lambda: LoggedTrace(FAULT))
    if "wait" in sys.argv:
        sink.flush()
        print("waiting", flush=True)
        time.sleep(60)
    return 5 if "fails" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
