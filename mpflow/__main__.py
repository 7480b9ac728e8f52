"""python -m mpflow."""

import sys

from mpflow.cli import main

if __name__ == "__main__":
    sys.exit(main())
