"""Executable specification, reference and optimized implementation of a radix KV cache, and the kit that checks caches."""

__version__ = "0.1.0"  # the one of pyproject.toml; written here too, because the package also runs where it is not installed
