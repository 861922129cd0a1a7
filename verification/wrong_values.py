"""Values that are wrong as an argument, by the kind of argument, and the calls that they make wrong.

A call has a name as "alloc with amount 1.5". `checker/misuse.py` makes these calls on any subject, with the values for which no right
meaning exists. Of the others (`strict`) a cache of ours refuses each too, and another cache may take them as the integer that they equal.
Only values that JSON can carry (`crosses`) are given to a cache in another process.
"""

from collections.abc import Callable, Iterable, Sequence
from math import inf, nan
from typing import Any, NamedTuple

from radixcheck.spec.values import Key


class Wrong(NamedTuple):
    """A value that is wrong. `make` takes a right value of this kind, and returns the wrong one."""

    name: str
    make: Callable[[Any], Any]
    crosses: bool = False
    strict: bool = False  # only caches of ours must refuse it
    tensors: bool = False  # it is made of a tensor
    pages: bool = False  # it is right where a page is one slot
    another: bool = False  # it is made by another cache
    twice: bool = False  # it has twice the length of the right one


class WrongCall(NamedTuple):
    """A verb with one wrong argument."""

    verb: str
    kind: str  # of the argument
    wrong: Wrong

    @property
    def name(self) -> str:
        """The name in traces and reports."""
        return f"{self.verb} with {self.kind} {self.wrong.name}"


def _always(name: str, value: Any, crosses: bool = False, strict: bool = False) -> Wrong:
    return Wrong(name, lambda right: value, crosses, strict)


NOT_INTEGERS = (
    *(_always("1.5", 1.5, crosses=True), _always("NaN", nan), _always("infinity", inf, strict=True), _always("16.0", 16.0, strict=True)),
    *(_always("'1'", "1", crosses=True), _always("b'1'", b"1"), _always("[1]", [1], crosses=True), _always("1j", 1j)),
)
NONE, NEGATIVE = _always("None", None, crosses=True), _always("-1", -1, crosses=True)
MUST_FIT, DIGITS = _always("10**30", 10**30, crosses=True), _always("10**5000", 10**5000, strict=True)
AMOUNTS = (*NOT_INTEGERS, NONE, NEGATIVE)
PRIORITIES = (*NOT_INTEGERS, NEGATIVE, _always("None", None, strict=True))
TOKENS = (*AMOUNTS, _always("2**64", 2**64, strict=True), DIGITS)
NO_REQUESTS = (*AMOUNTS, DIGITS)
NEW_REQUESTS = (
    *(_always("[1]", [1], crosses=True), _always("None", None, crosses=True), _always("NaN", nan)),
    *(_always(name, value, strict=True) for name, value in (("1.5", 1.5), ("'1'", "1"), ("16.0", 16.0), ("-1", -1))),
)
KEYS = (
    *(_always("None", None), _always("5", 5), _always("'ab'", "ab")),
    *(Wrong("a tuple of tokens", lambda key: key.tokens), Wrong("a list of tokens", lambda key: list(key.tokens))),
)
TOKEN_LISTS = (
    *(Wrong("None", lambda key: Key(None, key.namespace)), Wrong("5", lambda key: Key(5, key.namespace))),  # type: ignore[arg-type]
    *(Wrong("a string", lambda key: Key("a" * len(key.tokens))), Wrong("bytes", lambda key: Key(bytes(8 * len(key.tokens))))),  # type: ignore[arg-type]
    Wrong("a generator", lambda key: Key(token for token in key.tokens)),  # type: ignore[arg-type]
    *(Wrong("a set", lambda key: Key({*key.tokens})), Wrong("a dict", lambda key: Key(dict.fromkeys(key.tokens)))),  # type: ignore[arg-type]
)
NAMESPACES = (
    *(Wrong("(['a'],)", lambda key: Key(key.tokens, (["a"],))), Wrong("['a']", lambda key: Key(key.tokens, ["a"]))),  # type: ignore[arg-type]
    *(Wrong(repr(value), lambda key, value=value: Key(key.tokens, value), strict=True) for value in (None, "a", 5)),  # type: ignore[misc]
)
HANDLES = (
    *(_always("None", None, crosses=True), _always("1.5", 1.5, crosses=True), _always("-1", -1, crosses=True)),
    *(_always("10**9", 10**9, crosses=True), _always("'x'", "x", crosses=True), _always("[]", []), _always("an object", object())),
)
OTHERS = (Wrong("of another cache", lambda right: right, another=True),)  # `right` is of the other cache


