"""`python -m zypher`: the command of the same name."""

import sys

from zypher.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
