"""Executable specification, reference and optimized implementation of a radix KV cache, and the kit that checks caches."""

__version__: str


def __getattr__(name: str) -> str:
    """Return the installed version as `__version__`. It is looked up on use, because the package also runs where it is not installed."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # slow, and most programs never ask

    try:
        return version("radixcheck")
    except PackageNotFoundError:
        raise AttributeError("radixcheck has no __version__ where it is not installed: pip install radixcheck") from None
