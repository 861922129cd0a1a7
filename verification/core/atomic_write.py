"""Files that are written whole or not at all: what stood there stays until the new text is complete."""

from pathlib import Path


def unfinished(path: Path) -> Path:
    """Where the new text is until then."""
    return path.with_name(path.name + ".part")


def write_whole(path: Path, text: str) -> None:
    """Replace the file by this text, or the file that a link leads to. Raises OSError, and then leaves nothing of it.

    What is there and no file, as a pipe, is written into.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    part = unfinished(path)
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
