"""Which caches of other projects are there under an interpreter: each is asked in a process of its own."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed

from radixcheck.verification.core.timeouts import Patience
from radixcheck.verification.remote.parse_answers import PROTOCOL
from radixcheck.verification.remote.process import Process, SubjectLost

ASKED_SECONDS = 120.0  # to import what a cache needs
AT_ONCE = 2


def presence(commands: Mapping[str, tuple[str, ...]], progress: Callable[[float, str], None]) -> dict[str, dict[str, str]]:
    """Run the command of each name. Return for each name its `version`, or one sentence that says what is `missing`."""
    said = {}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        asked = {threads.submit(_asked, command): name for name, command in commands.items()}
        progress(0.0, "asking for versions")
        for future in as_completed(asked):
            said[asked[future]] = future.result()
            progress(len(said) / len(asked), f"asked for {asked[future]}")
    return said


def _asked(command: tuple[str, ...]) -> dict[str, str]:
    try:
        process = Process(command)
    except SubjectLost as lost:
        return {"missing": f"it {lost}"}
    message = {"do": "make", "protocol": PROTOCOL, "page_size": 16, "policy": "lru", "pool": 64, "device": "cpu"}
    try:
        said = process.ask(message, Patience(ASKED_SECONDS))
    except SubjectLost as lost:
        return {"missing": f"it {lost}"}
    finally:
        process.lose(SubjectLost("has said what it is"))
    if "version" in said:
        return {"version": str(said["version"])}
    return {"missing": str(said.get("missing") or said.get("text"))}
