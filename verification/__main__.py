"""`python -m radixcheck.verification` is `python -m radixcheck`."""

import sys

from radixcheck.verification.cli import main

if __name__ == "__main__":
    sys.exit(main())
