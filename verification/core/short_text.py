"""Text that is cut to be shown."""

from collections.abc import Iterable

WORDS_MAX = 100  # characters of a key


def brief(text: str) -> str:
    """Return the text without the middle of a long list of tokens.

    >>> brief("[" + "1 " * 60 + "2]")
    '[1 1 1 1 1 1 1 1 1 1 1 1 ... 1 1 1 1 1 1 1 2]'
    """
    return text if len(text) <= WORDS_MAX else f"{text[: WORDS_MAX // 4].rstrip()} ... {text[-WORDS_MAX // 6 :].lstrip()}"


def counted(count: int, what: str) -> str:
    """Return a number of things.

    >>> counted(1, "token"), counted(2_000, "token")
    ('1 token', '2,000 tokens')
    """
    return f"{count:,} {what}{'s' * (count != 1)}"


def numbers(values: Iterable[int], most: int = 8) -> str:
    """Return the numbers as text; of more than `most`, the first three and the last."""
    listed = [str(x) for x in values]
    return " ".join(listed if len(listed) <= most else [*listed[:3], "..", listed[-1]])
