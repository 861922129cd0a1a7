"""Operations as data: traces are made of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from radixcheck.spec.values import Key
from radixcheck.verification.wrong_values import WRONG_CALLS

TREE_OPERATIONS = ("match", "peek", "insert", "lock", "unlock", "evict", "alloc", "free", "reset")
REQUEST_OPERATIONS = ("start", "chunk", "decode", "finish", "abort", "reset")
HOST_OPERATIONS = ("load_back", "backup", "evict_host", "complete", "poll", "run")  # `complete` is the copier's: a copy arrives or fails
FAIL = "fail"  # what copies can do, unless a cache is without it: what its engine copies always arrives
NEEDS = {  # of a caller that performs an operation: the other verbs that it calls, before or after
    "insert": {"alloc", "free"},
    "alloc": {"free"},
    "free": {"alloc"},
    "lock": {"match", "unlock"},
    "unlock": {"lock"},
    **{name: {"start"} for name in ("chunk", "decode", "finish", "abort", "run")},
    "load_back": {"match", "poll"},
    "backup": {"match", "poll"},
}
TREE_MISUSES = (  # calls outside their guard; the name of each begins with the verb that it misuses
    "unlock twice",
    "lock a stale handle",
    "free slots of the tree",
    "insert slots of the tree",
    "evict a negative number",
    "match a negative token",
    "reset while held",
)
REQUEST_MISUSES = ("start a live request", "finish an unknown request", "decode an unknown request", "abort an unknown request")
HOST_MISUSES = ("load_back a stale handle", "backup a stale handle", "evict_host a negative number", "run an unknown request")

NO_KEY = Key(())
REPEATED = 5  # times in a row from which on a token is written once


def listed(tokens: Iterable[int]) -> str:
    """Tokens for a reader, on one line even where pages are long.

    >>> listed((0, 0, 1)), listed((*(0,) * 63, 2))
    ('[0 0 1]', '[0*63 2]')
    """
    words = list[str]()
    for token, same in groupby(tokens):
        times = len(list(same))
        words += [f"{token}*{times}"] if times >= REPEATED else [str(token)] * times
    return f"[{' '.join(words)}]"


@dataclass(frozen=True, slots=True)
class Op:
    """One operation with its arguments. `holder` names a request, a lock or a caller's slots, so that a trace needs no handles; for
    `complete` it is the place of a copy among those that are not done, the oldest first."""

    name: str
    key: Key = NO_KEY
    holder: int = 0
    amount: int = 0  # tokens to evict; the token to decode; tokens to free from the end of a caller's slots (0: all); 1: a copy fails
    priority: int = 0
    loans: tuple[int, ...] = ()  # insert: caller's slots that it uses, before it allocates the rest; free: all that it gives back

    def __str__(self) -> str:
        words = [self.name]
        if self.name in ("start", "chunk", "decode", "finish", "abort", "run"):
            words.append(f"r{self.holder}")
        if self.name == "complete":
            words.append(f"copy {self.holder}{', failed' if self.amount else ''}")
        if self.name in ("lock", "unlock", "alloc", "free") and not self.loans:
            words.append(f"h{self.holder}")
        if self.name in ("match", "peek", "insert", "lock", "alloc", "start", "load_back", "backup"):
            words.append(listed(self.key.tokens))
            if self.key.namespace:
                words.append(f"in {self.key.namespace!r}")
        if self.name in ("evict", "decode", "evict_host"):
            words.append(str(self.amount))
        if self.name == "free" and self.amount:
            words.append(f"the last {self.amount}")
        if self.loans:
            words += [*(("from",) if self.name == "insert" else ()), *(f"h{holder}" for holder in self.loans)]
        if self.priority:
            words.append(f"priority {self.priority}")
        return " ".join(words)

    def to_json(self) -> dict[str, Any]:
        """The operation as one JSON object, without what is at its default."""
        out: dict[str, Any] = {"op": self.name}
        if self.key.tokens:
            out["tokens"] = list(self.key.tokens)
        if self.key.namespace:
            out["namespace"] = list(self.key.namespace)
        out |= {k: v for k, v in (("holder", self.holder), ("amount", self.amount), ("priority", self.priority)) if v}
        if self.loans:
            out["loans"] = list(self.loans)
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Op":
        """The operation that `to_json` wrote."""
        key = Key(tuple(data.get("tokens", ())), tuple(data.get("namespace", ())))
        loans = tuple(data.get("loans", ()))
        return cls(data["op"], key, data.get("holder", 0), data.get("amount", 0), data.get("priority", 0), loans)


Trace = tuple[Op, ...]


def is_misuse(name: str) -> bool:
    """Return whether the name of an operation is that of a misuse."""
    return name in TREE_MISUSES or name in REQUEST_MISUSES or name in HOST_MISUSES or name in WRONG_CALLS
