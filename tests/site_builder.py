"""The site: the pages of the project, the specification on one page, and what each public module holds, rendered by pdoc.

    python tests/site_builder.py [FOLDER]      builds `radixcheck-site/` or FOLDER, and checks every link

Exit status: 0 all links and names lead somewhere, 1 some do not; they are printed. Nothing is written by hand for it: its pages are the
READMEs of the folders, its other texts are docstrings and the formulas of the specification.
"""

import argparse
import importlib
import os
import re
import shutil
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pdoc.doc
import pdoc.render
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from pdoc.render_helpers import linkify, to_html
from places import ROOT, TESTS
from pygments.formatters import HtmlFormatter
from site_links import broken_links
from site_pages import API, SPECIFICATION, Page, documented_modules, link_texts, linked_file, markdown_of, module_file, pages, rendered
from site_specification import specification
from sources import modules

FOLDER = ROOT / "radixcheck-site"


@pass_context
def linkify_paths_too(context: Context, code: str, namespace: str = "", shorten: bool = True) -> Markup:
    """What pdoc links, and in docstrings the files and properties that they name."""
    linked = linkify(context, code, namespace, shorten)
    module = context.get("module")
    if shorten or module is None:
        return linked
    here = module_file(module.modulename)
    return Markup(link_texts(str(linked), modules()[module.modulename], here))


def resolved(module: ModuleType) -> None:
    """Import what a module of the package imports only when it is used: pdoc looks at what is there."""
    vars(module).update({name: getattr(module, name) for name in getattr(module, "__all__", ())})


def configure() -> None:
    """Set pdoc's options and templates."""
    pdoc.render.configure(docformat="markdown", template_directory=TESTS / "site_templates", footer_text="radixcheck")
    pdoc.render.env.filters["linkify"] = linkify_paths_too
    pdoc.render.env.filters["to_markdown"] = markdown_of
    pdoc.render.env.globals["dark_code"] = HtmlFormatter(style="github-dark").get_style_defs(".pdoc-code")
    pdoc.render.env.globals["relative"] = lambda target, page: os.path.relpath(target, Path(page).parent)
    pdoc.render.env.globals["site_pages"] = [*pages(), Page("", SPECIFICATION, "The specification"), Page("", API, "API")]


def write(folder: Path, name: str, text: str) -> None:
    """Write one file of the site."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def write_page(folder: Path, name: str, title: str, content: str, toc: str = "") -> None:
    """Write one page that is no module."""
    template = pdoc.render.env.get_template("page.html.jinja2")
    write(folder, name, template.render(title=title, content=Markup(content), toc=Markup(toc), here=name, all_modules={}))


def api_index(shown: Mapping[str, pdoc.doc.Module]) -> str:
    """The list of modules, each with the first sentence of its docstring."""
    rows = []
    for name, module in shown.items():
        first = module.docstring.partition("\n\n")[0].partition(". ")[0].rstrip(".")
        sentence = link_texts(to_html(markdown_of(first)).removeprefix("<p>").partition("</p>")[0], modules()[name], API)
        rows.append(f'<tr><td><a href="{module_file(name)}">{name}</a></td><td>{sentence}</td></tr>')
    return f"<h1>API</h1><table><tr><th>module</th><th>what it is</th></tr>{''.join(rows)}</table>"


def build(folder: Path, names: Sequence[str]) -> int:
    """Build the site in an empty folder; return how many pages it has."""
    configure()
    for name in names:
        resolved(importlib.import_module(name))
    shown = {name: pdoc.doc.Module.from_name(name) for name in names}
    for page in pages():
        content, toc = rendered(page)
        write_page(folder, page.name, page.title, content, toc)
    text, toc = specification()
    write_page(folder, SPECIFICATION, "The specification", link_texts(text, "spec/README.md", SPECIFICATION), toc)
    write_page(folder, API, "API", api_index(shown))
    for name, module in shown.items():
        html = pdoc.render.html_module(module, shown)
        write(folder, module_file(name), re.sub(r'<a href="">([^<]*)</a>', r"\1", html))  # a module is not linked to itself
    write(folder, "search.js", pdoc.render.search_index(shown))
    for path in sorted(linked_file.used):
        write(folder, linked_file.name(path), (ROOT / path).read_text())
    return len(shown) + len(pages()) + 2


def main(arguments: Sequence[str]) -> int:
    """Build the site, check its links, and say what was found."""
    parser = argparse.ArgumentParser(description="Build the site and check its links.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args(arguments).folder
    if folder == FOLDER:
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists() and any(folder.iterdir()):
        parser.error(f"{folder} is not empty")
    with warnings.catch_warnings(record=True) as warned:
        warnings.filterwarnings("always", module="pdoc")
        count = build(folder, documented_modules())
    broken = [*broken_links(folder), *(str(each.message) for each in warned if "pdoc" in Path(each.filename).parts)]
    for sentence in broken:
        print(sentence)
    print(f"{count} pages in {folder}: {len(broken)} links or names lead nowhere")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