def _slots(name: str, change: Callable[[list[int]], Any], pages: bool = False, twice: bool = False) -> Wrong:
    """Slots that are integers, but the wrong ones."""
    return Wrong(name, lambda slots: _like(slots, change(_listed(slots))), crosses=True, pages=pages, twice=twice)


def _listed(slots: Any) -> list[int]:
    return list(slots.tolist() if hasattr(slots, "tolist") else slots)


def _like(slots: Any, listed: Sequence[Any]) -> Any:
    """Return these integers in a container of the same type."""
    return slots.new_tensor(listed) if hasattr(slots, "new_tensor") else listed


def _tensor(name: str, change: Callable[[Any], Any]) -> Wrong:
    return Wrong(name, change, tensors=True)


SLOTS = (
    *(_always("None", None, crosses=True), _always("5", 5, crosses=True), _always("'ab'", "ab", crosses=True), _always("{}", {})),
    *(_always("1.5", [1.5], crosses=True), _always("[None]", [None], crosses=True), _always("['1']", ["1"], crosses=True)),
    Wrong("in lists of one", lambda slots: [[slot] for slot in _listed(slots)], True),
    *(_slots("below 0", lambda s: [-slot - len(s) for slot in s]), _slots("out of range", lambda s: [10**9 + slot for slot in s])),
    *(_slots("too few", lambda s: s[:-1], pages=True), _slots("out of order", lambda s: s[::-1], pages=True)),
    _slots("given twice", lambda s: s * 2, twice=True),
    *(_tensor("of int32", lambda t: t.int()), _tensor("of float32", lambda t: t.float()), _tensor("of bool", lambda t: t.bool())),
    *(_tensor("on the meta device", lambda t: t.to("meta")), _tensor("of no dimension", lambda t: t[0])),
    *(_tensor("of two dimensions", lambda t: t.reshape(1, -1)), _tensor("in a column", lambda t: t.reshape(-1, 1))),
)
KINDS: dict[str, tuple[Wrong, ...]] = {
    **{"key": KEYS, "tokens": TOKEN_LISTS, "namespace": NAMESPACES, "token": TOKENS, "amount": AMOUNTS, "priority": PRIORITIES},
    **{"slots": SLOTS, "node": (*HANDLES, *OTHERS), "receipt": (*HANDLES, *OTHERS), "request": NO_REQUESTS},
}
_KEY = ("key", "tokens", "namespace", "token")
TREE_ARGUMENTS = {
    **{"match": _KEY, "peek": _KEY, "insert": (*_KEY, "slots", "priority"), "lock": ("node",), "unlock": ("receipt",)},
    **{"evict": ("amount",), "alloc": ("amount",), "free": ("slots",)},
}
REQUEST_ARGUMENTS = {
    **{"start": ("request", *_KEY, "priority"), "decode": ("request", "token")},
    **{"chunk": ("request",), "finish": ("request",), "abort": ("request",)},
}


def _wrong(verb: str, kind: str) -> tuple[Wrong, ...]:
    if (verb, kind) == ("start", "request"):
        return NEW_REQUESTS
    return (*AMOUNTS, MUST_FIT, DIGITS) if verb == "alloc" else KINDS[kind]


WRONG_CALLS: dict[str, WrongCall] = {
    call.name: call
    for verb, kinds in (TREE_ARGUMENTS | REQUEST_ARGUMENTS).items()
    for kind in kinds
    for call in (WrongCall(verb, kind, wrong) for wrong in _wrong(verb, kind))
}


def grouped(rules: Iterable[str]) -> str:
    """Return the names of rules in one line, those of calls with a wrong value by verb and kind of argument.

    >>> grouped(("chunk", "evict with amount -1", "evict with amount None"))
    'chunk, evict with amount (-1; None)'
    """
    groups: dict[str, list[str]] = {}
    for name in rules:
        call = WRONG_CALLS.get(name)
        groups.setdefault(f"{call.verb} with {call.kind}" if call else name, []).extend([call.wrong.name] if call else [])
    return ", ".join(f"{group} ({'; '.join(values)})" if values else group for group, values in groups.items())
