"""Which tensor operations a call launches, and where their results lie."""

from collections.abc import Callable

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class Launched(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Names of the tensor operations that are launched, and where their results lie."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []
        self.devices: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.names.append(func.__name__.partition(".")[0])
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):  # not what is read: a number
            self.devices.add(result.device.type)
        return result


def launched(call: Callable[[], object]) -> str:
    with Launched() as mode:
        call()
    return " ".join(mode.names)
