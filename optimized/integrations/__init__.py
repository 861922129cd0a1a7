"""The optimized cache behind the interfaces of serving engines. Nothing else of this layer imports this room.

`sglang_plugin` is the entry point: SGLang calls its `register`, and `--radix-cache-backend radixcheck` selects the cache. When the engine
starts, `sglang_interface` compares SGLang with the one that this room was written for, `sglang_limits` refuses what the cache does not
serve, and `sglang_cache` is the cache. No module here imports an engine when it is imported.
"""
