"""Replays a recorded trace over a pool that is too small for it: requests arrive, grow token by token, finish, and are evicted.

At each arrival the oldest running request finishes if the maximum number is running. The running requests grow. The new prompt is matched
and locked, tokens are evicted, slots are allocated, and the prompt is inserted and locked. Only time inside the cache and its pool counts.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from radixcheck.verification.bench.driver import CheckFailed, Driver, check
from radixcheck.verification.bench.streams import COST, Make, now, paced, row_of, settle, summary
from radixcheck.verification.trace_replay.mooncake import TraceRequest, output_length, prompt, read

ANSWERS = 1 << 30  # first token of answers: some caches take at most 31 bits
CALLS = ("match", "indices", "lock", "evict", "alloc", "insert", "finish")


@dataclass
class Running:
    """A running request. Its prompt is cached, its answer not yet."""

    prompt: list[int]
    row: Tensor
    lock: Any
    left: int  # remaining tokens of the answer
    tick: int  # tokens per growth
    answer: list[Tensor] = field(default_factory=list)


@dataclass
class Counts:
    """Counts of requests and tokens."""

    done: int = 0
    skipped: int = 0  # too long for the pool
    tokens: int = 0  # of prompts
    hits: int = 0  # tokens of prompts that were cached

    def admit(self, tokens: int, hits: int) -> None:
        """Count one admitted request."""
        self.done, self.tokens, self.hits = self.done + 1, self.tokens + tokens, self.hits + hits

    def figures(self, spent: Mapping[str, int], recorded: int) -> dict[str, float]:
        """Return the figures of a replay that spent these nanoseconds in each call."""
        whole = sum(spent.values())
        return {
            "requests/s": self.done / (whole / 1e9),
            "us/request": whole / 1e3 / self.done,
            "hit %": 100 * self.hits / self.tokens,
            "leak": 0,
            **{call: time / 1e3 / self.done for call, time in spent.items()},
            "requests": self.done,
            "skipped": self.skipped,
            "unread": recorded - self.done - self.skipped,
        }


def recorded(path: str, requests: int) -> tuple[TraceRequest, ...]:
    """Read at most so many requests of a trace, with small hash ids. Raise CheckFailed if it cannot be read."""
    found = read(path, requests)
    if found.error is not None:
        raise CheckFailed(str(found.error))
    numbers: dict[int, int] = {}
    return tuple(replace(one, hash_ids=tuple(numbers.setdefault(i, len(numbers)) for i in one.hash_ids)) for one in found.requests)


def answer_of(request: TraceRequest, block: int, page_size: int, running: int) -> tuple[int, int]:
    """Return the tokens of an answer and of one growth, both in whole pages."""
    pages = -(-output_length(request, block) // page_size)
    return pages * page_size, -(-pages // running) * page_size


def play(replay: Any, trace: Sequence[TraceRequest], block: int, page_size: int, running: int, seconds: float) -> None:
    """Let the requests of a trace arrive, with at most `running` at a time."""
    settle()
    for i in paced(len(trace), seconds):
        if len(replay.active) >= running:
            replay.finish()
        replay.arrive(list(prompt(trace[i], block)), *answer_of(trace[i], block, page_size, running))


def trace(make: Make, path: str, block: int, blocks: int, page_size: int, requests: int, running: int, seconds: float) -> dict[str, float]:
    """Return the requests per second, the microseconds per request, the share of prompt tokens that was cached, and lost tokens."""
    driver = make(page_size, block * blocks, "stub")
    replay = Replay(driver, block * blocks, page_size)
    found = recorded(path, requests)
    play(replay, found, block, page_size, running, seconds)
    last = [one.prompt for one in replay.active]
    while replay.active:
        replay.finish()
    check(replay.counts.done > 0, "no request of the trace fits")
    lost = [len(tokens) for tokens in last if driver.length(driver.prep(tokens)) != len(tokens)]
    check(not lost, f"{len(lost)} of the last {len(last)} prompts are not completely cached")
    evictable, protected = driver.sizes()
    leak = block * blocks - driver.available() - evictable - protected
    check((leak, protected) == (0, 0), f"{leak} tokens were lost and {protected} are still locked at the end")
    return replay.figures(len(found))


class Replay:
    """The state of the replay of a trace."""

    def __init__(self, driver: Driver, capacity: int, page_size: int) -> None:
        self.driver, self.capacity, self.page_size = driver, capacity, page_size
        self.active: deque[Running] = deque()
        self.counts = Counts()
        self.evictions: list[int] = []
        self._spent = dict.fromkeys(CALLS, 0)
        self._answered = ANSWERS

    def arrive(self, tokens: list[int], answer: int, tick: int) -> None:
        """Let the running requests grow, then admit this one."""
        driver, need = self.driver, len(tokens)
        if need + answer > self.capacity // 2:
            self.counts.skipped += 1
            return
        self._grow()
        key = driver.prep(tokens)
        start = now()
        length, handle = driver.match(key)
        matched = now()
        slots = driver.indices(handle, length) if length else None
        read_ = now()
        lock = driver.lock(handle)
        locked = now()
        for call, time in (("match", matched - start), ("indices", read_ - matched), ("lock", locked - read_)):
            self._spent[call] += time - COST
        if not self._room(need - length):  # too many requests are running
            driver.unlock(lock)
            while self.active:
                self.finish()
            self.counts.skipped += 1
            return
        row = row_of(driver, slots, self._take(need - length) if need > length else None)
        start = now()
        lock = driver.checkpoint(key, row, length, lock)
        self._spent["insert"] += now() - start - COST
        self.active.append(Running(tokens, row, lock, answer, tick))
        self.counts.admit(need, length)

    def finish(self) -> None:
        """Finish the oldest request."""
        one = self.active.popleft()
        row = row_of(self.driver, one.row, torch.cat(one.answer) if one.answer else None)
        answer = range(self._answered, self._answered + len(row) - len(one.prompt))
        self._answered = answer.stop
        key = self.driver.prep([*one.prompt, *answer])
        start = now()
        self.driver.finish(key, row, len(one.prompt), one.lock)
        self._spent["finish"] += now() - start - COST

    def _grow(self) -> None:
        """Add a tick of tokens to each running request, as far as there is room."""
        self._room(sum(min(one.left, one.tick) for one in self.active))
        for one in self.active:
            tokens = min(one.left, one.tick)
            if 0 < tokens <= self.driver.available():
                one.answer.append(self._take(tokens))
                one.left -= tokens

    def _room(self, tokens: int) -> bool:
        """Evict the missing tokens. Return whether enough are free now."""
        short = tokens - self.driver.available()
        if short <= 0:
            return True
        start = now()
        self.driver.evict(short)
        time = now() - start
        self.evictions.append(time)
        self._spent["evict"] += time - COST
        return self.driver.available() >= tokens

    def _take(self, tokens: int) -> Tensor:
        start = now()
        slots = self.driver.alloc(tokens)
        self._spent["alloc"] += now() - start - COST
        return slots

    def figures(self, recorded: int) -> dict[str, float]:
        """Return the figures."""
        evictions = summary("evict", self.evictions) if self.evictions else {}
        return {**self.counts.figures(self._spent, recorded), **evictions, "evictions": len(self.evictions)}
