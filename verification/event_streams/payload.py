"""The payload of one batch: bytes of msgpack, into plain values. Whatever the bytes are, it is these values or one `StreamError`."""

from typing import Any

from radixcheck.verification.core.installing import install_command
from radixcheck.verification.core.printable import printable, value_text
from radixcheck.verification.core.usage import UsageError

REASON_MAX = 120  # characters


class StreamError(Exception):
    """A stream cannot be read on. The message says where and why; what was read before stays."""


def msgpack_package() -> Any:
    """Return the package msgpack. Raise UsageError if it is not installed."""
    try:
        import msgpack as package
    except ImportError as error:
        raise UsageError(f"batches are read with the package msgpack, which is not installed: {install_command('events')}") from error
    return package


def zmq_package() -> Any:
    """Return the package zmq. Raise UsageError if it is not installed."""
    try:
        import zmq as package
    except ImportError as error:
        raise UsageError(f"a live server is read with the package pyzmq, which is not installed: {install_command('events')}") from error
    return package


def unpacked(payload: bytes) -> Any:
    """Return the one value that the bytes hold. Raise StreamError if they hold none, a part of one, or more than one.

    Lengths that the bytes announce are refused, before memory is taken, if there are not as many bytes; so is deep nesting.
    """
    try:
        return msgpack_package().unpackb(payload, strict_map_key=False)
    except (ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise StreamError(f"its {len(payload):,} bytes are not one value of msgpack ({unpack_reason(error)})") from error


def unpack_reason(error: BaseException) -> str:
    """Return why bytes could not be read: the message, or the name of an error that has none."""
    return printable(str(error), REASON_MAX) or type(error).__name__


def is_count(value: object) -> bool:
    """Return whether this is an integer from 0; a boolean is not."""
    return type(value) is int and value >= 0


def short(value: object) -> str:
    """Return a wrong value as text for a message."""
    return value_text(value, 60)
