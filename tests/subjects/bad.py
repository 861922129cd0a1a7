"""A program that serves the reference well until one operation: `python bad.py WHAT NUMBER`. Then it does WHAT.

NUMBER counts the operations on one cache from 1; 0 is the message that makes it.
"""

import json
import os
import sys
import time

from radixcheck.verification.remote.serve import SIZED, Server
from radixcheck.verification.subjects.reference_subject import reference_subject

TEXTS = {
    "garbage": "evicting node 7 ...",  # what a cache prints when it debugs
    "deep": "[" * 100_000,
    "twice": '{"length": 0}\n{"length": 0}',
    "shape": '{"length": "three", "slots": 7, "receipt": null, "sizes": [1, 2]}',
    "listed": "[1, 2, 3]",
    "moved": '{"length": 0, "slots": [], "pool": [["lend", [1]], 3]}',  # slots that are not a list
}


def misbehave(what: str) -> None:
    match what:
        case "hang":
            sys.stderr.write("waiting for a lock\n")
            time.sleep(3600)
        case "die":
            sys.stderr.write("fatal error: the table of slots is corrupt\nsome version of something\n")
            sys.stderr.flush()
            os._exit(3)
        case "close":
            os.close(1)
            time.sleep(3600)
        case "flood":  # half a line of more than can be kept
            for _ in range(80):
                sys.stdout.write("x" * (1 << 20))
            time.sleep(3600)
        case _:
            sys.stdout.write(TEXTS[what] + "\n")


def main(what: str, number: int) -> None:
    """Serve."""
    server, done = Server(reference_subject), -1
    for line in sys.stdin:
        asked = json.loads(line)
        done = 0 if asked["do"] == "make" else done + (asked["do"] in SIZED)
        if done == number and asked["do"] in SIZED:
            misbehave(what)
        else:
            sys.stdout.write(json.dumps(server.answer(asked)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
