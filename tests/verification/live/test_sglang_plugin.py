"""What the plugin registers where SGLang finds it, and what it says of another interface."""

import subprocess
import tomllib
from pathlib import Path

from fake_sglang import interpreter, write_fake
from places import ROOT


def test_the_plugin_registers_the_backend_and_names_what_differs_when_a_cache_is_made(tmp_path: Path) -> None:
    package = write_fake(tmp_path / "package", "9.8.7", {"mem_cache.memory_pool:ReqToTokenPool.write": "self, rows"})
    program = (
        "import importlib.metadata as m\n"
        "(point,) = m.entry_points(group='sglang.srt.plugins')\n"
        "point.load()()\n"
        "from sglang.srt.mem_cache.registry import REGISTERED\n"
        "print(*REGISTERED)\n"
        "try: REGISTERED['radixcheck'](None)\n"
        "except ValueError as error: print(error)"
    )

    command = [interpreter(tmp_path, package), "-W", "ignore", "-c", program]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert lines == [
        "radixcheck",
        "SGLang 9.8.7 has another interface than the cache was written for (0.5.23): "
        "ReqToTokenPool.write has the parameters (self, rows), not (self, indices, values)",
    ]


def test_the_entry_point_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["entry-points"]["sglang.srt.plugins"] == {
        "radixcheck": "radixcheck.optimized.integrations.sglang_plugin:register",
        "radixcheck_watch": "radixcheck.verification.watch.watch_plugin:register",
    }
    assert project["optional-dependencies"]["sglang"] == []
