"""Find out which caches of other projects an interpreter has. Each is asked in a process of its own."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed

from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.remote.parse_answers import PROTOCOL
from radixcheck.verification.remote.process import Process, SubjectLost

START_SECONDS = 120.0  # to import what a cache needs
AT_ONCE = 2
MAKE = {"do": "make", "protocol": PROTOCOL, "page_size": 16, "policy": "lru", "pool": 64, "device": "cpu"}


def presence(commands: Mapping[str, tuple[str, ...]], progress: Callable[[float, str], None]) -> dict[str, dict[str, str]]:
    """Run the command of each cache. Return for each name its `version`, or what is `missing`, as one sentence."""
    found = {}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        names = {threads.submit(_presence, command): name for name, command in commands.items()}
        progress(0.0, "asking for versions")
        for future in as_completed(names):
            found[names[future]] = future.result()
            progress(len(found) / len(names), f"asked for {names[future]}")
    return found


def _presence(command: tuple[str, ...]) -> dict[str, str]:
    try:
        process = Process(command)
        answer = process.ask(MAKE, Timeout(START_SECONDS))
    except SubjectLost as lost:
        return {"missing": f"it {lost}"}
    process.lose(SubjectLost("is no longer needed"))
    if "version" in answer:
        return {"version": str(answer["version"])}
    return {"missing": str(answer.get("missing") or answer.get("text"))}
