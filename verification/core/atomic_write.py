"""Files that are replaced atomically: the old content stays until the new one is complete."""

import os
from pathlib import Path
from secrets import token_hex


def part_file(path: Path) -> Path:
    """Return the path of the new content until it is complete."""
    return path.with_name(path.name + ".part")


def write_atomically(path: Path, text: str) -> None:
    """Replace the file, or the file to which a link leads, by this text. Raise OSError, without changes, if that is not possible.

    If the path is not a file but, for instance, a pipe, the text is written into it. Lone surrogates are escaped: UTF-8 has none.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        return
    part = part_file(path)
    try:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def write_durably(path: Path, text: str) -> None:
    """Write a new file that is complete or not there at all, also after a loss of power. Raise OSError.

    Several processes may write it at once: each has a part file of its own.
    """
    part = path.with_name(f"{path.name}.{token_hex(4)}.part")
    try:
        with part.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
