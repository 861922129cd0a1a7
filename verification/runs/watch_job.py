"""The job of `radixcheck watch`: run a command whose server watches its cache, and read what it found."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from radixcheck.verification.core.guardian import GUARDIAN
from radixcheck.verification.core.supervision import SUPERVISION
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.watch.watch_folder import read_outcome
from radixcheck.verification.watch.watch_results import Ended, WatchOutcome
from radixcheck.verification.watch.watch_settings import WatchSettings

ENDING = ((signal.SIGINT, 30.0), (signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0))  # signals, and the seconds that each is given

PLUGINS, PLUGIN = "SGLANG_PLUGINS", "radixcheck_watch"  # SGLang's variable, and the name of our entry point


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """A command, and the settings of the watch in its server."""

    command: tuple[str, ...]
    settings: WatchSettings


def watch_request(command: Sequence[str], settings: WatchSettings) -> WatchRequest:
    """Return a request. Makes the folder.

    Raise UsageError if there is no such command, or if the folder cannot be written or is not empty.
    """
    if not command:
        raise UsageError("give the command of a server behind --, as in: radixcheck watch -- python -m sglang.launch_server ...")
    if shutil.which(command[0]) is None:
        raise UsageError(f"there is no command {command[0]!r}: give a program behind --, with its arguments")
    folder = settings.folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"--to {settings.folder}: is not empty; give another folder, or read it with radixcheck watch --show")
        (folder / ".part").touch()
        (folder / ".part").unlink()
    except OSError as error:
        raise UsageError(f"--to {settings.folder}: cannot be written ({error.strerror}); give another folder") from error
    return WatchRequest(tuple(command), replace(settings, folder=folder))


def watch(request: WatchRequest, environment: Mapping[str, str] | None = None) -> WatchOutcome:
    """Run the command until it ends, or is interrupted, and return what was found. Its standard output goes to standard error."""
    SUPERVISION.doing(f"watching {request.command[0]}")
    inherited = os.environ if environment is None else environment
    try:
        ended = _run(request.command, {**inherited, **request.settings.to_environment(), **_plugins(inherited)})
    except OSError as error:
        raise UsageError(f"{request.command[0]}: cannot be run ({error.strerror}); give a program behind --") from error
    return read_outcome(request.settings.folder, ended)


def earlier(folder: Path) -> WatchOutcome:
    """Return what an earlier watch found. Raise UsageError if there is no such folder."""
    try:
        return read_outcome(folder)
    except OSError as error:
        raise UsageError(f"--show {folder}: cannot be read ({error.strerror}); give the folder of a watch") from error


def _run(command: tuple[str, ...], environment: Mapping[str, str]) -> Ended:
    """Run a command in a process group of its own, which gets what the user sends. Raise OSError if it cannot be started."""
    start, interrupted = monotonic(), False
    process = subprocess.Popen(command, env=dict(environment), stdout=_standard_error(), process_group=0)
    GUARDIAN.add(-process.pid)
    try:
        process.wait()
    except KeyboardInterrupt:
        interrupted = True
        _end(process)
    finally:
        with suppress(OSError):  # what it has left behind
            os.killpg(process.pid, signal.SIGKILL)
        GUARDIAN.remove(-process.pid)
    return Ended(command, process.returncode, interrupted, monotonic() - start)


def _plugins(environment: Mapping[str, str]) -> dict[str, str]:
    """Add the watch to the plugins that SGLang loads, if its user has named some: it loads no others."""
    named = environment.get(PLUGINS, "")
    return {PLUGINS: f"{named},{PLUGIN}"} if named and PLUGIN not in named.split(",") else {}


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process group: politely first. A further interrupt goes to the next signal."""
    for number, seconds in ENDING:
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            with suppress(OSError):
                os.killpg(process.pid, number)
            process.wait(seconds)
            return


def _standard_error() -> int | None:
    """Return where the command's output goes: standard output holds the answer and nothing else."""
    with suppress(OSError, ValueError, AttributeError):
        return sys.stderr.fileno()
    return subprocess.DEVNULL
