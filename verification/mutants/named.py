"""Mutants by name: those of the catalogue, and `module:attribute` for one of your own."""

import os
import sys
from difflib import get_close_matches
from importlib import import_module

from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.mutant import Mutant


def mutant(name: str) -> Mutant:
    """The mutant that a name stands for. Raises `UsageError`."""
    if name in MUTANTS:
        return MUTANTS[name]
    module, _, attribute = name.partition(":")
    if not attribute:
        near = ", ".join(get_close_matches(name, MUTANTS, n=3, cutoff=0))
        raise UsageError(f"no mutant is called {name!r}: the nearest are {near}")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does
    try:
        found = getattr(import_module(module), attribute, None)
    except Exception as error:  # whatever a user's module raises while it is imported
        raise UsageError(f"importing {module!r} for mutant {name!r} raised {type(error).__name__}: {error}") from error
    if not isinstance(found, Mutant):
        raise UsageError(f"{name!r} is no mutant: {module} has no Mutant of that name")
    return found
