"""Stands for the module of the same name in the benchmark of peers, which loads `verification/bench/peers_adapter.py`."""


class Adapter:
    """What every adapter is there."""

    page_size: int
