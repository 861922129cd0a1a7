"""vLLM's engine with and without its prefix cache, for the requests of a live run. Its blocks hold 32 tokens: its CPU kernels need that."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.live import vllm_run
from radixcheck.verification.live.doctor import found_interpreter
from radixcheck.verification.live.launch import START_SECONDS, Settings, published
from radixcheck.verification.remote.process import Process, SubjectLost

VLLM, VLLM_NO_CACHE, WRONG_BLOCK = "vllm", "vllm-none", "control-vllm-wrong-block"
BLOCK = 32  # tokens
LONGEST = 1_024  # tokens of a request
VLLM_RUN = Path(vllm_run.__file__).absolute()  # imports the engine only when it is started
CONTROL = "radixcheck.verification.live.vllm_control:wrong_block"  # a function that returns a class of schedulers


@dataclass(frozen=True, slots=True)
class VllmSettings(Settings):
    """How vLLM's engine is started. It evicts in the order lru."""

    script: Path = VLLM_RUN

    def engine(self, backend: str) -> dict[str, Any]:
        """Return the arguments of `vllm.LLM`; `kv_events` and, for the control, `scheduler` are made into objects there."""
        extra: dict[str, Any] = {"scheduler": CONTROL} if backend == WRONG_BLOCK else {}
        if self.events is not None:
            extra["kv_events"] = published(self.events) | {"enable_kv_cache_events": True}
        return extra | {
            "model": self.model,
            "dtype": "float32",
            "skip_tokenizer_init": True,
            "enforce_eager": True,
            "async_scheduling": False,
            "enable_prefix_caching": backend != VLLM_NO_CACHE,
            "block_size": self.page_size,
            "num_gpu_blocks_override": self.pool // self.page_size + 1,  # vLLM keeps one block to itself
            "max_num_seqs": self.batch,
            "max_num_batched_tokens": self.chunk,
            "max_model_len": LONGEST,
            "seed": 0,
        }


def checked_vllm(python: str, seconds: float = START_SECONDS) -> None:
    """Raise UsageError if this Python has no vLLM."""
    path = found_interpreter(python, "vLLM")
    cure = "tests/peers/setup_vllm.sh VENV makes an environment that has it"
    try:
        process = Process((path, "-W", "ignore", str(VLLM_RUN)))
        version = process.ask({"do": "version"}, Timeout(seconds)).get("version")
    except SubjectLost as lost:
        raise UsageError(f"--vllm-python {python}: it {lost}; {cure}") from lost
    process.lose(SubjectLost("is no longer needed"))
    if version is None:
        raise UsageError(f"--vllm-python {python}: vLLM is not installed there; {cure}")
