"""`python -m radixcheck`: the command `radixcheck` where its script is not on the path."""

import sys

from radixcheck.verification.cli import main

if __name__ == "__main__":
    sys.exit(main())
