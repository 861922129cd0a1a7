"""Batches of a live server, over ZMQ: a SUB socket for what it sends, and its replay socket for what was missed.

    SUB      [topic, sequence number as 8 bytes, payload]
    replay   asked: [empty, first sequence number as 8 bytes]; answers, for each batch from there that the server still has:
             [empty, topic, sequence number, payload], then [empty, empty, 2^64 - 1, empty]

Batches come in the order of their numbers. What a gap lacks is requested from the replay socket; if that does not have it, the gap stays.
At the end the replay socket is asked once more: if the server has no more, the stream is complete.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.payload import StreamError, short, zmq_package
from radixcheck.verification.event_streams.recording import SEQ_BYTES, Complete, Frame, Item

POLL_MS = 100
DRAIN_SECONDS = 1.0
ANSWER_SECONDS = 2.0  # within which the replay socket sends its next batch
END = b"\xff" * SEQ_BYTES


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server sends events."""

    address: str  # tcp://host:port or ipc://path
    replay: str | None = None  # the address of its replay socket
    topic: str = ""  # the beginning of the topics to read; empty: all
    bind: bool = False  # the server connects to the address; otherwise it is the server that has bound it


def is_address(text: str) -> bool:
    """Return whether this is the address of a socket, not the name of a file."""
    return "://" in text


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Return a function that returns whether the user wants to end (Ctrl-C), and until then let nothing else happen on it.

    The second time, it ends the command at once.
    """
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class LiveSource:
    """The sockets of one server. Raise UsageError if an address cannot be used."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._zmq = zmq_package()
        self._context = self._zmq.Context()
        self._expected = 0  # the next sequence number
        self._replayed: dict[int, int] = {}  # what came from the replay socket: the hash of each payload, by sequence number
        try:
            self._sub = self._socket(self._zmq.SUB, endpoint.address, endpoint.bind)
            self._sub.setsockopt(self._zmq.SUBSCRIBE, endpoint.topic.encode())
            self._replay = None if endpoint.replay is None else self._socket(self._zmq.DEALER, endpoint.replay, False)
        except BaseException:
            self.close()
            raise

    def _socket(self, kind: int, address: str, bind: bool) -> Any:
        socket = self._context.socket(kind)
        socket.setsockopt(self._zmq.LINGER, 0)
        socket.setsockopt(self._zmq.RCVHWM, 0)  # the server is never slowed down, and no batch is dropped here
        try:
            (socket.bind if bind else socket.connect)(address)
        except self._zmq.ZMQError as error:
            socket.close()
            raise UsageError(
                f"{address}: is not an address that can be used ({error.strerror}); give tcp://host:port or ipc://path"
            ) from error
        return socket

    def close(self) -> None:
        """Close the sockets."""
        self._context.destroy(linger=0)

    def items(self, until: Deadline, ended: Callable[[], bool]) -> Iterator[Item]:
        """Yield the batches until then, or until `ended`, and at last the mark of completeness if the replay socket gives it.

        Raise StreamError for a message that is not a batch.
        """
        yield from self._missed()
        last_call = NEVER  # until which what has arrived is still taken after the end
        while not last_call.passed:
            if last_call == NEVER and (until.passed or ended()):
                last_call = Deadline.after(DRAIN_SECONDS)
            if not self._sub.poll(POLL_MS):
                if last_call != NEVER:
                    break
                continue
            frame = _frame(self._sub.recv_multipart(), "a message")
            if frame.seq > self._expected:
                yield from self._missed(frame.seq)
            if self._replayed.pop(frame.seq, None) != hash(frame.payload):  # otherwise the same batch came on both ways
                yield self._counted(frame)
        yield from self._missed(last=True)

    def _counted(self, frame: Frame) -> Frame:
        self._expected = max(self._expected, frame.seq + 1)
        return frame

    def _missed(self, before: int | None = None, last: bool = False) -> Iterator[Item]:
        """Yield what the replay socket has from the expected batch on, up to `before`. `last`: also whether that is all."""
        if self._replay is None:
            return
        self._replay.send_multipart([b"", self._expected.to_bytes(SEQ_BYTES, "big")])
        while self._replay.poll(ANSWER_SECONDS * 1_000):
            _, *message = self._replay.recv_multipart()
            if message[-2:-1] == [END]:
                if last:
                    yield Complete(self._expected - 1)
                return
            frame = _frame(message, "a message of the replay socket")
            if frame.seq >= self._expected and (before is None or frame.seq < before):
                self._replayed[frame.seq] = hash(frame.payload)
                yield self._counted(frame)
        self._replay.close()  # what it still sends would be taken for the answer to a later question
        self._replay = None


def _frame(message: list[bytes], where: str) -> Frame:
    """Return the batch of a message. Raise StreamError."""
    topic, seq, payload = message if len(message) == 3 else [b"", *message] if len(message) == 2 else [b"", b"", b""]
    number = int.from_bytes(seq, "big")
    if len(seq) != SEQ_BYTES or number >= 2**63:
        raise StreamError(f"{where} is {short(message)}, not a topic, a sequence number of 8 bytes and a payload")
    return Frame(where, number, payload, None, topic.decode(errors="backslashreplace"))
