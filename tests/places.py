"""Where things lie in the checkout."""

from pathlib import Path

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
LAYERS = ("spec", "reference", "optimized", "verification")
PACKAGE = ROOT / ".dev" / "radixcheck"  # with a link to each layer
