"""Settings of all tests: what ends a test run, and how long an example of a property may take."""

import os
import signal

import hypothesis

# A busy machine is not a failure.
hypothesis.settings.register_profile("arcrun", deadline=None)
hypothesis.settings.load_profile("arcrun")


def pytest_configure() -> None:
    """Let the signals that end a test run do what Ctrl-C does: then its fixtures stop the servers that they have started.

    These are SIGTERM, which nox sends, and a hang-up that is not ignored, as nohup ignores it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if os.name == "posix" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
