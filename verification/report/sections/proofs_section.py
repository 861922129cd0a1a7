"""The section of the proofs: formulas that transitions keep, promises of operations, and claims about one state or one policy."""

from collections.abc import Mapping, Sequence
from typing import Any

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.proofs.proof_results import HOST, PREFIXES
from radixcheck.verification.report.blocks import Badge, Block, Command, Link, Paragraph, Part, Section, Table, Words, link, mark
from radixcheck.verification.review_6907.answers import PROVE
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Stored

KEPT = "✓"
MACHINES = {"": ("", False), "-host": (" beside a host tier", True)}


def section(data: ReportData) -> Section:
    """Return the section: matrix, promises, claims."""
    proofs = data.stored(PROVE)
    cells = proofs["cells"]
    kept = [cell for cell in cells if cell["transition"] and not cell["sentence"]]
    claims = [cell for cell in cells if cell["sentence"] or not cell["transition"]]
    blocks: list[Block] = [Paragraph(_last(proofs)), Command("radixcheck prove")]
    for machine, (words, of) in MACHINES.items():
        cells_of = [cell for cell in kept if cell["transition"].startswith(HOST) == of]
        promised = [each for each in proofs["operations"] if each["operation"].startswith(HOST) == of]
        kept_title = f"Formulas that every transition keeps{words}"
        promised_title = f"What operations promise{words}, along all their steps"
        blocks.append(Part(f"kept{machine}", kept_title, [_matrix(cells_of)], label=f"kept{words}"))
        blocks.append(Part(f"promised{machine}", promised_title, [_promises(promised)], label=f"promised{words}"))
    trusted = [cell for cell in claims if cell["name"].startswith(PREFIXES) and cell["verdict"] == cell["expected"]]
    shown = [cell for cell in claims if cell not in trusted and cell["name"] not in proofs["pictures"]]
    blocks.append(Paragraph(_trusted(trusted)))
    blocks.append(Paragraph((Link("claims", "Claims that are wrong"), " are shown with the state that refutes each.")))
    blocks.append(Part("theorems", f"{len(shown)} theorems and claims", [_claims(shown)], folded=True, label="claims"))
    return Section("proofs", "Proof matrix", blocks)


def _trusted(cells: Sequence[Mapping[str, Any]]) -> str:
    """Return why the proofs are not vacuous."""
    taken, fails, needed = (sum(cell["name"].startswith(prefix) for cell in cells) for prefix in PREFIXES)
    words = (
        f"{taken} steps can be taken where all formulas hold, {fails} formulas can fail where all others do, {needed} are missed by a proof"
    )
    return f"States that were run show that the proofs are not vacuous: {words} from which they are withheld."


def _last(proofs: Stored) -> str:
    cells = proofs["cells"]
    expected = [cell for cell in cells if cell["verdict"] == cell["expected"]]
    proved = sum(cell["verdict"] == Verdict.PROVED for cell in expected)
    solver = f"{proofs['solver']}, seeds {', '.join(map(str, proofs['seeds']))}, {proofs['seconds']:.0f} s"
    return (
        f"{len(cells)} conditions, {solver}: {len(expected)} as expected ({proved} proved, {len(expected) - proved} refuted), "
        f"{len(cells) - len(expected)} not. Proofs are for any number of positions, pages, requests and entries. "
        f"{KEPT}: proved; empty: the transition changes nothing that the formula reads, or the formula is not about that machine."
    )


def _matrix(cells: Sequence[Mapping[str, Any]]) -> Table:
    columns = list(dict.fromkeys(cell["transition"] for cell in cells))
    rows: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for cell in cells:
        rows.setdefault(cell["formula"], {}).setdefault(cell["transition"], []).append(cell)
    shown = [(_named(name), *(_cell(of.get(column, ())) for column in columns)) for name, of in rows.items()]
    return Table(("kept by", *columns), shown, matrix=True)


def _named(formula: str) -> Words:
    """Return a reference to the property; some formulas are only lemmas."""
    return link("property", formula) if formula in EVERY else formula


def _cell(cells: Sequence[Mapping[str, Any]]) -> Words:
    wrong = [cell for cell in cells if cell["verdict"] != cell["expected"]]
    if wrong:
        return Badge(wrong[0]["verdict"])
    return KEPT if cells else ""


def _promises(promised: Sequence[Mapping[str, Any]]) -> Table:
    columns = list(dict.fromkeys(each["operation"] for each in promised))
    verdicts = {(each["promise"], each["operation"]): each["verdict"] for each in promised}
    rows: list[tuple[Words, ...]] = []
    for promise in dict.fromkeys(each["promise"] for each in promised):
        words = [verdicts.get((promise, column), "") for column in columns]
        rows.append((_named(promise), *(KEPT if w == Verdict.PROVED else Badge(w) if w else "" for w in words)))
    return Table(("promised by", *columns), rows, matrix=True)


def _claims(claims: Sequence[Mapping[str, Any]]) -> Table:
    rows: list[tuple[Words, ...]] = [
        (mark("claim", cell["name"]), Badge(cell["verdict"]), cell["sentence"] or "follows from the state formulas") for cell in claims
    ]
    return Table(("theorem or claim", "verdict", "sentence"), rows)
