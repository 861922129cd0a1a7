"""A module `event_publisher` for the packages whose engines answer from a formula: it publishes what they store, as SGLang and vLLM do.

Its faults: a "batch lost" is sent on neither socket, a "batch doubled" is sent twice, an "event lost" is left out of its batch, "other ids"
are those of one event, "silent" is every 4th request with what follows it, "no batch" is sent, the replay socket gives "no answer".
"""

from pathlib import Path

SOURCE = '''
import time
from threading import Event, Thread

import msgpack
import zmq

END = (-1).to_bytes(8, "big", signed=True)


class Publisher:
    def __init__(self, config, page, fault):
        self.page, self.fault, self.stored, self.silent = page, fault, 0, set()
        self.known, self.batches, self.waiting = set(), [], []
        context = zmq.Context.instance()
        self.pub, self.router = context.socket(zmq.PUB), context.socket(zmq.ROUTER)
        self.pub.bind(config["endpoint"])
        self.router.bind(config["replay_endpoint"])
        Thread(target=self.serve, daemon=True).start()
        time.sleep(0.5)  # a subscriber connects meanwhile, as it does while a model is loaded

    def store(self, tokens):
        """Publish the pages of these tokens that are new. Wait until they were sent."""
        ends = [end for end in range(self.page, len(tokens) + 1, self.page) if tuple(tokens[:end]) not in self.known]
        if not ends:
            return
        self.known |= {tuple(tokens[:end]) for end in ends}
        self.stored += 1
        start = ends[0] - self.page
        if self.fault == "silent" and (self.stored % 4 == 0 or tuple(tokens[:start]) in self.silent):
            self.silent |= {tuple(tokens[:end]) for end in ends}
            return
        if self.fault == "event lost" and self.stored == 7:
            return
        ids = [hash(tuple(tokens[:end])) for end in ends]
        if self.fault == "other ids" and self.stored == 7:
            ids = [id_ ^ 1 for id_ in ids]
        fields = {"block_hashes": ids, "token_ids": list(tokens[start : ends[-1]]), "block_size": self.page, "lora_id": None}
        fields["parent_block_hash"] = hash(tuple(tokens[:start])) if start else None
        done = Event()
        self.waiting.append(([{"type": "BlockStored", "medium": "GPU", **fields}], done))
        done.wait(30)

    def serve(self):
        sequence = 0
        while True:
            if self.router.poll(2) and self.fault != "no answer":
                client, _, start = self.router.recv_multipart()
                for number, payload in self.batches:
                    if number >= int.from_bytes(start, "big"):
                        self.router.send_multipart([client, b"", b"kv", number.to_bytes(8, "big"), payload])
                self.router.send_multipart([client, b"", b"", END, b""])
            while self.waiting:
                events, done = self.waiting.pop(0)
                payload = msgpack.packb([time.time(), events, 0])
                if self.fault != "no batch" and (self.fault != "batch lost" or sequence != 7):
                    for _ in range(2 if self.fault == "batch doubled" and sequence == 7 else 1):
                        self.pub.send_multipart([b"kv", sequence.to_bytes(8, "big"), payload])
                    self.batches.append((sequence, payload))
                sequence += 1
                done.set()
'''


def write_publisher(folder: Path) -> None:
    """Write the module into a folder."""
    folder.joinpath("event_publisher.py").write_text(SOURCE)
