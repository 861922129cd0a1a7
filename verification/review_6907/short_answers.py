"""The answers in one line, and the advice that some of them need: read from `short_answers.toml`. Also what the submitted change lacks."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """One answer in one line."""

    short: str  # yes, no, only if ..
    advice: str = ""  # what to do


_FILE = files(__package__) / "short_answers.toml"
SHORT_ANSWERS = {id_: ShortAnswer(**row) for id_, row in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()}

# What the submitted change must gain before it is right, each with the questions whose evidence shows it.
LACKS = (
    ("a check for children when an entry is popped", ("Q1",)),
    ("a new place in the order for a leaf that was touched: an entry pushed at once, or repaired when it is popped", ("C1", "L2")),
    ("a sweep that removes dead entries from the heap", ("C3",)),
    ("a touch that refreshes only what was used", ("L5",)),
    ("child keys on the leaves that the hierarchical cache makes", ("C10",)),
)
