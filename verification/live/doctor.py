"""Says whether an SGLang can have the cache: asks its Python in a process of its own, and turns the answer into rows."""

import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from radixcheck.verification.core.installing import install_command, installer
from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.live import probe_engine
from radixcheck.verification.live.doctor_results import DoctorOutcome, Part, State
from radixcheck.verification.remote.process import Process, SubjectLost

SECONDS = 600.0  # to import an engine on a busy machine
FITS, NOTE, MISSING, DIFFERS = State


def found_interpreter(python: str, engine: str = "SGLang") -> str:
    """Return the path of an interpreter. Raise UsageError if there is none."""
    path = shutil.which(python) if python else None
    if path is None:
        raise UsageError(f"there is no interpreter {python!r}: give the path of the Python that runs {engine}")
    return path


def doctor(python: str, seconds: float = SECONDS) -> DoctorOutcome:
    """Ask this Python. Raise UsageError if there is no such interpreter."""
    path = found_interpreter(python)
    try:
        process = Process((path, "-W", "ignore", str(Path(probe_engine.__file__))))
        found = process.ask({"do": "probe"}, Timeout(seconds))
        process.lose(SubjectLost("is no longer needed"))
    except SubjectLost as lost:
        return DoctorOutcome(python, (Part("python", MISSING, f"it {lost}"),), f"{shlex.quote(python)} --version")
    parts = tuple(_parts(found))
    return DoctorOutcome(python, parts, _command(python, {part.part: part.state for part in parts}))


def _parts(found: Mapping[str, Any]) -> Iterator[Part]:
    yield Part("python", FITS, found["python"])
    torch_error = found["torch_error"]
    yield Part("torch", FITS if torch_error is None else MISSING, found["torch"] if torch_error is None else torch_error)
    if found["sglang"] is None:
        yield Part("sglang", MISSING, "the package sglang is not installed")
    if torch_error is not None or found["sglang"] is None:
        return
    yield Part("sglang", FITS, found["sglang"])
    engine = found["engine"]
    yield Part("engine", FITS if engine is None else MISSING, "can be imported" if engine is None else f"cannot be imported: {engine}")
    if found["stubs"]:
        yield Part("stubs", NOTE, f"{', '.join(found['stubs'])}: names without code, enough for text models on a CPU")
    if found["entry_point"] is None:
        yield Part("plugin", MISSING, f"radixcheck is not installed there: no entry point {probe_engine.NAME} in {probe_engine.GROUP}")
    elif found["plugin"] is not None:
        yield Part("plugin", DIFFERS, f"{found['entry_point']} cannot be loaded: {found['plugin']}")
        return
    else:
        yield Part("plugin", FITS, f"radixcheck {found['radixcheck']}: {found['entry_point']}")
    yield from (Part("interface", DIFFERS, f"SGLang {found['sglang']}: {sentence}") for sentence in found["differences"])
    if not found["differences"]:
        tried = ", ".join(found["tried"])
        new = found["sglang"] not in found["tried"]
        yield Part("interface", FITS, f"as the cache was written for{f'; it was tried with {tried}, not with this version' if new else ''}")


def _command(python: str, states: Mapping[str, State]) -> str:
    """Return what to run next."""
    if states.get("interface") == DIFFERS:
        return f"{installer(python)} sglang==VERSION, one that the cache was written for"
    if states["torch"] == MISSING or states.get("sglang") == MISSING or states.get("engine") == MISSING:
        return "tests/peers/setup_live.sh VENV, which makes an environment for a CPU; for a GPU see SGLang's own guide"
    if states["plugin"] != FITS:
        return install_command("sglang", python, "--no-deps")
    return f"{shlex.quote(python)} -m sglang.launch_server --model-path MODEL --radix-cache-backend {probe_engine.NAME}"
