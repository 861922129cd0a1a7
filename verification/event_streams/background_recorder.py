"""Records what a server sends while something else goes on: in a thread of its own, and subscribed before the server is there."""

from collections import deque
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

from radixcheck.verification.core.deadline import NEVER
from radixcheck.verification.event_streams.batch_writer import BatchWriter, NewFile
from radixcheck.verification.event_streams.live_source import Endpoint, LiveSource


class BackgroundRecorder:
    """Writes the batches of a server into a new file. Raise UsageError if an address or the file cannot be used.

    It subscribes at once; batches that come before `start` wait in the socket. The replay socket is asked from `start` on, so that it must
    be there by then.
    """

    def __init__(self, endpoint: Endpoint, path: Path) -> None:
        self.endpoint = endpoint
        self.stopped = ""  # why it ended early; known when it has ended
        self._ended = Event()
        self._source = LiveSource(endpoint)
        try:
            self._file = NewFile(path)
        except BaseException:
            self._source.close()
            raise
        self._thread = Thread(target=self._record, daemon=True)

    def __enter__(self) -> "BackgroundRecorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        if not self._thread.ident:  # it was never started
            self._source.close()
            with self._file:
                pass

    def start(self) -> None:
        """The server is there: write what it has sent and sends."""
        self._thread.start()

    def end(self) -> None:
        """Take what is still on its way, and the mark of completeness if the replay socket gives it. The file is whole afterwards."""
        self._ended.set()
        if self._thread.ident:
            self._thread.join()

    def _record(self) -> None:
        with closing(self._source) as source, self._file as file:
            writer = BatchWriter(file.write, self.endpoint.address)
            deque(writer.write(source.items(NEVER, self._ended.is_set)), maxlen=0)
            self.stopped = writer.stopped
