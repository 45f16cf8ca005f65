"""``python -m symcost``: the command line."""

import sys

from symcost.cli import main

if __name__ == "__main__":
    sys.exit(main())
