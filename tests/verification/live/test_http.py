"""The server of the README's command, with the plugin as it is installed: marked live and slow. It is killed once while it serves."""

import json
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from radixcheck.verification.live.launch import make_model, plugin_folder
from radixcheck.verification.live.workload import Conversations, Load

pytestmark = [pytest.mark.live, pytest.mark.slow]
CLIENTS, REQUESTS = 16, 200
START_SECONDS, ANSWER_SECONDS = 900.0, 300.0
FLAGS = (
    "--radix-cache-backend radixcheck --device cpu --dtype float32 --attention-backend torch_native --skip-tokenizer-init "
    "--max-total-tokens 6144 --max-running-requests 16 --page-size 16 --mem-fraction-static 0.3 --log-level error"
)
ENVIRONMENT = {
    **{"SGLANG_USE_CPU_ENGINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
    **{"SGLANG_ENABLE_STRICT_MEM_CHECK_DURING_BUSY": "1", "SGLANG_PLUGINS": "radixcheck"},
}


def post(port: int, prompt: list[int]) -> tuple[list[int], int]:
    """The tokens of an answer, and how many of the prompt were cached."""
    body = {"input_ids": prompt, "sampling_params": {"max_new_tokens": 6, "temperature": 0, "ignore_eos": True}}
    request = Request(f"http://127.0.0.1:{port}/generate", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=ANSWER_SECONDS) as answer:
        found = json.load(answer)
    return found["output_ids"], found["meta_info"]["cached_tokens"]


class Server:
    """One server in a process group of its own."""

    def __init__(self, python: str, model: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        command = [python, "-W", "ignore", "-m", "sglang.launch_server", "--model-path", model, "--port", str(self.port), *FLAGS.split()]
        self.log = folder / f"{self.port}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=os.environ | ENVIRONMENT, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                post(self.port, [7] * 16)
            except OSError:
                time.sleep(1)
            else:
                return
        self.kill()
        raise AssertionError(f"the server did not start: {self.log.read_text()[-2_000:]}")

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def model(tmp_path: Path) -> str:
    make_model(os.environ["RADIXCHECK_LIVE"], plugin_folder(tmp_path / "path"), tmp_path / "model")
    return str(tmp_path / "model")


def test_a_server_answers_many_clients_is_killed_and_answers_the_same_again(model: str, tmp_path: Path) -> None:
    talks = Conversations(Load(REQUESTS, REQUESTS, 2_000))
    prompts = []
    while batch := talks.round():
        prompts += batch
        talks.answered([[5]] * len(batch))
    python = os.environ["RADIXCHECK_LIVE"]

    server = Server(python, model, tmp_path)
    with ThreadPoolExecutor(CLIENTS) as clients:
        before = list(clients.map(lambda prompt: post(server.port, prompt), prompts[:64]))
        late = [clients.submit(post, server.port, prompt) for prompt in prompts[64:128]]
        late[0].result()
        server.kill()
        lost = sum(each.exception() is not None for each in late)  # each client has its answer or an error: none hangs

    server = Server(python, model, tmp_path)
    try:
        with ThreadPoolExecutor(CLIENTS) as clients:
            after = list(clients.map(lambda prompt: post(server.port, prompt), prompts))
        with urlopen(Request(f"http://127.0.0.1:{server.port}/flush_cache", method="POST"), timeout=ANSWER_SECONDS):
            flushed = post(server.port, prompts[0])
        assert server.process.poll() is None, server.log.read_text()[-2_000:]
    finally:
        server.kill()

    assert lost > 0
    assert len(after) == REQUESTS
    assert [tokens for tokens, _ in before] == [tokens for tokens, _ in after[:64]]
    assert sum(cached for _, cached in after) > 0
    assert flushed == (after[0][0], 0)
