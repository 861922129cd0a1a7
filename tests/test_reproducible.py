"""The wheel and the sdist are the same bytes whenever and wherever they are built from the same files."""

import os
import shutil
import subprocess
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from places import ROOT
from sources import tracked

EPOCH = "1700000000"


def copied(folder: Path, time: int) -> Path:
    """The files of the checkout in another folder, in another order, with another time and other permissions."""
    for path in sorted(tracked(), reverse=True):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target, follow_symlinks=False)
        if not target.is_symlink():
            target.chmod(0o600)
            os.utime(target, (time, time))
    return folder


def built(source: Path, into: Path, epoch: str = EPOCH) -> dict[str, str]:
    """The digest of the wheel and of the sdist, by name."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(into)]
    subprocess.run(command, cwd=source, env=os.environ | {"SOURCE_DATE_EPOCH": epoch}, check=True, capture_output=True)
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in into.iterdir()}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Where the checkout was built to, and the digests."""
    folder = tmp_path_factory.mktemp("first")
    return folder, built(copied(folder / "source", 1_500_000_000), folder / "built")


def test_built_twice_from_the_same_files_both_are_the_same_bytes(first: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    assert [name.rpartition(".")[2] for name in sorted(first[1])] == ["whl", "gz"]
    assert built(copied(tmp_path / "source", 1_600_000_000), tmp_path / "built") == first[1]


@pytest.mark.slow
def test_the_wheel_from_the_sdist_is_that_from_the_checkout(first: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    (sdist,) = (first[0] / "built").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()

    assert built(unpacked, tmp_path / "built") == first[1]


@pytest.mark.slow
def test_another_date_or_another_file_is_seen(first: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    source = copied(tmp_path / "source", 1_600_000_000)
    later = built(source, tmp_path / "later", "1700000002")
    (source / "spec" / "one_more.py").touch()
    more = built(source, tmp_path / "more")

    assert [name for name in first[1] if later[name] == first[1][name] or more[name] == first[1][name]] == []
