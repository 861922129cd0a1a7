"""The entry point of the command."""

import os
import sys


def main() -> int:
    """Run the command line and return the exit status, which is UNDECIDED (3) until a result is written: see `supervisor`."""
    if not hasattr(os, "fork"):
        return _command()
    from radixcheck.verification.cli.supervisor import supervised

    return supervised(_command)


def _command() -> int:
    """Run the command in this process. If an extra is not installed, suggest the command that installs it."""
    try:
        from radixcheck.verification.cli.app import run
    except ModuleNotFoundError as error:
        from radixcheck.verification.core.installing import is_extra, missing

        if not is_extra(error):
            raise
        print(f"radixcheck: {missing(error.name or '')}", file=sys.stderr)
        return 2
    return run(sys.argv[1:])
