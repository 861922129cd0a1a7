"""The entry point of the command."""

import sys


def main() -> int:
    """Run the command line and return the exit status. If an extra is not installed, suggest the command that installs it."""
    try:
        from radixcheck.verification.cli.app import run
    except ModuleNotFoundError as error:
        print(f"radixcheck: {error.name} is not installed: pip install 'radixcheck[verify]'", file=sys.stderr)
        return 2
    return run(sys.argv[1:])
