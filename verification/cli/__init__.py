"""The entry point of the command: one line that says the mend, where an extra is missing."""

import sys


def main() -> int:
    """Run the command line; returns the exit status (0 holds, 1 refuted, 2 wrong use, 3 undecided)."""
    try:
        from radixcheck.verification.cli.commands import run
    except ModuleNotFoundError as error:
        print(f"radixcheck: {error.name} is not installed: pip install 'radixcheck[verify]'", file=sys.stderr)
        return 2
    return run(sys.argv[1:])
