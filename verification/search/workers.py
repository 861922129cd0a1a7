"""Worker processes: one for each core that the project plans for, each with one thread of torch."""

import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context

WORKERS = 2


def workers() -> ProcessPoolExecutor:
    """Fresh interpreters: nothing of the parent's state, and of its devices, is inherited."""
    return ProcessPoolExecutor(WORKERS, get_context("spawn"), initializer=_prepare)


def _prepare() -> None:
    """Small tensors gain nothing from threads, and two processes with two threads each fight over two cores.

    What a subject prints goes to standard error: standard output is this command's answer.
    """
    sys.stdout = sys.stderr
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # torch says so; nothing here uses NumPy
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
