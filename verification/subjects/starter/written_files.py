"""The text of the files that `radixcheck init` writes: an adapter, on a tiny example or on a cache of one's own, and a test."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILL_IN = "# FILL IN"
STYLES = ("tree", "requests", "sglang")
EXAMPLES = {"tree": "TinyTree", "requests": "TinyEngine", "sglang": "TinyRadixCache"}  # the class of each example
KEY = '"tokens": [1] * PAGE + [2] * PAGE'
OF_TREE = f'[{{"op": "insert", {KEY}}}, {{"op": "match", "tokens": [1] * PAGE}}, {{"op": "evict", "amount": PAGE}}]'
OF_REQUESTS = f'[{{"op": "start", "holder": 1, {KEY}}}, {{"op": "chunk", "holder": 1}}, {{"op": "finish", "holder": 1}}]'
OPERATIONS = {"tree": OF_TREE, "requests": OF_REQUESTS, "sglang": OF_TREE}  # of the test
LISTED_MAX = 30  # methods
WIDEST = 110  # columns of a listed method
USED = re.compile(r"\bself\.cache\.(\w+)(\.\w)?")  # with what that has in turn, which cannot be looked up in a class
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Own:
    """A cache of one's own, for which an adapter is written."""

    module: str  # as the adapter imports it
    kind: type[Any]
    name: str  # in its module
    folder: str = ""  # to be put on the path, as seen from that of the adapter; empty: it is on the path

    def imported(self, alias: str) -> str:
        """Return the line that imports it under this name."""
        line = f"from {self.module} import {self.name}{f' as {alias}' if alias != self.name else ''}"
        on_path = f"sys.path.insert(0, str(Path(__file__).resolve().parent / {self.folder!r}))"
        return f"{on_path}\n{line}  # noqa: E402" if self.folder else line

    def has(self, names: set[str]) -> bool:
        """Return whether it has all of these methods and attributes; attributes are looked for in its source."""
        try:
            assigned = set(re.findall(r"\bself\.(\w+)\s*(?::[^=\n]+)?=", inspect.getsource(self.kind)))
        except (OSError, TypeError):  # it is not written in Python
            assigned = set()
        return all(hasattr(self.kind, name) or name in assigned for name in names)

    def methods(self) -> Iterator[str]:
        """Yield its public methods, each with its arguments and the first line of its docstring."""
        for name, method in inspect.getmembers(self.kind, callable):
            if not name.startswith("_") or name == "__init__":
                about = (inspect.getdoc(method) or "").partition("\n")[0] if name != "__init__" else ""
                yield f"{name}{_signature(method)}{f': {about}' if about else ''}"[:WIDEST]


def test_text(style: str, name: str) -> str:
    """Return the test of the adapter of this name."""
    return (_HERE / "test_adapter.txt").read_text().replace("NAME", name).replace("OPERATIONS", OPERATIONS[style])


def adapter_text(style: str, name: str, own: Own | None = None) -> str:
    """Return an adapter of this name; `own`: the cache for which it is, instead of the tiny example."""
    text = (_HERE / f"{style}_adapter.py").read_text().replace("NAME", name)
    return text if own is None else _of_own(text, EXAMPLES[style], own)


def _of_own(text: str, example: str, own: Own) -> str:
    """Return an adapter whose methods are left to be written, but for those that call only what the cache has."""
    lines, module = text.splitlines(), ast.parse(text)
    adapter = next(node for node in module.body if isinstance(node, ast.ClassDef))
    examples = next(re.finditer(rf"from radixcheck\S+ import ([^#\n]*\b{example}\b[^#\n]*)", text))[1].replace(" ", "").split(",")
    alias = own.name if own.name not in _names(module) - {example} else "Own"
    for method in reversed([node for node in adapter.body if isinstance(node, ast.FunctionDef)]):
        start, end = method.lineno - 1, method.end_lineno or 0
        source = "\n".join(lines[start:end])
        if method.name != "__init__" and FILL_IN in source and not _fits(source, examples, own):
            first = (method.body[0].end_lineno or 0) if ast.get_docstring(method) else method.body[0].lineno - 1
            lines[start:end] = ["    @to_write", *lines[start:first], *_example(lines[first:end])]
    written = "\n".join(lines) + "\n"
    written = re.sub(rf"from radixcheck\S+ import [^\n]*\b{example}\b[^\n]*", lambda _: own.imported(alias), written)
    if own.folder:
        written = written.replace("from typing", "import sys\nfrom pathlib import Path\nfrom typing", 1)
    made = f"{alias}()  {FILL_IN}: its arguments: {_signature(own.kind)}"
    written = re.sub(rf"\b{example}\(.*\)  {FILL_IN}", lambda _: made, written)
    written = re.sub(r"(?<=starter.assembled import )([^\n]+)", r"\1, to_write", written)
    about = f"Where a line ends in FILL IN, or a method begins with @to_write, {own.name} comes in, from the top to the bottom."
    written = re.sub(r"Where a line ends in FILL IN.*?\n", f"{about}\n", written, count=1)
    return written.replace("\nclass Adapter", f"\n{_listed(own)}\n\n\nclass Adapter", 1)


def _fits(source: str, examples: list[str], own: Own) -> bool:
    """Return whether a method of the example is right for a cache: it calls only what that has, and uses no other name of the example."""
    used = USED.findall(source)
    other = re.search(rf"\b({'|'.join(examples)})\b", source)
    return bool(used) and not other and not any(more for _, more in used) and own.has({name for name, _ in used})


def _names(module: ast.Module) -> set[str]:
    """Return the names that a module uses, and those of the lines that are written into it."""
    used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    made = {node.name for node in ast.walk(module) if isinstance(node, ast.alias | ast.ClassDef | ast.FunctionDef)}
    return used | made | {"to_write", "sys", "Path"}


def _example(body: list[str]) -> Iterator[str]:
    """Yield the lines of a method that is left to be written: those of the example as comments."""
    yield "        # In the tiny example:"
    yield from (f"        #     {line.partition(f'  {FILL_IN}')[0][8:]}".rstrip() for line in body)
    yield "        raise NotImplementedError"


def _listed(own: Own) -> str:
    """Return what the cache has, as comments."""
    methods = list(own.methods())
    more = [f"and {len(methods) - LISTED_MAX} more"] if len(methods) > LISTED_MAX else []
    return "\n".join([f"# What {own.name} has:", *(f"#     {line}" for line in [*methods[:LISTED_MAX], *more])])


def _signature(called: Any) -> str:
    """Return the arguments of a method or a class; three dots if they cannot be read."""
    try:
        shown = " ".join(str(inspect.signature(called)).split())  # a default value may be shown on several lines
        return shown.replace("'", "").replace("(self, ", "(").replace("(self)", "()")
    except (ValueError, TypeError):
        return "(...)"
