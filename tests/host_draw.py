"""Random operations on a cache with a host tier, and runs of them under the checker."""

from collections import Counter
from collections.abc import Iterator
from itertools import count, islice, product
from random import Random

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.values import Key
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import MODES

WEIGHTS = {
    **{"insert": 8, "match": 4, "peek": 1, "load_back": 6, "backup": 2, "evict": 5, "evict_host": 2, "lock": 2, "unlock": 3},
    **{"alloc": 1, "free": 2, "start": 5, "chunk": 3, "decode": 6, "finish": 4, "abort": 2, "run": 4},
    **{"complete": 10, "poll": 6, "reset": 0.3},
}
POOLS, HOST_POOLS = (2, 3, 5, 8, 12), (2, 3, 4, 6, 9, 16)  # pages
FAILING = 0.25  # share of the copies that fail


def configs(sizes: tuple[int, ...] = (1, 2, 16)) -> Iterator[Config]:
    """Every policy, mode and page size, with small pools on both tiers."""
    for k, (policy, mode, size) in enumerate(product(POLICIES, MODES, sizes)):
        pages, host_pages = POOLS[k % len(POOLS)], HOST_POOLS[(k + k // 3) % len(HOST_POOLS)]
        yield Config(policy, size, pages * size, host_pool=host_pages * size, mode=mode)


class Run:
    """One run: what was performed, what was found."""

    def __init__(self, factory: Factory, config: Config, seed: int, stride: int = 1) -> None:
        c = config
        self.checker = Checker(factory, c.policy, c.page_size, c.pool, stride, c.device, c.tier)
        self.trace: list[Op] = []
        self.found: list[Violation] = []
        self.fired: Counter[str] = Counter()
        self._random = Random(f"{config} {seed}")

    def steps(self, steps: int) -> "Run":
        """Perform operations, until something is found."""
        allowed = (op for op in self._drawn() if self.checker.allowed(op))
        for op in islice(allowed, steps):
            self.trace.append(op)
            self.found = self.checker.step(op)
            self._count(op)
            if self.found:
                break
        return self

    def _count(self, op: Op) -> None:
        host = self.checker.host
        assert host is not None
        copier = host.engine.copier
        self.fired[op.name] += 1
        self.fired["copies"] += len(copier.issued)
        self.fired["awaited, failed"] += sum(ticket.failed for ticket in copier.awaited)
        self.fired["issued again"] += len(copier.issued) if op.name == "poll" else 0
        self.fired["not arrived"] += op.name == "run" and "NotArrived" in str(self.checker.answers[-1])

    def _drawn(self) -> Iterator[Op]:
        while True:
            yield self._operation(self._random.choices([*WEIGHTS], [*WEIGHTS.values()])[0])

    def _key(self) -> Key:
        random, size = self._random, self.checker.engine.page_size
        tokens = tuple(token for token in (random.randrange(2) for _ in range(random.randint(0, 4))) for _ in range(size))
        tail = (1,) * random.randrange(size) if random.random() < 0.3 else ()
        return Key(tokens + tail, random.choice(((), (), ("a",))))

    def _operation(self, name: str) -> Op:
        random, oracle, host = self._random, self.checker.oracle, self.checker.host
        assert host is not None
        free = next(h for h in count() if oracle.is_free(h))
        match name:
            case "insert" | "match" | "peek" | "load_back" | "backup":
                return Op(name, self._key(), priority=random.choice((0, 0, 2)) if name == "insert" else 0)
            case "evict" | "evict_host":
                return Op(name, amount=random.randint(0, 5) * self.checker.engine.page_size)
            case "lock":
                return Op(name, random.choice([*oracle.matched] or [self._key()]), holder=free)
            case "alloc" | "start":
                return Op(name, self._key(), holder=free, priority=random.choice((0, 0, 2)) if name == "start" else 0)
            case "complete":
                return Op(name, holder=random.randint(0, len(host.engine.copier.in_flight)), amount=int(random.random() < FAILING))
        holders = {"unlock": sorted(oracle.locks), "free": sorted(oracle.loans)}.get(name, oracle.requests)
        return Op(name, holder=random.choice(holders or [0]), amount=random.randrange(2) if name == "decode" else 0)
