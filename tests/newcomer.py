"""The environment of somebody who has nothing of this project yet."""

import os
import re
import sys
from pathlib import Path

# What an installer needs to reach its index; nothing else of the caller's environment is passed on.
KEPT = re.compile(r"(?i)PIP_\w+|\w+_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE")


def newcomer(home: Path) -> dict[str, str]:
    """An environment with the system's programs only: no folder of the virtual environment that runs this test."""
    inside = Path(sys.prefix).resolve() if sys.prefix != sys.base_prefix else None
    folders = os.environ["PATH"].split(os.pathsep)
    outside = [folder for folder in folders if inside is None or inside not in Path(folder).resolve().parents]
    kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    return kept | {"PATH": os.pathsep.join(outside), "HOME": str(home)}
