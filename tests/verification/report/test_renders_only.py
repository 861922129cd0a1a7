"""The modules of `report/` render results: importing them loads nothing that runs a cache."""

import subprocess
import sys

from places import ROOT

FOLDER = ROOT / "verification" / "report"
BANNED = (
    *("radixcheck.verification.checker.engine", "radixcheck.verification.subjects", "radixcheck.reference", "radixcheck.optimized"),
    *("torch", "z3", "hypothesis"),
)
PENDING = (
    *("contracts_view", "countermodel", "facts_view", "false_positives_view", "findings_view", "mutants_view", "prove_view"),
    *("questions_view", "report_files", "spec_mutants_view", "sections"),
)  # modules and folders that do not meet this yet


def modules() -> list[str]:
    """Every module of `report/` that is not pending."""
    paths = (path.relative_to(FOLDER).with_suffix("") for path in sorted(FOLDER.rglob("*.py")))
    return [".".join(["radixcheck.verification.report", *path.parts]) for path in paths if path.parts[0] not in PENDING]


def test_importing_every_module_loads_nothing_that_runs_a_cache() -> None:
    program = (
        f"import importlib, sys\nfor name in {modules()!r}: importlib.import_module(name)\n"
        f"banned = {BANNED!r}\n"
        "print(*sorted(m for m in sys.modules if any(m == each or m.startswith(each + '.') for each in banned)))"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert ran.stderr == ""
    assert ran.stdout.split() == []


def test_every_pending_module_exists() -> None:
    assert {name for name in PENDING if not (FOLDER / name).is_dir() and not (FOLDER / f"{name}.py").exists()} == set()
