"""A server that sends batches as SGLang and vLLM do: a PUB socket, and a replay socket that answers from a buffer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import zmq

END = (-1).to_bytes(8, "big", signed=True)


@dataclass(frozen=True)
class Habits:
    """How a server sends its batches."""

    before: int = 0  # how many it sends before a subscriber can be there
    lost: Sequence[int] = ()  # those that can only be replayed
    again: Sequence[int] = ()  # those that it sends once more at the end
    replays: bool = True  # whether its replay socket answers
    kept: int = 10_000  # how many it can replay


class EventServer:
    """Sends what it is given, one batch after another."""

    def __init__(self, payloads: Sequence[bytes], habits: Habits) -> None:
        self._payloads, self._habits = payloads, habits
        self._context = zmq.Context()
        self._pub, self._router = self._context.socket(zmq.PUB), self._context.socket(zmq.ROUTER)
        self.address = f"tcp://127.0.0.1:{self._pub.bind_to_random_port('tcp://127.0.0.1')}"
        self.replay = f"tcp://127.0.0.1:{self._router.bind_to_random_port('tcp://127.0.0.1')}"
        self._ended, self.sent, self.questions = Event(), Event(), Event()  # `questions`: one was answered
        self._thread = Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        """Send the first batches before there is a subscriber, the others when there is time for one to have connected."""
        sent = self._habits.before
        for _ in range(10):
            sent = self._answer(sent, 50)
        for seq in range(self._habits.before, len(self._payloads)):
            if seq not in self._habits.lost:
                self._pub.send_multipart([b"kv", seq.to_bytes(8, "big"), self._payloads[seq]])
            sent = self._answer(seq + 1, 0)
        for seq in self._habits.again:
            self._pub.send_multipart([b"kv", seq.to_bytes(8, "big"), self._payloads[seq]])
        self.sent.set()
        while not self._ended.is_set():
            self._answer(sent, 20)

    def _answer(self, sent: int, wait_ms: int) -> int:
        if self._router.poll(wait_ms) and self._habits.replays:
            client, _, start = self._router.recv_multipart()
            for seq in range(max(int.from_bytes(start, "big"), sent - self._habits.kept), sent):
                self._router.send_multipart([client, b"", b"kv", seq.to_bytes(8, "big"), self._payloads[seq]])
            self._router.send_multipart([client, b"", b"", END, b""])
            self.questions.set()
        return sent

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._context.destroy(linger=0)


@contextmanager
def serving(payloads: Sequence[bytes], **how: Any) -> Iterator[EventServer]:
    """A server that has started."""
    server = EventServer(payloads, Habits(**how))
    server.start()
    try:
        yield server
    finally:
        server.close()
