"""Measures one cache in its own environment: one JSON message per line, over standard input and output.

    {"do": "make", "place": module:class or file.py:class}    versions, or what is `missing`
    {"do": "run", "scenario": ..., "arguments": {...}}        `figures`, or the reason: `unsupported`, `missing`, `failed`

This file is run as a script. It needs torch and the files of this project, but the package need not be installed.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from time import monotonic
from types import ModuleType
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON_MIN = (3, 11)
MODULES = {  # of scenarios
    **{"trace": "trace_scenario", "batch": "our_scenarios", "device": "our_scenarios", "kv": "kv_scenario"},
    **{"events": "events_scenario", "host": "host_scenarios", "growth": "host_scenarios", "tiers": "tiers_scenario"},
}
TIERED = ("host", "growth", "tiers")


def place_package() -> None:
    """Make the checkout importable as `radixcheck`, and remove this folder from the path of modules."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != HERE]
    package = ModuleType("radixcheck")
    package.__path__ = [os.path.dirname(os.path.dirname(HERE))]
    sys.modules["radixcheck"] = package


class Worker:
    """Answers messages about one cache."""

    def __init__(self) -> None:
        self._driver: Any = None

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a message. An exception that the cache raises becomes an answer."""
        from radixcheck.verification.bench.driver import CheckFailed, Unsupported
        from radixcheck.verification.remote.serve import Missing

        try:
            return self._make(message) if message["do"] == "make" else self._run(message)
        except Missing as missing:
            return {"missing": str(missing)}
        except Unsupported as why:
            return {"unsupported": str(why)}
        except CheckFailed as failed:
            return {"failed": str(failed)}
        except Exception as error:
            return {"failed": f"{type(error).__name__}: {error}"}

    def _make(self, message: dict[str, Any]) -> dict[str, Any]:
        import torch

        from radixcheck.verification.remote.serve import load

        torch.set_num_threads(1)
        where = message["place"].rpartition(":")[0]
        self._driver = load(message["place"]) if where.endswith(".py") else found(message["place"])
        page_size = self._driver.page_sizes[0]
        version = self._driver.over("stub", page_size, 64 * page_size).version
        return {"version": version, "python": sys.version.split()[0], "torch": torch.__version__}

    def _run(self, message: dict[str, Any]) -> dict[str, Any]:
        from radixcheck.verification.bench.driver import Unsupported

        scenario, arguments = message["scenario"], message["arguments"]
        driver = tiered(self._driver) if scenario in TIERED else self._driver
        if scenario in driver.without:
            raise Unsupported(driver.without[scenario])
        if arguments.get("page_size", driver.page_sizes[0]) not in driver.page_sizes:
            raise Unsupported(f"no pages of {arguments['page_size']}")

        def make(page_size: int, *rest: Any) -> Any:  # the capacity of each tier, and the kind of pool
            return driver.over(rest[-1], page_size, *rest[:-1])

        module = import_module(f"radixcheck.verification.bench.scenarios.{MODULES.get(scenario, 'cache_scenarios')}")
        run = driver.loops.get(scenario, getattr(module, scenario))
        start = monotonic()
        return {"figures": run(make, **arguments), "seconds": monotonic() - start}


def found(place: str) -> Any:
    """Return the driver at a place, module:class."""
    module, _, name = place.rpartition(":")
    return getattr(import_module(module), name)


def tiered(driver: Any) -> Any:
    """Return the driver of the same cache with a host tier, which a driver of one's own may be itself. Raise Unsupported."""
    from radixcheck.verification.bench.driver import Unsupported
    from radixcheck.verification.bench.host_driver import HostDriver

    if issubclass(driver, HostDriver):
        return driver
    if not driver.tiered:
        raise Unsupported("no host tier")
    return found(driver.tiered)


def main() -> None:
    """Answer until standard input ends. Send what a cache prints to standard error."""
    place_package()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    worker, missing = Worker(), _missing()
    for line in sys.stdin:
        answers.write(json.dumps({"missing": missing} if missing else worker.answer(json.loads(line))) + "\n")
        answers.flush()


def _missing() -> str:
    """Return a sentence if this interpreter cannot run a worker, else an empty string."""
    if sys.version_info < PYTHON_MIN:
        version = sys.version.split()[0]
        return f"{sys.executable} is Python {version}: give Python {'.'.join(map(str, PYTHON_MIN))} or newer with --python PATH"
    try:
        import torch  # noqa: F401
    except ImportError as error:
        return f"{sys.executable} cannot import torch ({error}): give a Python that has it with --python PATH"
    return ""


if __name__ == "__main__":
    main()
