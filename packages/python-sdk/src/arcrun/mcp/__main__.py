"""`python -m arcrun.mcp` is `arcrun-mcp`."""

import sys

from . import main

sys.exit(main())
