"""`python -m arcrun_server` is `arcrun-server`."""

import sys

from arcrun_server.cli import main

if __name__ == "__main__":
    sys.exit(main())
