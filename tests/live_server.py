"""SGLang's server on a CPU, with its own check of its pool after every step, for tests marked live."""

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import Request, urlopen

START_SECONDS, ANSWER_SECONDS = 900.0, 300.0
FLAGS = (
    "--device cpu --dtype float32 --attention-backend torch_native --skip-tokenizer-init "
    "--max-running-requests 16 --page-size 16 --mem-fraction-static 0.3 --log-level error"
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

    def __init__(self, python: str, model: str, folder: Path, flags: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        launch = [python, "-W", "ignore", "-m", "sglang.launch_server"]
        command = [*launch, "--model-path", model, "--port", str(self.port), *FLAGS.split(), *flags.split()]
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
