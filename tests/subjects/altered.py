"""A program that serves the reference with a host tier, and alters its answers to one verb: `python altered.py VERB JSON`.

The values of the JSON object replace those of the answer; those that are null are left out of it.
"""

import json
import sys
from typing import Any

from radixcheck.verification.remote.serve import Server
from radixcheck.verification.subjects.reference_host_subject import reference_host_subject


def main(verb: str, altered: dict[str, Any]) -> None:
    """Serve."""
    server = Server(reference_host_subject)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = server.answer(asked)
        if asked["do"] == verb:
            answer = {name: value for name, value in (answer | altered).items() if value is not None}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
