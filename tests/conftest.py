"""What all tests share: the devices on which tensors live, and programs that need not be there. Only here may a test be left out."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import Command, Ran

if TYPE_CHECKING:
    from selenium import webdriver

pytest_plugins = ["pytester"]  # runs pytest in projects of its own: for the plugin
os.environ.pop("COLUMNS", None)  # pytest-xdist gives each worker the columns of its terminal, for which output would be folded


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


@pytest.fixture(scope="module")
def browser(chromium: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> "Iterator[webdriver.Chrome]":
    """A browser without a window."""
    from selenium import webdriver  # noqa: PLC0415  # slow, and most tests do without

    options = webdriver.ChromeOptions()
    options.binary_location = chromium[0]
    quiet = ("disable-background-networking", "disable-component-update", "disable-sync", "no-first-run", "disable-quic")
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", *quiet):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=chromium[1]))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def report_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder with a small report. Processes that run tests side by side share it: the first makes it, and the others wait."""
    from small_report import make  # noqa: PLC0415  # slow, and most tests do without

    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "small-report"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "out" / "summary.md").exists():
            make(folder)
    return folder / "out"


@pytest.fixture
def node() -> str:
    """The command that runs JavaScript."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("needs Node (the command `node`): the cache in JavaScript was not checked")
    return found
