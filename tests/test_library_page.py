"""The pages of the optimized cache: the engine runs as it stands, and the tables are what the verbs return, raise and launch, and what the
plugin of SGLang refuses."""

import inspect
import io
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from launched import launched
from places import ROOT

import radixcheck.optimized
from radixcheck.optimized import CacheError, DevicePool, Key, KVBuffers, KVCopier, NoRoom, RadixCache, TieredCache
from radixcheck.optimized.integrations.sglang_interface import TRIED
from radixcheck.optimized.integrations.sglang_limits import LIMITS

PAGE = (ROOT / "optimized" / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
ENGINE, PRINTED = BLOCKS[1][1], BLOCKS[2][1]
ERRORS = {name: found for name, found in vars(radixcheck.optimized).items() if inspect.isclass(found) and issubclass(found, CacheError)}
VIEWS = {"slice", "select", "view", "alias", "detach"}  # no kernel runs for them
ROWS = {
    cells[1].strip(" `").partition("(")[0]: cells for row in PAGE.splitlines() if len(cells := row.split("|")) == 7 and row[:3] == "| `"
}
WRONG: list[Any] = [None, -1, 1.5, "1", [1], (1, 2), Key(None), Key((-1,)), Key((1, 2), "a"), torch.tensor([1.0]), object()]  # type: ignore[arg-type]
HUGE = 10**9


def tiered() -> TieredCache:
    """A cache that holds the tokens 1 to 4 and, on the host alone, 5 to 8; request 1 is live, 8 slots are on loan."""
    copier = KVCopier(KVBuffers(layers=1, slots=32, host_slots=32, item=(), dtype=torch.int64))
    cache = TieredCache(2, "lru", DevicePool(32, 2), DevicePool(32, 2), copier, "write_through")
    cache.insert(Key((5, 6, 7, 8)), cache.alloc(4))
    copier.flush()
    cache.poll()
    cache.evict(4)
    cache.insert(Key((1, 2, 3, 4)), cache.alloc(4))
    copier.flush()
    cache.poll()
    cache.start(1, Key((1, 2, 9)))
    cache.alloc(8)
    return cache


def arguments(cache: TieredCache, verb: str) -> dict[str, Any]:
    """Right values for each parameter of a verb."""
    node = cache.match(Key((5, 6, 7, 8))).host_node if verb in ("load_back", "backup") else cache.match(Key((1, 2, 3, 4))).node
    new = verb == "start"
    values = {
        **{"key": Key((1, 2, 3, 4, 5, 6)), "slots": torch.arange(8), "priority": 0, "node": node, "tokens": 2, "token": 7},
        **{"request": 2 if new else 1, "receipt": cache.lock(node) if verb == "unlock" else None, "lookups": [cache.lookup(Key((1, 2)))]},
    }
    return {name: values[name] for name in inspect.signature(getattr(TieredCache, verb)).parameters if name != "self"}


def no_room(cache: TieredCache) -> None:
    """Lend all slots."""
    cache.alloc(cache.pool.available)
    cache.lock(cache.match(Key((1, 2, 3, 4))).node)


def with_full_page(cache: TieredCache) -> None:
    cache.decode(1, 8)
    no_room(cache)


def with_load(cache: TieredCache) -> None:
    """Let the row of request 3 wait for a load, and make it the one that is asked for."""
    cache.start(3, Key((5, 6, 7, 8)))
    cache.requests[1] = cache.requests[3]


# What must have happened before a verb with right values is refused, or gets this value for its first parameter.
STATES: dict[str, list[tuple[Callable[[TieredCache], object], tuple[Any, ...]]]] = {
    "insert": [(no_room, (Key((1,) * 40), torch.arange(40))), (no_room, (Key((1,) * 40), torch.arange(2)))],
    "alloc": [(no_room, (HUGE,))],
    "free": [(no_room, (torch.arange(1),))],
    "start": [(no_room, (2, Key((7, 7)))), (no_room, (1, Key((7, 7))))],
    "decode": [(with_full_page, (1, 8))],
    "run": [(with_load, (1,))],
    "lock": [(lambda cache: None, (radixcheck.optimized.RadixCache(2, "lru", DevicePool(2, 2)).match(Key(())).node,))],
    "reset": [(no_room, ())],
}
STATES["insert_and_match"] = STATES["insert"]


def raised(cache: TieredCache, verb: str, *values: Any, **named: Any) -> set[str]:
    """The name of the typed error that a call raises, if it raises one; any other exception is a fault."""
    try:
        getattr(cache, verb)(*values, **named)
    except CacheError as error:
        return {type(error).__name__}
    return set()


def provoked(verb: str) -> set[str]:
    """The errors of a verb over wrong values of each parameter, and over states in which right ones are refused."""
    found: set[str] = set()
    for parameter in arguments(tiered(), verb):
        for wrong in WRONG:
            cache = tiered()
            found |= raised(cache, verb, **arguments(cache, verb) | {parameter: wrong})
    for before, values in STATES.get(verb, []):
        cache = tiered()
        before(cache)
        found |= raised(cache, verb, *values)
    return found


def documented(verb: str) -> str:
    """What `help` shows of a verb: that of the cache with a host tier, and what it adds to."""
    return " ".join(filter(None, (vars(kind).get(verb, kind).__doc__ for kind in (TieredCache, RadixCache) if verb in vars(kind))))


def verbs(kind: type[RadixCache]) -> set[str]:
    """The public verbs of a cache."""
    return {name for name in dir(kind) if not name.startswith("_")}


def test_the_engine_of_the_page_prints_what_the_page_shows_and_reads_the_kv_of_each_prefix() -> None:
    printed, names = io.StringIO(), dict[str, Any]()
    with redirect_stdout(printed):
        exec(compile(ENGINE, "README.md", "exec", dont_inherit=True), names)

    assert printed.getvalue() == PRINTED
    assert sum(1 for line in ENGINE.splitlines() if line) <= 66
    for number, answer in names["engine"].answers.items():
        tokens = [*range(1, 17), 100 + number, 200 + number]
        while len(tokens) < 25:
            tokens.append(sum(token * place for place, token in enumerate(tokens, 1)) % 1009)
        assert answer == tuple(tokens)
    assert len(names["engine"].answers) == 8


def test_the_engine_of_the_page_meets_all_that_can_happen_and_gives_up_what_cannot_be_served() -> None:
    names: dict[str, Any] = {}
    counts = {"preempted": 0, "waited": 0}
    watched = ENGINE.replace("if len(self.running) == 1:", "counts['preempted'] += 1\n                if len(self.running) == 1:")
    watched = watched.replace("if not self.running:", "counts['waited'] += 1\n                if not self.running:")
    with redirect_stdout(io.StringIO()):
        exec(compile(watched, "README.md", "exec", dont_inherit=True), names | {"counts": counts})
        exec(compile(ENGINE, "README.md", "exec", dont_inherit=True), names)

    assert min(counts.values()) > 0
    for prompt, new_tokens in ((range(60), 2), (range(40), 20)):
        engine = names["Engine"]()
        engine.add(0, tuple(prompt), new_tokens)
        with pytest.raises(NoRoom):
            run(engine, steps=30)


def run(engine: Any, steps: int) -> None:
    for _ in range(steps):
        engine.step()


def test_every_verb_has_a_row_with_its_parameters_and_every_row_is_of_a_verb() -> None:
    for verb, cells in ROWS.items():
        parameters = (
            [str(each) for each in inspect.signature(found).parameters.values()][1:]
            if callable(found := getattr(TieredCache, verb))
            else []
        )
        written = ", ".join(re.sub(r": .*?(?= = |$)", "", each).replace(" = ", "=") for each in parameters)
        assert cells[1].strip(" `") == (f"{verb}({written})" if callable(found) else verb)

    assert verbs(TieredCache) == {*ROWS}


@pytest.mark.parametrize("verb", ROWS)
def test_the_table_and_the_docstring_name_the_errors_that_a_verb_raises(verb: str) -> None:
    listed = {*re.findall(r"\w+", ROWS[verb][4])}

    assert {name for name in ERRORS if re.search(rf"\b{name}\b", documented(verb))} == listed
    assert listed <= {*ERRORS}
    if verb != "copies":
        assert provoked(verb) == listed


@pytest.mark.parametrize("verb", ROWS)
def test_the_docstring_of_a_verb_names_its_parameters(verb: str) -> None:
    parameters = [*inspect.signature(found).parameters][1:] if callable(found := getattr(TieredCache, verb)) else []

    assert documented(verb)
    assert [name for name in parameters if f"`{name}`" not in documented(verb) and f"`{name}[" not in documented(verb)] == []


class DoneCopy(SimpleNamespace):
    """A copier whose copies are done as soon as they are issued, and move nothing."""

    done, failed = True, False

    def copy(self, up: bool, sources: torch.Tensor, targets: torch.Tensor) -> "DoneCopy":
        """Issue one."""
        return self


def measured(verb: str) -> Callable[[], object]:
    """A call of a verb that neither splits a node nor evicts, but for `evict` and `evict_host`; without a host tier where it can be."""
    pools = DevicePool(32, 2), DevicePool(32, 2)
    mode = "write_back" if verb == "backup" else "write_through"
    cache = RadixCache(2, "lru", pools[0]) if hasattr(RadixCache, verb) else TieredCache(2, "lru", *pools, DoneCopy(), mode)
    for number in range(2):
        cache.insert(Key((number, 1, 2, 3)), cache.alloc(4))
    cache.start(7, Key((5, 5, 5)))
    given: dict[str, Any] = {"tokens": 2, "request": 7, "token": 5, "priority": 0, "slots": cache.alloc(8), "key": Key((8,) * 8)}
    node = cache.match(Key((0, 1, 2, 3))).node
    given |= {"receipt": cache.lock(node) if verb == "unlock" else None, "lookups": [cache.lookup(Key((0, 1)))], "node": node}
    if verb == "start":
        given |= {"key": Key((0, 1, 2, 3, 9)), "request": 8}
    if isinstance(cache, TieredCache):
        cache.poll()
        if verb in ("load_back", "evict_host"):
            cache.evict(32)
            given["node"] = cache.match(Key((0, 1, 2, 3))).host_node
    if verb == "reset":
        cache.free(given["slots"])
        cache.abort(7)
    names = list(inspect.signature(getattr(cache, verb)).parameters)
    return lambda: getattr(cache, verb)(**{name: given[name] for name in names})


@pytest.mark.parametrize("verb", [verb for verb in ROWS if verb != "copies"])
def test_a_verb_launches_as_many_operations_as_the_table_says(verb: str) -> None:
    names = launched(measured(verb)).split()

    assert ROWS[verb][5].split(";")[0].strip() == str(len([name for name in names if name not in VIEWS])), names


def operations(call: Callable[[], object]) -> int:
    """How many tensor operations a call launches, without those that make views."""
    return sum(name not in VIEWS for name in launched(call).split())


def test_a_split_an_eviction_a_new_page_and_the_slots_of_a_match_launch_what_the_page_says() -> None:
    cache = RadixCache(2, "lru", DevicePool(12, 2))
    cache.insert(Key((1, 2, 3, 4)), cache.alloc(4))
    cache.start(1, Key((5, 6)))
    found = cache.match(Key((1, 2, 3, 4)))
    cache.alloc(4)

    assert operations(lambda: found.slots) == 1
    assert operations(lambda: cache.match(Key((1, 2)))) == 2  # 0, and a split
    assert operations(lambda: cache.decode(1, 5)) == 3
    assert ROWS["decode"][5].strip() == "1; 3 with a new page"
    assert operations(lambda: cache.alloc(4)) == 2  # 1, and two victims


def test_the_page_lists_what_is_refused_with_the_reasons() -> None:
    page = (ROOT / "optimized" / "integrations" / "README.md").read_text()
    rows = [row.strip("| ").split(" | ") for row in page.splitlines() if row.startswith("| `--")]

    assert {(flag, reason) for flags, reason in rows for flag in flags.replace("`", "").split(", ")} == {
        (limit.flag, limit.reason) for limit in LIMITS
    }
    assert all(version in page for version in TRIED)
