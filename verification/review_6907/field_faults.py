"""Faults that were reported in prefix caches in use (FB-01 to FB-85): read from `field_faults.toml`.

Mutants, comments and tests name them by their ids. Each is the source of a mutant, or out of scope for a reason that is written there.
"""

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One reported fault."""

    id: str
    sentence: str
    url: str  # of the report, or of its fix
    out_of_scope: str  # why it has no mutant; empty: it has one


def _read() -> dict[str, FieldFault]:
    table = tomllib.loads((files(__package__) / "field_faults.toml").read_text(encoding="utf-8"))
    reasons = table["reasons"] | {"": ""}
    return {id_: FieldFault(id_, row["sentence"], row["url"], reasons[row.get("out_of_scope", "")]) for id_, row in table["faults"].items()}


FIELD_FAULTS = _read()
OUT_OF_SCOPE = {id_: fault.out_of_scope for id_, fault in FIELD_FAULTS.items() if fault.out_of_scope}
