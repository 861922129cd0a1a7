"""Exhaustive exploration: every sequence of operations within stated bounds, taken on the real cache."""
