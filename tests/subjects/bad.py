"""A program that serves the reference well until one operation: `python bad.py WHAT NUMBER`. Then it does WHAT.

NUMBER counts the operations on one cache from 1; 0 is the message that makes it.
"""

import json
import os
import sys
import time
from collections.abc import Callable

from radixcheck.verification.remote.serve import SIZED, Server
from radixcheck.verification.subjects.reference_subject import reference_subject

Say = Callable[[str], object]


def hang(say: Say) -> None:
    """Says nothing for an hour."""
    sys.stderr.write("waiting for a lock\n")
    time.sleep(3600)


def die(say: Say) -> None:
    """Ends at once."""
    sys.stderr.write("fatal error: the table of slots is corrupt\nsome version of something\n")
    sys.stderr.flush()
    os._exit(3)


def close(say: Say) -> None:
    """Lives on without an output."""
    os.close(1)
    time.sleep(3600)


def garbage(say: Say) -> None:
    """What a cache prints when it debugs."""
    say("evicting node 7 ...\n")


def deep(say: Say) -> None:
    """Lists in lists in lists."""
    say("[" * 100_000 + "\n")


def flood(say: Say) -> None:
    """Half a line of more than can be kept."""
    for _ in range(80):
        say("x" * (1 << 20))
    time.sleep(3600)


def twice(say: Say) -> None:
    """Answers what was not asked."""
    say('{"length": 0}\n{"length": 0}\n')


def shape(say: Say) -> None:
    """An answer to another question."""
    say('{"length": "three", "slots": 7, "receipt": null, "sizes": [1, 2]}\n')


def listed(say: Say) -> None:
    """A list where an object is due."""
    say("[1, 2, 3]\n")


def moved(say: Say) -> None:
    """Moves of the pool whose slots are not a list."""
    say('{"length": 0, "slots": [], "pool": [["lend", [1]], 3]}\n')


def main(what: Callable[[Say], None], number: int) -> None:
    """Serve."""
    server, done = Server(reference_subject), -1
    for line in sys.stdin:
        asked = json.loads(line)
        done = 0 if asked["do"] == "make" else done + (asked["do"] in SIZED)
        if done == number and asked["do"] in SIZED:
            what(sys.stdout.write)
        else:
            sys.stdout.write(json.dumps(server.answer(asked)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(globals()[sys.argv[1]], int(sys.argv[2]))
