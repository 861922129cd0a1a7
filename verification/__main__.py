"""`python -m radixcheck.verification`: the command line where the script `radixcheck` is not on the path."""

import sys

from radixcheck.verification.cli import main

if __name__ == "__main__":
    sys.exit(main())
