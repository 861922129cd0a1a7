"""A guardian: a small shell process that kills other processes when this one has ended, whatever ended it.

A handler or `atexit` does not run after a SIGKILL. The guardian reads from a pipe of which only this process holds the other end: when the
pipe closes, this process is gone.
"""

import os
import subprocess
from contextlib import suppress
from threading import Lock

# `+ 12` adds a process, `+ -12` a process group, `- 12` removes one again. At the end of the input all that are left are killed.
_SCRIPT = """
trap '' INT TERM HUP
all=
while read -r sign target; do
    rest=
    for each in $all; do [ "$each" = "$target" ] || rest="$rest $each"; done
    all=$rest
    [ "$sign" = + ] && all="$all $target"
done
for each in $all; do kill -s KILL -- "$each"; done
"""


class Guardian:
    """The guardian of this process. It starts with the first process to guard, in a session of its own."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        self._owner = 0  # id of the process that started it: a forked child is another
        self._lock = Lock()

    def add(self, target: int) -> None:
        """Kill this process (a negative number: this process group) when the present process has ended."""
        self._tell(f"+ {target}\n")

    def remove(self, target: int) -> None:
        """Forget a process that has ended: its number may be used again."""
        self._tell(f"- {target}\n")

    def _tell(self, line: str) -> None:
        with self._lock, suppress(OSError):
            if self._shell is None or self._owner != os.getpid():
                quiet = subprocess.DEVNULL
                self._shell = subprocess.Popen(
                    ("/bin/sh", "-c", _SCRIPT), stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True, bufsize=0
                )
                self._owner = os.getpid()
            assert self._shell.stdin is not None
            self._shell.stdin.write(line.encode())


GUARDIAN = Guardian()
