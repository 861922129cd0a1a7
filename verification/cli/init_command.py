"""`radixcheck init`."""

import os
import re
import shlex
from keyword import iskeyword
from pathlib import Path
from typing import Any

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import print_json, subject_output
from radixcheck.verification.core.atomic_write import write_atomically
from radixcheck.verification.core.program import program
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.subjects.registry import attribute_of, is_file
from radixcheck.verification.subjects.starter.written_files import STYLES, Own, adapter_text, test_text

LIKE = "tree: match, insert, lock, evict; requests: rows of requests; sglang: the methods of its RadixCache"


@click.command(cls=Command)
@click.argument("cache", required=False)
@click.option("--like", "style", type=click.Choice(STYLES), default=STYLES[0], show_default=True, help=LIKE)
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="the folder  [default: that of file.py, else this one]"
)
@options("json")
def init(cache: str | None, style: str, folder: Path | None, as_json: bool) -> Status:
    """Write an adapter and a test for a cache of your own, CACHE: module:class, or file.py:class.

    The adapter says what the verbs of radixcheck mean in your cache. Its methods are left to be written; `radixcheck verify` says which is
    next. Without CACHE it is about a tiny example, which holds, and your cache goes where a line says FILL IN. No file is overwritten.
    """
    with subject_output():
        found = None if cache is None else _class(cache)
    home = Path(cache.rpartition(":")[0]).parent if cache is not None and is_file(cache) else Path()
    folder = home if folder is None else folder
    own = None if cache is None or found is None else _own(cache, found, home, folder)
    name = "cache_adapter" if own is None else f"{_snake(own.name)}_adapter"
    texts = {folder / f"{name}.py": adapter_text(style, name, own), folder / f"test_{name}.py": test_text(style, name)}
    _write(texts)
    adapter = f"{name}:cache" if folder == Path() else f"{folder / name}.py:cache"
    following = f"{program()} verify {shlex.quote(adapter)} --seconds 20"
    if as_json:
        print_json({"files": [str(path) for path in texts], "next": following})
        return Status.HOLDS
    about = "of a tiny example, which holds; your cache goes where a line says FILL IN" if own is None else f"of {cache}, to be filled in"
    for path, what in zip(texts, (f"the adapter {about}", "a test for pytest"), strict=True):
        click.echo(f"wrote {path}: {what}")
    click.echo(f"next: {following}")
    return Status.HOLDS


def _class(cache: str) -> type[Any]:
    """Import a class. Raise UsageError."""
    found = attribute_of(cache)
    if not isinstance(found, type):
        raise UsageError(f"{cache!r} is not a class: give module:class, or file.py:class")
    return found


def _own(cache: str, kind: type[Any], home: Path, folder: Path) -> Own:
    """Return the class as the adapter in `folder` imports it; `home`: where its module lies, unless it is installed."""
    module, _, name = cache.rpartition(":")
    module = Path(module).stem if is_file(cache) else module
    if not all(part.isidentifier() and not iskeyword(part) for part in module.split(".")):
        raise UsageError(f"{cache!r}: {module!r} is not a name that an adapter can import: rename the file")
    top = module.partition(".")[0]
    is_near = (home / f"{top}.py").is_file() or (home / top).is_dir()
    way = os.path.relpath(home.resolve(), folder.resolve())
    return Own(module, kind, name, way if is_near and way != "." else "")


def _snake(name: str) -> str:
    """Return the name of a class as that of a module.

    >>> _snake("RadixCache"), _snake("KVCache")
    ('radix_cache', 'kv_cache')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _write(texts: dict[Path, str]) -> None:
    """Write new files. Raise UsageError, before anything is written, if one of them exists."""
    for path in texts:
        if path.exists():
            raise UsageError(f"{path}: exists already, and is not overwritten; give another folder with --to")
    written: list[Path] = []
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
            written.append(path)
        except OSError as error:
            for other in written:
                other.unlink()
            raise UsageError(f"{path}: cannot be written ({error.strerror}); give another folder with --to") from error
