"""The block manager of vLLM. It works on requests instead of keys, and evicts when it allocates, so it has loops of its own.

Blocks are found by hashes, which vLLM computes when a request is built. That time is reported separately (`with hash`); totals without
it are too low.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from radixcheck.verification.bench.driver import Driver, Stub, check
from radixcheck.verification.bench.scenarios.cache_scenarios import LENGTHS, resident
from radixcheck.verification.bench.scenarios.trace_scenario import ANSWERS, Counts, play, recorded
from radixcheck.verification.bench.streams import COST, LEAF, PREFIX, PROMPT, Make, leaf, now, paced, prompt, settle, summaries, summary
from radixcheck.verification.subjects import vllm

PAGE = 16  # the smallest


def decode(make: Make, leaves: int, page_size: int, pool: str, victims: int, steps: int, seconds: float) -> dict[str, float]:
    """Return the figures of a whole step, because an allocation evicts."""
    cache = make(page_size, leaves * LEAF, pool)
    assert isinstance(cache, Blocks)
    for i in range(leaves):
        cache.whole(leaf(i))
    hashing, inserting, releasing = [], [], []
    settle()
    for step in paced(steps, seconds):
        requests, hashed = zip(*(cache.built(leaf(leaves + step * victims + i)) for i in range(victims)), strict=True)
        start = now()
        for request in requests:
            cache.admit(request)
        admitted = now()
        for request in requests:
            cache.manager.free(request)
        end = now()
        hashing.append(sum(hashed))
        inserting.append(admitted - start)
        releasing.append(end - admitted)
    last = leaves + len(inserting) * victims
    kept = [cache.found([*leaf(i), 0]) for i in (last - 1, last - leaves, last - leaves - 1)]
    check(kept[0] == LEAF and kept[2] < LEAF, f"of the newest leaf, the oldest that stays and the last victim {kept} tokens are cached")
    whole = list(map(sum, zip(inserting, releasing, strict=True)))
    hashed_too = list(map(sum, zip(whole, hashing, strict=True)))
    figures = {**summary("insert", inserting), **summary("step", whole, 2), **summary("step with hash", hashed_too, 3)}
    return figures | {"steps": len(whole)}


def admit(make: Make, groups: int, per_group: int, page_size: int) -> dict[str, float]:
    """Return the figures of an admission. The row of a request holds blocks, so the slots of a match are not read."""
    cache = make(page_size, groups * per_group * PROMPT, "stub")
    assert isinstance(cache, Blocks)
    times: dict[str, list[int]] = {call: [] for call in ("match", "insert", "unlock")}
    hashing = []
    settle()
    for i in range(groups * per_group):
        request, hashed = cache.built(prompt(i % groups, i))
        start = now()
        blocks, length, _ = cache.manager.get_computed_blocks(request)
        matched = now()
        cache.allocate(request, length, blocks)
        inserted = now()
        cache.manager.free(request)
        end = now()
        check(length == (PREFIX if i >= groups else 0), f"{length} tokens of request {i} were found")
        hashing.append(hashed)
        for call, time in zip(times, (matched - start, inserted - matched, end - inserted), strict=True):
            times[call].append(time)
    whole = list(map(sum, zip(*times.values(), strict=True)))
    hashed_too = list(map(sum, zip(whole, hashing, strict=True)))
    return {**summary("total", whole, 3), **summary("total with hash", hashed_too, 4), **summaries(times)}


def trace(make: Make, path: str, block: int, blocks: int, page_size: int, requests: int, running: int, seconds: float) -> dict[str, float]:
    """Replay the trace, request by request."""
    cache = make(page_size, block * blocks, "stub")
    assert isinstance(cache, Blocks)
    found, replay = recorded(path, requests), Replay(cache)
    play(replay, found, block, page_size, running, seconds)
    while replay.active:
        replay.finish()
    check(replay.counts.done > 0, "no request of the trace fits")
    leak = block * blocks - cache.available()
    check(leak == 0, f"{leak} tokens were lost")
    return replay.figures(len(found))


def memory(make: Make, leaves: int) -> dict[str, float]:
    """Return the bytes per leaf, including what is allocated for the whole pool in advance."""
    kept = [make(PAGE, 1_024 * PAGE, "stub")]
    figures = {}
    for length in LENGTHS:
        before = resident()
        cache = make(PAGE, leaves * length, "stub")
        assert isinstance(cache, Blocks)
        kept.append(cache)
        for i in range(leaves):
            cache.whole(leaf(i, length))
        check(cache.found([*leaf(leaves - 1, length), 0]) == length, "the last leaf is not cached")
        figures[f"bytes per leaf of {length}"] = (resident() - before - cache.pool.nbytes) / leaves
    return figures


class Blocks(Driver):
    """The manager, which has its own pool. Only the capacity of the given pool is used."""

    page_sizes: ClassVar[tuple[int, ...]] = (16, 64)
    loops: ClassVar[Mapping[str, Callable[..., dict[str, float]]]] = {"decode": decode, "admit": admit, "trace": trace, "memory": memory}
    without: ClassVar[Mapping[str, str]] = {"deep": "no tree", "queue": "a prompt is hashed once, and its blocks are looked up by hash"}

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._has = vllm.built(pool.page_size, pool.capacity)
        self.version, self.manager = self._has.version, self._has.manager
        self.page_size: int = pool.page_size
        self.capacity: int = pool.capacity
        self._sampling = self._has.sampling(max_tokens=vllm.LONGEST)
        self._number = 0

    @classmethod
    def real(cls, capacity: int, page_size: int) -> Any:
        """Return a pool that only has the capacity."""
        return Stub(capacity, page_size, cls.rows)

    def available(self) -> int:
        """Return the tokens of the blocks that no request holds."""
        free: int = self.manager.block_pool.get_num_free_blocks()
        return free * self.page_size

    def built(self, tokens: list[int]) -> tuple[Any, int]:
        """Return a request and the nanoseconds of hashing: the difference to a request that is not hashed."""
        start = now()
        request = self._request(tokens, self._has.hasher)
        hashed = now()
        self._request(tokens, None)
        end = now()
        return request, max(0, (hashed - start) - (end - hashed))

    def admit(self, request: Any) -> int:
        """Find the cached blocks and allocate the others. Return the cached tokens."""
        blocks, length, _ = self.manager.get_computed_blocks(request)
        self.allocate(request, length, blocks)
        return int(length)

    def allocate(self, request: Any, length: int, blocks: Any) -> None:
        """Allocate blocks for the tokens that are not cached."""
        given = self.manager.allocate_slots(request, request.num_tokens - length, length, blocks)
        check(given is not None, "there is no room for a request that must fit")
        request.num_computed_tokens = request.num_tokens

    def whole(self, tokens: list[int]) -> None:
        """Run a request from admission to its end."""
        request = self._request(tokens, self._has.hasher)
        self.admit(request)
        self.manager.free(request)

    def found(self, tokens: list[int]) -> int:
        """Return the cached tokens of a prompt. The last token is never counted as cached."""
        length: int = self.manager.get_computed_blocks(self._request(tokens, self._has.hasher))[1]
        return length

    def _request(self, tokens: list[int], hasher: Any) -> Any:
        self._number += 1
        return self._has.request(
            request_id=str(self._number), prompt_token_ids=tokens, sampling_params=self._sampling, pooling_params=None, block_hasher=hasher
        )


class Running:
    """A request, and the rest of its answer."""

    def __init__(self, request: Any, left: int, tick: int) -> None:
        self.request, self.left, self.tick = request, left, tick


class Replay:
    """The state of the replay of a trace."""

    def __init__(self, cache: Blocks) -> None:
        self.cache, self.counts = cache, Counts()
        self.active: deque[Running] = deque()
        self._spent = dict.fromkeys(("hash", "match", "insert", "alloc", "finish"), 0)
        self._answered = ANSWERS

    def arrive(self, tokens: list[int], answer: int, tick: int) -> None:
        """Add one token tick to each running request, then admit this one."""
        if len(tokens) + answer > self.cache.capacity // 2:
            self.counts.skipped += 1
            return
        for one in self.active:
            self._grow(one)
        manager, spent = self.cache.manager, self._spent
        request, hashed = self.cache.built(tokens)
        start = now()
        blocks, length, _ = manager.get_computed_blocks(request)
        matched = now()
        given = manager.allocate_slots(request, len(tokens) - length, length, blocks)
        end = now()
        for call, time in (("hash", hashed), ("match", matched - start), ("insert", end - matched)):
            spent[call] += time - COST
        if given is None:  # too many requests are running
            while self.active:
                self.finish()
            self.counts.skipped += 1
            return
        request.num_computed_tokens = len(tokens)
        self.active.append(Running(request, answer, tick))
        self.counts.admit(len(tokens), length)

    def finish(self) -> None:
        """Finish the oldest request. Its blocks are cached already."""
        one = self.active.popleft()
        start = now()
        self.cache.manager.free(one.request)
        self._spent["finish"] += now() - start - COST

    def _grow(self, one: Running) -> None:
        tokens = min(one.left, one.tick)
        if not tokens:
            return
        answer = list(range(self._answered, self._answered + tokens))
        self._answered += tokens
        start = now()
        one.request.append_output_token_ids(answer)
        hashed = now()
        given = self.cache.manager.allocate_slots(one.request, tokens)
        end = now()
        self._spent["hash"] += hashed - start - COST
        self._spent["alloc"] += end - hashed - COST
        one.request.num_computed_tokens = one.request.num_tokens
        one.left = one.left - tokens if given is not None else 0

    def figures(self, recorded: int) -> dict[str, float]:
        """Return the figures, without and with hashing."""
        spent = dict(self._spent)
        hashing = spent.pop("hash") / 1e3 / self.counts.done
        figures = self.counts.figures(spent, recorded)
        return {**figures, "hash": hashing, "us/request with hash": figures["us/request"] + hashing}
