"""Text that is cut or cleaned to be shown."""

from collections.abc import Iterable

WORDS_MAX = 100  # characters of a key


def brief(text: str) -> str:
    """Return the text without the middle of a long list of tokens.

    >>> brief("[" + "1 " * 60 + "2]")
    '[1 1 1 1 1 1 1 1 1 1 1 1 ... 1 1 1 1 1 1 1 2]'
    """
    return text if len(text) <= WORDS_MAX else f"{text[: WORDS_MAX // 4].rstrip()} ... {text[-WORDS_MAX // 6 :].lstrip()}"


def one_line(text: str) -> str:
    """Return the text as one line, without characters that XML or a terminal does not accept.

    >>> one_line("a\\x00b\\x1b[0m")
    'a b [0m'
    """
    return "".join(c if c.isprintable() else " " for c in text)


def numbers(values: Iterable[int], most: int = 8) -> str:
    """Return the numbers as text; of more than `most`, the first three and the last."""
    listed = [str(x) for x in values]
    return " ".join(listed if len(listed) <= most else [*listed[:3], "..", listed[-1]])
