"""Let the signals that end a test run do what Ctrl-C does: then its fixtures stop the servers that they have started."""

import os
import signal


def pytest_configure() -> None:
    """Interrupt at SIGTERM, which nox sends, and at a hang-up that is not ignored, as nohup ignores it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if os.name == "posix" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
