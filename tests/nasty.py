"""Caches whose answers are drawn from a list of nasty values, to be run in this folder. The seed is the variable NASTY_SEED.

NASTY_SEED=7 radixcheck verify nasty:white
"""

import itertools
import os
from collections.abc import Callable
from random import Random
from typing import Any, NoReturn

from radixcheck.spec.values import Key, NoRoom, Sizes
from radixcheck.verification.protocol import Observation, SeenEntry, SeenNode, SeenRequest, Setup, Supports
from radixcheck.verification.subjects.reference_subject import ReferenceSubject

TEXTS = (
    "",
    "[/red] [bold]b[/] :warning:",
    "<script>alert('&')</script>",
    "a|b `c` ``` \\ *d* # e",
    "\x1b[31m\x1b]0;title\x07\x9b\r\x08",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "\udc80\ud800 lone",
    "line\nline\u2028line\x0b\x0c\x85",
    "\x00\ufffe\uffff",
    "Grüße 你好 😀",
    'quote " \' """ {braces} %s',
    "]]> --> -- <!--",
    "long " * 100_000,
)


class Raises(Exception):
    """Raised by what should not raise."""


def _raise(*_: object, **__: object) -> NoReturn:
    raise Raises(TEXTS[1])


def _raising(*names: str) -> object:
    """An object of which these special methods raise."""
    return type("Raising", (), dict.fromkeys(names, _raise))()


class Lying(int):
    """Equal to everything, of any length, and a different number each time."""

    _calls = itertools.count()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return next(self._calls)

    def __index__(self) -> int:
        return next(self._calls)

    def __len__(self) -> int:
        return 2**62

    def __bool__(self) -> bool:
        return next(self._calls) % 2 == 0

    def __str__(self) -> str:
        return TEXTS[4]

    __repr__ = __str__


class Endless(list[int]):
    """A list whose iterator never ends."""

    def __iter__(self) -> Any:
        return itertools.repeat(1)


class EveryAttribute:
    """Has any attribute, of any kind."""

    def __getattr__(self, name: str) -> Any:
        return self if name.startswith("t") else TEXTS[len(name) % len(TEXTS)]


class NotEven:
    """An attribute raises another error than AttributeError."""

    def __getattr__(self, name: str) -> Any:
        raise Raises(name)


def recursive() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


def _values() -> tuple[Any, ...]:
    return (
        *(None, True, False, 0, -1, -(10**30), 10**30, 10**5_000, 1.5, -0.0, float("nan"), float("inf"), 1j, b"\xff", bytearray(b"x")),
        *TEXTS,
        *([], [None], [[]], recursive(), [10**30], [-1], [True], ["a"], (1, 2), {1}, {}, {"a": 1}, range(3), range(10**12)),
        *(object(), object, len, _raise, iter(()), itertools.count(), Endless(), Lying(3), EveryAttribute(), NotEven()),
        *(_raising("__eq__"), _raising("__hash__"), _raising("__eq__", "__hash__"), _raising("__len__"), _raising("__iter__")),
        *(_raising("__getitem__"), _raising("__str__"), _raising("__repr__"), _raising("__index__"), _raising("__bool__")),
        *(_raising("__lt__", "__gt__"), _raising("__reduce_ex__"), _raising("__getattribute__"), _raising("__class_getitem__")),
        *(Sizes(None, None, None), Sizes(float("nan"), -1, 10**30), Sizes(-5, -5, -5)),  # type: ignore[arg-type]
        *(Observation(0, []), Observation(None, None), Observation(float("nan"), ())),  # type: ignore[arg-type]
    )


class StrRaises(Exception):
    """Its text cannot be had."""

    __str__ = __repr__ = _raise


class LongText(Exception):
    """Its text is long."""

    def __str__(self) -> str:
        return TEXTS[4] * 1_000_000


class NoText(Exception):
    """Its text is not a text."""

    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307


class TwoArguments(Exception):
    """Cannot be made again when it is unpickled."""

    def __init__(self, one: object, two: object) -> None:
        super().__init__(one)


