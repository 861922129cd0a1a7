"""The modules of `report/` render results: importing them loads nothing that runs a cache."""

import subprocess
import sys

from places import ROOT

FOLDER = ROOT / "verification" / "report"
BANNED = (
    *("radixcheck.verification.checker.engine", "radixcheck.verification.subjects", "radixcheck.reference", "radixcheck.optimized"),
    *("torch", "z3", "hypothesis"),
)


def modules() -> list[str]:
    """The names of all modules of `report/`."""
    paths = (path.relative_to(FOLDER).with_suffix("") for path in sorted(FOLDER.rglob("*.py")))
    return [".".join(["radixcheck.verification.report", *path.parts]) for path in paths]


def test_importing_every_module_loads_nothing_that_runs_a_cache() -> None:
    program = (
        f"import importlib, sys\nfor name in {modules()!r}: importlib.import_module(name)\n"
        f"banned = {BANNED!r}\n"
        "print(*sorted(m for m in sys.modules if any(m == each or m.startswith(each + '.') for each in banned)))"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert ran.stderr == ""
    assert ran.stdout.split() == []
