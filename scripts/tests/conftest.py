"""Settings of all tests of the scripts."""

import os
import signal
from collections.abc import Iterator

import pytest

# They make a terminal of every console, or none: also of those whose output a test compares.
for name in ("FORCE_COLOR", "NO_COLOR"):
    os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def interrupts_are_heard() -> Iterator[None]:
    """Let tests and their programs hear SIGINT, which they ignore if a shell has started pytest in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
