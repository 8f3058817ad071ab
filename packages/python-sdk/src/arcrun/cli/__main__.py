"""`python -m arcrun.cli` is `acr`."""

import sys

from . import main

sys.exit(main())
