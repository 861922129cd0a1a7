"""What this project claims: `claims.toml` beside this file. Each claim has the files that bear it out and a command that shows it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("claims.toml")


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim. Questions of the review that it answers stand in its sentence, in brackets."""

    group: str
    claim: str
    files: tuple[str, ...]  # relative to the checkout
    command: str
    readme: bool  # whether it also stands in the README


def claims() -> tuple[Claim, ...]:
    """Return all claims, group by group."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["claim"]
    return tuple(Claim(row["group"], row["claim"], tuple(row["files"]), row["command"], row.get("readme", False)) for row in rows)


def matching(words: tuple[str, ...]) -> tuple[Claim, ...]:
    """Return the claims in whose text each of these words occurs, in upper or lower case."""
    return tuple(each for each in claims() if all(word.casefold() in _text(each) for word in words))


def _text(each: Claim) -> str:
    return " ".join((each.group, each.claim, *each.files, each.command)).casefold()
