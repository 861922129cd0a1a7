"""A small generated trace in the format of recorded ones, for a first try and for tests.

It imitates what makes traces of conversations hard for a cache: a system prompt that all requests share, a few long documents that several
users ask about, conversations in which each turn repeats the turns before, and single questions that do not come again.
"""

import json
from dataclasses import asdict
from pathlib import Path
from random import Random

from radixcheck.verification.trace_replay.mooncake import BLOCK, TraceRequest

REQUESTS = 300
SEED = 6907
FILE = Path(__file__).parent / "sample.jsonl"  # holds text(generate())


def generate(requests: int = REQUESTS, seed: int = SEED) -> tuple[TraceRequest, ...]:
    """Return requests; the same for the same seed on every machine."""
    random = Random(seed)
    fresh = iter(range(10**6))
    system = [next(fresh)]
    documents = [[next(fresh) for _ in range(random.randint(4, 16))] for _ in range(5)]
    open_: list[list[int]] = []  # the blocks of conversations that may continue
    out: list[TraceRequest] = []
    for i in range(requests):
        kind = random.random()
        if kind < 0.45 and open_:
            blocks = open_.pop(random.randrange(len(open_)))
        elif kind < 0.65:
            blocks = system + random.choice(documents)
        else:
            blocks = list(system)
        blocks = blocks + [next(fresh) for _ in range(random.randint(1, 6))]
        length = len(blocks) * BLOCK - random.randrange(BLOCK)
        answer = min(2_000, int(random.expovariate(1 / 340)))
        out.append(TraceRequest(i * 250, length, answer, tuple(blocks)))
        if random.random() < 0.6 and len(blocks) < 40:
            open_.append(blocks)
    return tuple(out)


def text(requests: tuple[TraceRequest, ...]) -> str:
    """Return the requests as JSON lines."""
    return "".join(json.dumps(asdict(request)) + "\n" for request in requests)
