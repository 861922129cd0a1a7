"""The server of the README's command, with the plugin as it is installed: marked live and slow. It is killed once while it serves."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from live_server import ANSWER_SECONDS, Server, post

from radixcheck.verification.live.launch import make_model, plugin_folder
from radixcheck.verification.live.workload import Conversations, Load

pytestmark = [pytest.mark.live, pytest.mark.slow]
CLIENTS, REQUESTS = 16, 200
FLAGS = "--radix-cache-backend radixcheck --max-total-tokens 6144"


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

    server = Server(python, model, tmp_path, FLAGS)
    with ThreadPoolExecutor(CLIENTS) as clients:
        before = list(clients.map(lambda prompt: post(server.port, prompt), prompts[:64]))
        late = [clients.submit(post, server.port, prompt) for prompt in prompts[64:128]]
        late[0].result()
        server.kill()
        lost = sum(each.exception() is not None for each in late)  # each client has its answer or an error: none hangs

    server = Server(python, model, tmp_path, FLAGS)
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
