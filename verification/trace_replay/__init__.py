"""Replays recorded requests through a cache, next to the model and the reference, with every operation checked."""
