"""How this program was called."""

import shlex
import shutil
import sys
from pathlib import Path


def program() -> str:
    """Return how this program was called, so that a command that is printed can be run: it may not be on the path."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m radixcheck"
    found = shutil.which("radixcheck")
    on_path = found is not None and Path(found).absolute() == called.absolute()
    return "radixcheck" if on_path or called.name != "radixcheck" else shlex.quote(str(called))
