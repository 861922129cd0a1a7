"""What all tests share: the devices on which tensors live, and programs that need not be there. Only here may a test be left out."""

import shutil

import pytest
from commands import Command, Ran

pytest_plugins = ["pytester"]  # runs pytest in projects of its own: for the plugin


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """Each device in turn."""
    name: str = request.param
    if name == "cuda":
        import torch  # noqa: PLC0415  # slow, and most tests do without

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")
    return name


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command of `radixcheck` in this process."""
    from radixcheck.verification.cli.app import run  # noqa: PLC0415  # slow, and most tests do without

    def ran(*arguments: object) -> Ran:
        status = run([str(each) for each in arguments])
        return Ran(status, *capsys.readouterr())

    return ran


@pytest.fixture(scope="module")
def chromium() -> tuple[str, str]:
    """The commands of a browser, and of what drives it."""
    browser, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if browser is None or driver is None:
        pytest.skip("needs Chromium and ChromeDriver (the commands `chromium` and `chromedriver`): no page was opened")
    return browser, driver


@pytest.fixture
def node() -> str:
    """The command that runs JavaScript."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("needs Node (the command `node`): the cache in JavaScript was not checked")
    return found
