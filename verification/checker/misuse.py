"""Misuses: calls outside their guard, made only with --misuse. Each must raise a typed error and change nothing.

Those of `operations.TREE_MISUSES`, `REQUEST_MISUSES` and `HOST_MISUSES` depend on the state: right values at the wrong time. All others are
calls with a wrong value (`wrong_values.WRONG_CALLS`).
"""

from collections.abc import Callable
from functools import cache, partial
from random import Random
from typing import Any

from radixcheck.spec.signature import TREE
from radixcheck.spec.values import Key
from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.checker.engine import Answer, Engine, SubjectFailed
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import HOST_MISUSES, REQUEST_MISUSES, TREE_MISUSES, Op
from radixcheck.verification.protocol import Supports
from radixcheck.verification.wrong_values import WRONG_CALLS, WrongCall

Call = Callable[[], Any]
UNKNOWN = 10**9  # a request id that is never used
OF_STATE = 0.5  # share of the misuses that depend on the state


def misuses_for(supports: Supports, tiered: bool = False) -> tuple[str, ...]:
    """Return the names of the misuses that are possible with a subject's verbs, those of its host tier included if it has one now."""
    names = (TREE_MISUSES if supports.tree else ()) + (REQUEST_MISUSES if supports.requests else ()) + (HOST_MISUSES if tiered else ())
    verbs = supports.operations + (supports.host_operations if tiered else ())
    return tuple(name for name in names if name.partition(" ")[0] in verbs)


def wrong_calls_for(supports: Supports, page_size: int, tensors: bool) -> tuple[str, ...]:
    """Return the names of the calls with a wrong value that any cache with these verbs must refuse. `tensors`: its slots are in these."""
    unread = (() if supports.namespaces else ("namespace",)) + (() if "priority" in supports.attributes else ("priority",))
    return _wrong_calls(supports.operations, unread, supports.here, page_size > 1, tensors)


@cache
def _wrong_calls(operations: tuple[str, ...], unread: tuple[str, ...], here: bool, pages: bool, tensors: bool) -> tuple[str, ...]:
    """`unread`: kinds of argument that the cache need not look at."""

    def possible(call: WrongCall) -> bool:
        wrong = call.wrong
        if wrong.strict or call.verb not in operations or call.kind in unread:
            return False
        if wrong.another and not {"match", "insert", "lock"} <= {*operations}:
            return False
        return (here or wrong.crosses) and (pages or not wrong.pages) and (tensors or not wrong.tensors)

    return tuple(name for name, call in WRONG_CALLS.items() if possible(call))


def drawn(run: CheckedRun, random: Random) -> str:
    """Return the name of a misuse: as often one that depends on the state as one with a wrong value."""
    engine = run.engine
    of_state = misuses_for(run.supports, run.host is not None)
    of_values = wrong_calls_for(run.supports, engine.page_size, engine.container is not list)
    return random.choice((of_state if random.random() < OF_STATE else of_values) or of_state)


def misuse(engine: Engine, oracle: Oracle, name: str) -> Answer | None:
    """Make one misuse. Return None if it is not possible in the present state."""
    call = _CALLS[name](engine, oracle) if name in _CALLS else _with_wrong_value(engine, oracle, WRONG_CALLS[name])
    if call is None:
        return None
    return engine.attempt(Op(name), call)


def _with_stale_handle(verb: str) -> Callable[[Engine, Oracle], Call | None]:
    """Return how to call a verb with a handle of a node that has left the tree."""

    def call(engine: Engine, oracle: Oracle) -> Call | None:
        stale = next((handle for key, handle in engine.handles.items() if key not in oracle.matched), None)
        return partial(getattr(engine.subject, verb), stale) if stale is not None else None

    return call


def _tree_page(engine: Engine, oracle: Oracle) -> Any:
    """Return the slots of a page that the tree owns, in the container that the subject uses; None if there is none."""
    page = next((p for p, owner in enumerate(oracle.model.state.owner) if owner == TREE), None)
    size = engine.page_size
    return None if page is None else engine.container(list(range(page * size, (page + 1) * size)))


def _free_foreign(engine: Engine, oracle: Oracle) -> Call | None:
    slots = _tree_page(engine, oracle)
    return None if slots is None else lambda: engine.subject.free(slots)


def _insert_foreign(engine: Engine, oracle: Oracle) -> Call | None:
    slots = _tree_page(engine, oracle)
    return None if slots is None else lambda: engine.subject.insert(_unknown_key(engine), slots)


def _unknown_key(engine: Engine) -> Key:
    return Key((10**6,) * engine.page_size)


def _live(oracle: Oracle) -> int | None:
    """Return the id of a live request; None if there is none."""
    return next(iter(oracle.requests), None)


