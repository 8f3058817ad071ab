"""Settings of all tests of the scripts."""

import os

# It makes a terminal of every console, also of those whose output a test compares.
os.environ.pop("FORCE_COLOR", None)
