"""What all tests share: the devices on which tensors live."""

import pytest


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """Each device in turn; the one place where a test may be left out."""
    name: str = request.param
    if name == "cuda":
        import torch  # noqa: PLC0415  # slow, and most tests do without

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")
    return name
