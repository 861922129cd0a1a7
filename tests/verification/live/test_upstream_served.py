"""What SGLang's own package has for caches of a live server, with SGLang's cache and with ours: marked live and slow."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from live_server import Server
from places import PACKAGE, TESTS
from upstream_served import KINDS

VOCABULARY = 32_000  # the tokens that these tests draw
SERVED_SECONDS = 1_800.0
CACHES = {"default": "", "radixcheck": "--radix-cache-backend radixcheck"}


@pytest.fixture
def model(tmp_path: Path) -> str:
    program = f"from radixcheck.verification.live.tiny_model import make; make({str(tmp_path / 'model')!r}, {VOCABULARY})"
    path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    subprocess.run([os.environ["RADIXCHECK_LIVE"], "-W", "ignore", "-c", program], env=os.environ | {"PYTHONPATH": path}, check=True)
    return str(tmp_path / "model")


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("cache", CACHES)
def test_a_server_passes_what_upstream_has_for_its_cache(model: str, tmp_path: Path, cache: str) -> None:
    python = os.environ["RADIXCHECK_LIVE"]

    server = Server(python, model, tmp_path, f"{CACHES[cache]} --max-total-tokens 32768")
    try:
        command = [python, "-W", "ignore", str(TESTS / "upstream_served.py"), f"http://127.0.0.1:{server.port}"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SERVED_SECONDS)
        assert server.process.poll() is None, server.log.read_text()[-2_000:]
    finally:
        server.kill()

    assert ran.returncode == 0, ran.stderr[-2_000:]
    found = json.loads(ran.stdout)
    print(f"\n{cache}: {sum(not error for name, error in found.items() if name != 'wrong')} of {len(KINDS) - 1} pass")
    assert "expected cached_tokens=272, got 256" in found.pop("wrong"), "a wrong claim is not noticed"
    assert found == {name: "" for name in KINDS if name != "wrong"}
