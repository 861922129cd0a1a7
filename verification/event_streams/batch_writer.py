"""Writes what a server sends into a new recording, batch by batch: what is written stays, however the recording ends."""

from collections.abc import Callable, Iterator
from os import fsync
from pathlib import Path
from time import monotonic

from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.payload import StreamError
from radixcheck.verification.event_streams.recording import Complete, Frame, Item, header, line_of

SYNC_SECONDS = 1.0  # a machine that breaks down loses at most this much


class NewFile:
    """A file that did not exist before; each line reaches the system at once, and the disk within SYNC_SECONDS. Raise UsageError."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError as error:
            raise UsageError(f"{path}: exists already, and is not overwritten; give another file") from error
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror}); give another file") from error
        self._synced = monotonic()

    def __enter__(self) -> "NewFile":
        return self

    def __exit__(self, *_: object) -> None:
        fsync(self._file.fileno())
        self._file.close()

    def write(self, line: bytes) -> None:
        """Write a line. Raise OSError."""
        while line:
            line = line[self._file.write(line) :]
        if monotonic() - self._synced > SYNC_SECONDS:
            fsync(self._file.fileno())
            self._synced = monotonic()


class BatchWriter:
    """Writes items, and counts them."""

    def __init__(self, write: Callable[[bytes], None], address: str) -> None:
        self._write, self._header = write, header(address)
        self.seqs = set[int]()  # of the batches
        self.complete = False  # whether the mark of completeness is the last line
        self.stopped = ""  # why it ended early

    def write(self, items: Iterator[Item]) -> Iterator[int]:
        """Write a header and each item, and yield how many batches there are."""
        try:
            self._write(self._header)
            for item in items:
                self._write(line_of(item))
                if isinstance(item, Frame):
                    self.seqs.add(item.seq)
                self.complete = isinstance(item, Complete)
                yield len(self.seqs)
        except StreamError as error:
            self.stopped = str(error)
        except OSError as error:
            self.stopped = f"the file cannot be written on: {error.strerror}"
