"""Counts the lines of Python that a call executes. Work of compiled code, such as the search of a list, is not seen."""

import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from os.path import dirname
from types import FrameType
from typing import Any


def lines_run(call: Callable[[], object]) -> int:
    """Return how many lines of Python `call` executes, without those of the standard library and of torch."""
    lines = 0

    def line(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return line

    def entered(frame: FrameType, _event: str, _argument: object) -> Any:
        return line if _counts(frame.f_code.co_filename) else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        call()
    finally:
        sys.settrace(before)
    return lines


@cache
def _counts(filename: str) -> bool:
    """Return whether the lines of a file count. Code without a file was generated, as the specification's formulas are."""
    paths, torch = sysconfig.get_paths(), sys.modules.get("torch")
    if filename.startswith("<") or (torch is not None and filename.startswith(dirname(torch.__file__ or "<"))):
        return False
    installed = filename.startswith((paths["purelib"], paths["platlib"]))
    return installed or not filename.startswith((paths["stdlib"], paths["platstdlib"]))
