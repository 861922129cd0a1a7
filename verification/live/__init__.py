"""Caches inside a live engine, side by side: the same requests through each, with the engine's own checks on, and what they answered.

In the engine's Python run `engine_run` (one backend, one process), `engine_backends` (a plugin: caches to compare with, and controls
that must fail), `tiny_model` and `probe_engine`; they import nothing but the engine and `radixcheck.optimized`. Here run `launch` (starts
and ends these processes), `workload`, `compare` (what the answers show) and `doctor`.

For latencies there run `call_meter` (times requests, and the calls of a cache), `engine_latency` (the plugin) and `gguf_model` (makes the
model); here runs `latency_launch`.

Their KV events, if they are recorded, are judged by `event_checks`, and compared with the hits by `event_hits`.

vLLM serves the same requests with its own cache and without: `vllm_run` and `vllm_control` run in its Python, `vllm_launch` and
`vllm_compare` here.
"""