def _with_wrong_value(engine: Engine, oracle: Oracle, call: WrongCall) -> Call | None:
    """Return a call of which one argument is wrong and all others are right. None if nothing in the present state is right."""
    verb, kind, wrong = call.verb, call.kind, call.wrong
    values = _right_values(engine, oracle, verb)
    if wrong.another:
        try:
            values[kind] = engine.call(_of_another, engine, kind)
        except Exception:  # of a faulty cache: right calls find it too, and there is nothing of another cache to pass
            return None
    if values.get(kind, 0) is None or (kind != "slots" and values.get("slots", 0) is None):
        return None
    if kind == "token" and "key" in values:
        key = values["key"]
        values["key"] = Key((*key.tokens[:-1], wrong.make(key.tokens[-1])), key.namespace)
    elif kind in ("tokens", "namespace"):
        values["key"] = wrong.make(values["key"])
    else:
        if wrong.twice and "key" in values:
            values["key"] = Key(values["key"].tokens * 2)
        values[kind] = wrong.make(values[kind])
    return partial(getattr(engine.subject, verb), *values.values())


def _right_values(engine: Engine, oracle: Oracle, verb: str) -> dict[str, Any]:
    """Return right arguments of a verb, by their kinds in the order of its parameters; None where the present state has none."""
    key, live = _unknown_key(engine), _live(oracle)
    loan = next((slots for slots in engine.loans.values() if len(slots)), None)
    match verb:
        case "insert":
            return {"key": Key(key.tokens[:1] * len(loan)) if loan is not None else key, "slots": loan, "priority": 0}
        case "start":
            return {"request": UNKNOWN, "key": key, "priority": 0}
        case "decode":
            return {"request": live, "token": 1}
        case "match" | "peek":
            return {"key": key}
        case "evict" | "alloc":
            return {"amount": engine.page_size}
        case "free":
            return {"slots": loan}
        case "lock" | "unlock":
            return {"node" if verb == "lock" else "receipt": 0}
    return {"request": UNKNOWN}


def _of_another(engine: Engine, kind: str) -> Any:
    """Return a node, or a receipt, of another cache."""
    other, key = engine.another, _unknown_key(engine)
    if not other.match(key).length:
        other.insert(key, other.alloc(len(key.tokens)))
    node = other.match(key).node
    return node if kind == "node" else other.lock(node)


def _start_twice(engine: Engine, oracle: Oracle) -> Call | None:
    live = next(iter(oracle.requests), None)
    return None if live is None else lambda: engine.subject.start(live, _unknown_key(engine))


_CALLS: dict[str, Callable[[Engine, Oracle], Call | None]] = {
    "unlock twice": lambda engine, oracle: None if engine.released is None else partial(engine.subject.unlock, engine.released),
    "lock a stale handle": _with_stale_handle("lock"),
    "free slots of the tree": _free_foreign,
    "insert slots of the tree": _insert_foreign,
    "evict a negative number": lambda engine, oracle: lambda: engine.subject.evict(-1),
    "match a negative token": lambda engine, oracle: lambda: engine.subject.match(Key((-1,) * engine.page_size)),
    "reset while held": lambda engine, oracle: engine.subject.reset if oracle.model.state.held else None,
    "start a live request": _start_twice,
    "finish an unknown request": lambda engine, oracle: lambda: engine.subject.finish(UNKNOWN),
    "decode an unknown request": lambda engine, oracle: lambda: engine.subject.decode(UNKNOWN, 1),
    "abort an unknown request": lambda engine, oracle: lambda: engine.subject.abort(UNKNOWN),
    "load_back a stale handle": _with_stale_handle("load_back"),
    "backup a stale handle": _with_stale_handle("backup"),
    "evict_host a negative number": lambda engine, oracle: lambda: engine.subject.evict_host(-1),
    "run an unknown request": lambda engine, oracle: lambda: engine.subject.run(UNKNOWN),
}


def judge_misuse(run: CheckedRun, name: str) -> list[Violation]:
    """Make one misuse, if it is possible in the present state, and judge it."""
    run.before = run.seen
    answer = misuse(run.engine, run.oracle, name)
    run.tally.count("MISUSE", answer is not None)
    if answer is None:
        return []
    if not answer.refused:
        found = f"it raised {answer.error_text}" if answer.error else "the call was accepted"
        return [Violation("MISUSE", f"{name}: expected a typed error, {found}")]
    changes = [finding.text for finding in run.engine.findings]
    if run.transparent:
        changes += _changes(run)
    return [Violation("MISUSE", f"{name}: refused, but {changes[0]}")] if changes else []


def _changes(run: CheckedRun) -> list[str]:
    try:
        findings = [violation.text for violation in run.observe()]
    except SubjectFailed as failed:
        findings = [str(failed)]
    return findings + [f"{name} changed" for name in run.differing(run.tainted)]