class Odd(NoRoom):
    """A refusal."""

    __str__ = _raise


class Unpicklable(Exception):
    """Cannot be pickled."""

    __reduce_ex__ = _raise


def _errors() -> tuple[BaseException, ...]:
    odd = tuple(type(text[:300].replace("\x00", "") or "x", (Exception,), {})(text) for text in TEXTS if "\ud800" not in text)
    base = type("Base", (BaseException,), {"__str__": _raise})
    named = type("Named", (Exception,), {"property_id": "NO_SUCH\x1b"})
    return (
        *(MemoryError(), RecursionError(), KeyboardInterrupt(), SystemExit(0), GeneratorExit(), StopIteration(), NotImplementedError()),
        *(StrRaises(), LongText(), NoText(), TwoArguments(1, 2), Odd(), Unpicklable(), base(), named(), BaseExceptionGroup("g", [base()])),
        *(Exception(text) for text in TEXTS),
        *odd,
        *(NoRoom(TEXTS[4]), TimeoutError(TEXTS[6]), UnicodeDecodeError("utf-8", b"\xff", 0, 1, TEXTS[4]), OSError(2, TEXTS[6])),
    )


class Dice:
    """Draws what a cache answers."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)

    def value(self) -> Any:
        """A nasty value, or raise a nasty error."""
        if self.random.random() < 0.25:
            raise self.random.choice(_errors())
        return self.random.choice(_values())

    def one_of(self, right: Any, share: float = 0.3) -> Any:
        """The right value, or a nasty one."""
        return self.random.choice(_values()) if self.random.random() < share else right

    def node(self, right: SeenNode) -> SeenNode:
        """A node with one nasty field."""
        return right._replace(**{self.random.choice(SeenNode._fields): self.random.choice(_values())})

    def observation(self, right: Observation) -> Any:
        """An observation with something nasty in it."""
        match self.random.randrange(5):
            case 0:
                return self.value()
            case 1:
                field = self.random.choice(("now", "nodes", "requests", "heap", "leaves", "leaf_count", "queued"))
                return Observation(**{**{f: getattr(right, f) for f in right.__slots__}, field: self.random.choice(_values())})
            case 2 if right.nodes:
                nodes = list(right.nodes)
                at = self.random.randrange(len(nodes))
                nodes[at] = self.node(nodes[at])
                return Observation(right.now, nodes, right.requests, right.heap)
            case 3:
                requests = {h: r._replace(**{self.random.choice(SeenRequest._fields): self.one_of(1)}) for h, r in right.requests.items()}
                return Observation(right.now, right.nodes, requests, right.heap)
        entry = SeenEntry((self.one_of(1), self.one_of(2)), self.one_of(None), self.one_of(0), self.one_of(True))
        return Observation(right.now, right.nodes, right.requests, [entry], self.one_of(None), self.one_of(None), self.one_of(0))


class Answers:
    """Has the attributes of all answers: of a match, a row and the sizes."""

    def __init__(self, dice: Dice, right: Any = None) -> None:
        for name in ("length", "slots", "node", "cached", "available", "evictable", "protected"):
            setattr(self, name, dice.one_of(getattr(right, name, 0), 0.5))


VERBS = ("match", "peek", "insert", "lock", "unlock", "evict", "alloc", "free", "reset", "start", "chunk", "decode", "finish", "abort")
SHOWING = ("sizes", "locate", "observe_path", "observe_entry", "storage", "overwrite", "written")
_made = itertools.count()


def seed() -> str:
    return os.environ.get("NASTY_SEED", "0")


def dice() -> Dice:
    """The same for each cache of a run in one process, but for the number of the cache."""
    return Dice(f"{seed()} {next(_made)}")


def _supports(random: Random) -> Any:
    """Mostly one that is right, in whole or in part."""
    if random.random() < 0.8:
        return random.choice((Supports(), Supports(), Supports(requests=False), Supports(tree=False)))
    if random.random() < 0.1:
        return random.choice(_values())
    name = random.choice(("tree", "requests", "namespaces", "policies", "page_sizes", "attributes", "without", "choices", "here"))
    more: tuple[Any, ...] = ((0,), ("1",), (), (1, 10**30), ("lru", "x"), {"match"}, {TEXTS[4]}, {TEXTS[1]: TEXTS[2]}, frozenset(VERBS))
    return Supports(**{name: random.choice((*_values(), *more))})


def _nasty(dice: Dice) -> Callable[..., Any]:
    def answer(*_: Any) -> Any:
        return Answers(dice) if dice.random.random() < 0.4 else dice.value()

    return answer


def black(setup: Setup) -> Any:
    """Every answer is nasty, and nothing inside is shown."""
    drawn = dice()
    verbs = {name: staticmethod(_nasty(drawn)) for name in (*VERBS, "sizes")}
    return type("Black", (), {**verbs, "supports": _supports(Random(seed()))})()


def white(setup: Setup) -> Any:
    """The same, with a nasty inside."""
    drawn, right = dice(), ReferenceSubject.of(setup)
    verbs = {name: staticmethod(_nasty(drawn)) for name in (*VERBS, *SHOWING)}
    shown = {"observe": staticmethod(lambda: drawn.observation(right.observe()))}
    return type("White", (), {**verbs, **shown, "supports": _supports(Random(seed()))})()


class MostlyRight(ReferenceSubject):
    """Right answers, but for a nasty one in every Nth call. What is shown has odd names."""

    dice: Dice
    share: float

    def _or_nasty(self, right: Any) -> Any:
        if self.dice.random.random() > self.share:
            return right
        return Answers(self.dice, right) if self.dice.random.random() < 0.5 else self.dice.value()

    def observe(self) -> Any:
        seen = super().observe()
        return self.dice.observation(seen) if self.dice.random.random() < self.share else seen

    def match(self, key: Key) -> Any:
        return self._or_nasty(super().match(key))

    def peek(self, key: Key) -> Any:
        return self._or_nasty(super().peek(key))

    def insert(self, key: Key, slots: Any, priority: int = 0) -> Any:
        return self._or_nasty(super().insert(key, slots, priority))

    def evict(self, tokens: int) -> Any:
        return self._or_nasty(super().evict(tokens))

    def alloc(self, tokens: int) -> Any:
        return self._or_nasty(super().alloc(tokens))

    def start(self, request: int, key: Key, priority: int = 0) -> Any:
        return self._or_nasty(super().start(request, key, priority))

    def chunk(self, request: int) -> Any:
        return self._or_nasty(super().chunk(request))

    def decode(self, request: int, token: int) -> Any:
        return self._or_nasty(super().decode(request, token))

    def sizes(self) -> Any:
        return self._or_nasty(super().sizes())

    def locate(self, node: Any) -> Any:
        return self._or_nasty(super().locate(node))


def mostly_right(setup: Setup) -> Any:
    """A right cache with a nasty answer now and then; of every third seed, with nodes whose names are objects."""
    made = MostlyRight.of(setup)
    made.dice, made.share = dice(), (0.3, 0.02, 0.002)[int(seed()) % 3]
    return made


class Name(str):
    """The name of a node whose comparison raises now and then."""

    random = Random(seed())

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        return _raise() if self.random.random() < 0.01 else super().__eq__(other)

    def __repr__(self) -> str:
        return self.random.choice(TEXTS)


class Named(ReferenceSubject):
    """A right cache whose nodes have names that misbehave."""

    def observe(self) -> Observation:
        seen = super().observe()
        named = {n.name: Name(n.name) for n in seen.nodes}
        nodes = [n._replace(name=named[n.name], parent=named.get(n.parent)) for n in seen.nodes]
        requests = {h: r._replace(node=named.get(r.node)) for h, r in seen.requests.items()}
        return Observation(seen.now, nodes, requests)


named = Named.of


class Attributes:
    """Every attribute raises, `observe` and `supports` among them."""

    def __getattr__(self, name: str) -> Any:
        raise Raises(name)


def attributes(setup: Setup) -> Any:
    return Attributes()


def raising_when_made(setup: Setup) -> Any:
    return dice().value()
