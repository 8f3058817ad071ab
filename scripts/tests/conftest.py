"""Settings of all tests of the scripts."""

import os

# They make a terminal of every console, or none: also of those whose output a test compares.
for name in ("FORCE_COLOR", "NO_COLOR"):
    os.environ.pop(name, None)
