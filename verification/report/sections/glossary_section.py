"""The section of words: the terms of the field, the caches that verdicts are about, and the files that the properties stand in."""

import sys

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.report.blocks import Block, Inline, Mark, Part, Section, Table, Terms, Words, link, mark
from radixcheck.verification.report.glossary import TERMS
from radixcheck.verification.runs.report_data import ReportData


def section(data: ReportData) -> Section:
    """Return the section: terms, caches, files."""
    terms = Terms([(f"`{word}`" if word == "1*8" else word, meaning) for word, meaning in TERMS.items()])
    parts: list[Block] = [Part("terms", "Terms", [terms], label="terms")]
    if data.caches:
        rows: list[tuple[Words, ...]] = [
            (mark("cache", name), f"{cache.sentence}.", f"`{_path(cache.module)}`") for name, cache in data.caches.items()
        ]
        parts.append(Part("caches", "Caches in this report", [Table(("cache", "what it is", "made by"), rows, minor=True)], label="caches"))
    return Section("glossary", "Glossary", [*parts, Part("files", "Files", [_files(data)], label="files")])


def _files(data: ReportData) -> Table:
    """Return a row for each file of the package in which a property or a cache stands."""
    of_file: dict[str, list[str]] = {}
    for id_, p in EVERY.items():
        if p.formula:
            of_file.setdefault(p.formula.__module__, []).append(id_)
    rows: list[tuple[Words, ...]] = []
    for module, ids in of_file.items():
        about = " ".join((sys.modules[module].__doc__ or "").partition("\n\n")[0].split())
        rows.append((_file(module), about, _listed(ids)))
    rows += [(_file(module), "makes the cache", name) for name, module in _makers(data)]
    return Table(("file", "what it holds", "used by"), rows, minor=True)


def _makers(data: ReportData) -> list[tuple[str, str]]:
    """Return the modules that make caches, each once."""
    made: dict[str, list[str]] = {}
    for name, cache in data.caches.items():
        made.setdefault(cache.module, []).append(name)
    return [(", ".join(f"`{name}`" for name in names), module) for module, names in made.items()]


def _file(module: str) -> Mark:
    return mark("source", _path(module))


def _path(module: str) -> str:
    return module.removeprefix("radixcheck.").replace(".", "/") + ".py"


def _listed(ids: list[str]) -> tuple[Inline, ...]:
    words = list[Inline]()
    for id_ in ids:
        words += [" ", link("property", id_)] if words else [link("property", id_)]
    return tuple(words)
