"""How to install what is missing, from where this package stands: a checkout, a file, a git URL or an index."""

import json
import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME = "radixcheck"
EXTRAS = {  # the extra for commands that import a package, by its name
    **dict.fromkeys(("click", "hypothesis", "rich"), "check"),
    **dict.fromkeys(("crosshair", "cvc5", "jinja2", "pytest", "torch", "z3"), "verify"),
    **dict.fromkeys(("msgpack", "zmq"), "events"),
    "matplotlib": "plot",
    "ray": "ray",
}
PIP_SECONDS = 10.0
FOLDER = Path(__file__).resolve().parents[2]  # of the package, or of the checkout that it runs in


def missing(package: str) -> str:
    """Return one sentence: this package is not installed, and the command that installs it."""
    root = package.partition(".")[0]
    return f"{root} is not installed: {install_command(EXTRAS[root])}"


def is_extra(error: ModuleNotFoundError) -> bool:
    """Return whether the module that was not found is of a package that an extra installs."""
    return (error.name or "").partition(".")[0] in EXTRAS


def install_command(extra: str, python: str = "", *options: str) -> str:
    """Return a command that installs this package with an extra, for this interpreter or for another one."""
    return f"{installer(python)} {''.join(f'{option} ' for option in options)}{requirement(extra)}"


def installer(python: str = "") -> str:
    """Return the installer of an interpreter. An environment that uv has made has no pip."""
    has_pip = _has_pip(python) if python else find_spec("pip") is not None
    named = shlex.quote(python or sys.executable)
    return f"{named} -m pip install" if has_pip else f"uv pip install --python {named}"


def _has_pip(python: str) -> bool:
    """Return whether another interpreter has pip; True if there is none of this name, which stands for one."""
    from subprocess import TimeoutExpired, run  # slow, and most commands miss nothing

    try:
        return run([python, "-c", "import pip"], check=False, capture_output=True, timeout=PIP_SECONDS).returncode == 0
    except (OSError, TimeoutExpired):
        return True


def requirement(extra: str = "") -> str:
    """Return this package with an extra as an installer takes it, quoted for a shell.

    What is named is the place that this package came from, if it is known and still there: a checkout, a wheel file, a git URL. Without
    such a place, what is named are the packages of the extra.
    """
    from importlib.metadata import PackageNotFoundError, distribution  # slow, and most commands miss nothing

    try:
        found = distribution(NAME)
    except PackageNotFoundError:
        found = None
    return named(extra, FOLDER if is_checkout(FOLDER) else None, found)


def named(extra: str, checkout: Path | None, found: "Distribution | None") -> str:
    """Return the requirement, given the checkout that this package runs in and the metadata of its installation, if there are such."""
    suffix = f"[{extra}]" if extra else ""
    if checkout:
        return f"-e {shlex.quote(f'{checkout}{suffix}')}"
    if found and (url := origin(found)):
        return shlex.quote(f"{NAME}{suffix} @ {url}")
    packages = packages_of(found, extra) if found else []
    return " ".join(map(shlex.quote, packages or [f"{NAME}{suffix} @ URL"]))  # no index has it: whoever installed it knows the URL


def is_checkout(folder: Path) -> bool:
    """Return whether a folder is a checkout of this project, which can be installed as it lies there."""
    return (folder / "pyproject.toml").is_file() and (folder / ".dev" / NAME).is_dir()


def origin(found: "Distribution") -> str:
    """Return the URL that a package was installed from, or nothing if it was an index, or if it cannot be installed from there again."""
    text = found.read_text("direct_url.json")
    if text is None:
        return ""
    direct: dict[str, Any] = json.loads(text)
    url = str(direct["url"])
    parts = urlsplit(url)
    if "vcs_info" in direct:  # pip takes no requirement with the URL of a repository on this machine
        return f"{direct['vcs_info']['vcs']}+{url}@{direct['vcs_info']['commit_id']}" if parts.netloc else ""
    return url if parts.scheme != "file" or Path(unquote(parts.path)).exists() else ""


def packages_of(found: "Distribution", extra: str) -> list[str]:
    """Return what the metadata requires for an extra."""
    marked = (re.fullmatch(r"(.+?)\s*;\s*extra == ['\"](.+)['\"]", line) for line in found.requires or ())
    return [match[1].replace(" ", "") for match in marked if match and match[2] == extra]
