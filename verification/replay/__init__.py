"""Recorded traffic through a cache, beside the model and the reference, checked at every operation."""
