"""Text of a cache under check (names, errors, values), made safe to be shown: at a terminal, in XML, in a file of any encoding.

Whatever turns a value of a subject into text may raise, lie or be very long. The functions here return text all the same.
"""

import signal

LIMIT = 400  # characters
NAME_LIMIT = 80  # of the name of an exception


def let_interrupt_pass(error: BaseException) -> None:
    """Raise the error again if it is an interrupt of the user. Any other is the subject's, which may raise anything.

    A KeyboardInterrupt is the subject's where the signal is ignored, as in worker processes.
    """
    if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        raise error


def printable(text: str, limit: int = LIMIT) -> str:
    r"""Return the text on one line of at most `limit` characters, with escapes for characters that cannot be printed.

    These are control characters, marks that change the direction of text or have no width, and lone surrogates. Other characters stay.

    >>> printable("a\x1b[31m\u202eb\udc80\nü"), printable("abcdef", 4)
    ('a\\x1b[31m\\u202eb\\udc80\\nü', 'abc…')
    """
    cut = str.__str__(text[: limit + 1])
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
    return cut if len(cut) <= limit else cut[: limit - 1] + "…"


def value_text(value: object, limit: int = LIMIT) -> str:
    """Return a value of a subject as text.

    >>> value_text([None, "a"])
    "[None, 'a']"
    """
    try:
        return printable(repr(value), limit)
    except BaseException as error:
        let_interrupt_pass(error)
        return f"a value of type {_name(value)}, which cannot be shown"


def error_text(error: BaseException) -> str:
    """Return the type and the message of an exception.

    >>> error_text(ValueError("wrong")), error_text(KeyError())
    ('ValueError: wrong', 'KeyError')
    """
    try:
        message = printable(str(error))
    except BaseException as another:
        let_interrupt_pass(another)
        message = "its message cannot be read"
    return f"{_name(error)}: {message}" if message else _name(error)


def _name(value: object) -> str:
    """Return the name of the type of a value."""
    return printable(type.__dict__["__name__"].__get__(type(value)), NAME_LIMIT)
