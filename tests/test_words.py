"""The words of the project: plain technical English in prose, and the terms of the field in names."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePath

import pytest
from places import ROOT
from sources import python_files, syntax, tracked

PROSE = ("", ".py", ".md", ".toml", ".html", ".css", ".mjs", ".yml")

# What to write instead, or why the text is refused, by pattern. Letters in brackets keep other searches from finding the words here.
BANNED = {
    r"\b(?:T[O]DO|F[I]XME|X[X]X|H[A]CK|W[I]P)\b": "unfinished work",
    r"(?<![\w.~*/-])/(?:work|tmp|root|home|opt|mnt)/\w": "a path of one machine",
    r"(?i)\b(?:our|this|the) (?:workp[l]ace|ses[s]ion|trac[k]er|tic[k]et|br[i]ef)\b": "a place outside the project",
    r"mark\.sk[i]p|mark\.x[f]ail|imp[o]rtorskip|pytest\.sk[i]p|pra[g]ma: no cover": "a test that is not run",
    r"thing to say\b|\bsaid (?:some|any|no)thing\b": "is non-vacuous",
    r"\b(?:speaks?|spoke) for\b": "is current for, means, replaces",
    r"\bmend(?:s|ed)?\b": "fix",
    r"\ball was said\b": "interrupted",
    r"(?i)\bwhat is no\b|(?<!what )\bis no number\b|\bnever over\b": "... is rejected",
    r"(?<!there )\b(?:is|are|was|were) none\b": "is not a valid ...",
    r"\bso-many|\bso-manieth": "every Nth",
    r"\btells\b": "reports, shows",
    r"\b(?:is|are|was|were|be) told\b(?! apart)": "receives, is rejected with",
    r"\bsays of (?:itself|themselves)\b": "states",
    r"\bhand(?:s|ed|ing)? on\b": "passes",
    r"(?i)(?<!['\"])\bnobody\b": "no holder, no caller",  # in quotation marks it is a name
    r"(?i)\bfalse alarms?\b": "false positive",
    r"(?i)\bpatience\b": "timeout",
    r"\bstray(?:s|ed)?\b": "deviated",
    r"\bparted\b": "diverged",
    r"(?i)babble[ds]?\b": "ProtocolError",
    r"\bwritten whole\b": "atomic",
}
# Who may leave a test out: here one marked gpu where there is no device, and in the suites of others a property that their cache hides.
MAY_SKIP = ("tests/conftest.py", "verification/pytest_plugin/items.py")

NAMES = {
    **{"asked": "request", "patience": "timeout", "said": "wording", "described": "alt_text", "gathered": "report_data"},
    **{"modelled": "countermodel", "alarms": "false_positives", "recall": "memoized_abstraction", "beside": "shadow_replica"},
    **{"parted": "diverged", "strayed": "deviated", "marks": "local_lock_ref", "subjectbabbled": "ProtocolError"},
}
CLASSES = {"Second", "Done", "Heard"}  # of a shadow replica
MODULES = {"whole": "atomic_write", "shown": "trace_pictures", "callers": "engine_shim", "wrong": "usage_errors"}
MAY_BE_NAMED = re.compile(rf"\b_*(?:{'|'.join(NAMES)})_*\b|\b(?:{'|'.join(CLASSES)})\b", re.IGNORECASE)


def banned_phrases(text: str, path: str = "") -> list[str]:
    """Each phrase of a text, and of the names of its tests, that the project does not use, with what to write instead."""
    flowing = re.sub(r"\s*\n\s*(?:#\s*)?", " ", text)  # a phrase may go on in the next line
    flowing += "; ".join(name.replace("_", " ") for name in re.findall(r"\bdef (test_\w+)", text))
    found = [(match[0], instead) for pattern, instead in BANNED.items() for match in re.finditer(pattern, flowing)]
    return [f"{phrase}: {instead}" for phrase, instead in found if path not in MAY_SKIP or instead != "a test that is not run"]


def defined_names(source: ast.Module) -> Iterator[str]:
    """Names of functions, classes, parameters and attributes. Names of tests are prose."""
    for node in ast.walk(source):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("test_"):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def banned_names(path: str, source: ast.Module) -> set[str]:
    """The banned ones of the names that a module defines, and of its own."""
    stem = PurePath(path).stem
    names = {name for name in defined_names(source) if name in CLASSES or name.strip("_").lower() in NAMES}
    return names | ({stem} & (NAMES.keys() | MODULES.keys()))


def test_the_text_uses_no_banned_phrase() -> None:
    texts = python_files() | {path: (ROOT / path).read_text() for path in tracked() if PurePath(path).suffix in PROSE}
    del texts["tests/test_words.py"]  # which holds them all

    assert {path: found for path, text in texts.items() if (found := banned_phrases(text, path))} == {}


@pytest.mark.parametrize(
    "phrase",
    [
        *("T_ODO: later", "see /t_mp/notes", "in this ses_sion", "@pytest.mark.sk_ip"),
        *("it had something to say", "it said anything", "one entry speaks for a node", "the mend is in the message"),
        *("ended before all was said", "what is no number", "or never over", "a slot that is none", "one that is\n    # none"),
        *("in every so-manieth run", "the callback tells how far it is", "he is told", "it says of itself"),
        *("the command is handed on", "Nobody holds it", "a false alarm", "a Patience of 10 s", "it strays"),
        *("where they parted", "the subject babbles", "SubjectBabbled", "files are written whole", "def test_that_nobody_waits"),
    ],
)
def test_a_banned_phrase_is_seen(phrase: str) -> None:
    words = phrase if phrase.startswith("def ") else phrase.replace("_", "")
    assert len(banned_phrases(words)) == 1


def test_what_is_alike_passes() -> None:
    assert banned_phrases("skipped where there is none; they are told apart; it recommends; an apartment; unknown subject 'nobody'") == []


def test_no_name_is_banned() -> None:
    files = [path for path, text in python_files().items() if MAY_BE_NAMED.search(text) or PurePath(path).stem in MODULES]

    assert {path: found for path in files if (found := banned_names(path, syntax(path)))} == {}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("verification/core/whole.py", ""),
        ("verification/report/gathered.py", ""),
        ("a.py", "def asked(): pass"),
        ("a.py", "class Second: pass"),
        ("a.py", "class SubjectBabbled(Exception): pass"),
        ("a.py", "def f(*, recall=None): pass"),
        ("a.py", "lambda _said: 0"),
        ("a.py", "self._beside = 1"),
        ("a.py", "class A:\n    parted: int = 0"),
        ("a.py", "PATIENCE: int = 1"),
    ],
)
def test_a_banned_name_is_seen(path: str, source: str) -> None:
    assert MAY_BE_NAMED.search(source) or PurePath(path).stem in NAMES | MODULES
    assert len(banned_names(path, ast.parse(source))) == 1


def test_names_that_are_alike_pass() -> None:
    assert banned_names("a.py", ast.parse("def second(whole, shown): pass\ndef test_what_is_said(): pass")) == set()
