"""Exhaustive exploration: every sequence of operations within stated bounds, on the real cache."""
