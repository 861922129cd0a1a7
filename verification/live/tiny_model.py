"""Makes the model of live runs: a Llama of two layers with random weights, from a fixed seed. Runs in the engine's Python."""

from __future__ import annotations

VOCABULARY = 2_048
SEED = 0


def make(folder: str, vocabulary: int = VOCABULARY) -> int:
    """Write the model into a folder; return how many parameters it has.

    The weights are large: attention is far from uniform, so that one wrong slot among hundreds shows in the log-probabilities.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(SEED)
    shape = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    tokens = {"vocab_size": vocabulary, "max_position_embeddings": 8_192, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    config = LlamaConfig(**shape, **tokens, head_dim=32, tie_word_embeddings=False, dtype="float32", initializer_range=0.2)
    model = LlamaForCausalLM(config).float()
    model.save_pretrained(folder)
    return sum(parameter.numel() for parameter in model.parameters())
