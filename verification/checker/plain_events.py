"""Plain copies of the KV events that a cache shows: see `plain_values.py`."""

from typing import Any

from radixcheck.spec.events.event_values import DEVICE, HOST, Cleared, Event, Removed, Stored
from radixcheck.spec.values import TOKEN_MAX, Namespace
from radixcheck.verification.checker.plain_values import Unreadable, items_of
from radixcheck.verification.core.printable import value_text

ID_MAX = 2**64 - 1


def events(found: Any) -> list[Event]:
    """Return events."""
    return [_event(each) for each in items_of(found, "the events")]


def _event(found: Any) -> Event:
    if isinstance(found, Stored):
        parent = None if found.parent is None else _numbers((found.parent,), "`parent`", ID_MAX)[0]
        ids, tokens = _numbers(found.ids, "`ids`", ID_MAX), _numbers(found.tokens, "`tokens`", TOKEN_MAX)
        return Stored(_medium(found.medium), _namespace(found.namespace), parent, ids, tokens)
    if isinstance(found, Removed):
        return Removed(_medium(found.medium), _numbers(found.ids, "`ids`", ID_MAX))
    if isinstance(found, Cleared):
        return Cleared()
    raise Unreadable(f"expected Stored, Removed or Cleared, found {value_text(found)}")


def _medium(found: Any) -> str:
    if type(found) is not str or found not in (DEVICE, HOST):
        raise Unreadable(f"`medium`: expected {DEVICE!r} or {HOST!r}, found {value_text(found)}")
    return found


def _namespace(found: Any) -> Namespace:
    if not isinstance(found, tuple):
        raise Unreadable(f"`namespace`: expected a tuple, found {value_text(found)}")
    return tuple(found)


def _numbers(found: Any, what: str, maximum: int) -> tuple[int, ...]:
    items = tuple(items_of(found, what))
    wrong = next((item for item in items if type(item) is not int or not 0 <= item <= maximum), None)
    if wrong is not None:
        raise Unreadable(f"{what}: expected integers from 0 to {maximum}, found {value_text(wrong)}")
    return items
