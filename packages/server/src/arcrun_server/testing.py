"""An engine for tests: a real server on a free loopback port, in a process of its own, that forgets everything.

Import the fixture where pytest finds it, as in `conftest.py`:

    from arcrun_server.testing import engine

or start engines yourself, with or without pytest:

    with embedded_engine() as engine:
        client = Arcrun(api_key=engine.api_key, base_url=engine.url)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    import pytest
except ImportError:  # `embedded_engine` does without it
    pass
else:

    @pytest.fixture(scope="session")
    def engine() -> Iterator[Engine]:
        """Provide an engine for the whole test run; with pytest-xdist, one for each worker."""
        with embedded_engine() as started:
            yield started


# How long a server may take to end, in seconds: it waits for requests under way.
STOP_SECONDS = 30
_SETTINGS = ("ARCRUN_SERVER_", "OTEL_")


@dataclass(frozen=True)
class Engine:
    """An engine that runs.

    Args:
        url: Where it listens, as `http://127.0.0.1:53124`.
        api_key: The key of its account.
    """

    url: str
    api_key: str = field(repr=False)


class EngineStartError(RuntimeError):
    """The engine did not start; the message is what it wrote."""


@contextmanager
def embedded_engine() -> Iterator[Engine]:
    """Start an engine in development mode, and end it with the `with` block, or with this process.

    Settings of this machine (`ARCRUN_SERVER_…`, `OTEL_…`) don't reach it.

    Raises:
        EngineStartError: It did not start.

    Example:
        >>> import httpx
        >>> with embedded_engine() as engine:
        ...     httpx.get(f"{engine.url}/health").json()["ok"]
        True
    """
    command = [sys.executable, "-m", "arcrun_server", "serve", "--dev", "--json", "--port", "0"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--until-stdin-closes", "--log-level", "warning"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={k: v for k, v in os.environ.items() if not k.startswith(_SETTINGS)},
        )
        with process:
            try:
                assert process.stdout  # noqa: S101 - for the type checker
                ready = process.stdout.readline()
                if not ready:
                    process.wait(STOP_SECONDS)
                    log.seek(0)
                    raise EngineStartError(log.read().decode("utf-8", "replace").strip())
                line = json.loads(ready)
                yield Engine(line["url"], line["key"])
            finally:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin  # noqa: S101 - for the type checker
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
