"""Worker processes: one for each core that the project plans for, each with one thread of torch."""

from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context

WORKERS = 2


def workers() -> ProcessPoolExecutor:
    """Fresh interpreters: nothing of the parent's state, and of its devices, is inherited."""
    return ProcessPoolExecutor(WORKERS, get_context("spawn"), initializer=_one_thread)


def _one_thread() -> None:
    """Small tensors gain nothing from threads, and two processes with two threads each fight over two cores."""
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
