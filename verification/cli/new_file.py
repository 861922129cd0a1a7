"""An option that names a file to be written, which must not exist yet."""

from collections.abc import Mapping
from pathlib import Path

from radixcheck.verification.core.usage import UsageError


def check_new_file(option: str, file: Path, kinds: Mapping[str, str]) -> None:
    """Raise UsageError unless the file has one of these suffixes and can be created. Nothing is left behind."""
    if file.suffix not in kinds:
        listed = " or ".join(f"{suffix} ({kind})" for suffix, kind in kinds.items())
        raise UsageError(f"{option} {file}: give a file that ends in {listed}")
    try:
        file.open("x").close()
        file.unlink()
    except FileExistsError as error:
        raise UsageError(f"{option} {file}: exists already, and is not overwritten; give another file") from error
    except OSError as error:
        raise UsageError(f"{option} {file}: cannot be written ({error.strerror}); give another file") from error
