"""The questions of the review, by the ids that properties, claims, facts and answers name: read from `questions.toml`."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

THREAD = "https://github.com/sgl-project/sglang/pull/6907"


@dataclass(frozen=True, slots=True)
class Question:
    """One question, or one claim of the author."""

    id: str
    sentence: str
    asked_by: str  # author, reviewer or later change
    url: str  # of the thread, or of the later change

    @property
    def place(self) -> str:
        """The pull request in short form, as in `sglang#6907`."""
        *_, repository, _, number = self.url.split("/")
        return f"{repository}#{number}"


_FILE = files(__package__) / "questions.toml"
QUESTIONS = {id_: Question(id_, **row) for id_, row in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()}


def urls(ids: Iterable[str]) -> dict[str, str]:
    """Return the URL of each question."""
    return {id_: QUESTIONS[id_].url for id_ in ids}
