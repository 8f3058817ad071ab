"""Settings of all tests: what ends a test run, and how long an example of a property may take."""

import hypothesis

from scripts import processes

# A busy machine is not a failure.
hypothesis.settings.register_profile("arcrun", deadline=None)
hypothesis.settings.load_profile("arcrun")


def pytest_configure() -> None:
    """Let the signals that end a test run do what Ctrl-C does: then its fixtures stop the servers that they have started."""
    processes.interrupt_on_signals()
