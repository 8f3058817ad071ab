"""An engine for the tests of the documents."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start an engine as a newcomer does, and give what it prints: `url`, `docs`, `key`."""
    data = tmp_path_factory.mktemp("engine") / "data"
    command = [sys.executable, "-m", "arcrun_server", "serve", "--dev", "--json", "--port", "0"]
    with subprocess.Popen(
        [*command, "--data", str(data), "--log-level", "warning", "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
