"""The README's own code runs, against a real engine, as a newcomer would run it."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_quick_start_does_what_it_says(engine: dict[str, str], tmp_path: Path) -> None:
    (code,) = blocks("python")
    env = {**os.environ, "ARCRUN_BASE_URL": engine["url"], "ARCRUN_API_KEY": engine["key"]}
    ran = subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", "-c", code],
        env={**env, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.stderr == ""
    health, names, data = ran.stdout.splitlines()
    assert health == "True"
    assert names == "['weather_token']"
    assert "HELLO, 世界" in data


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()[-1]
    assert command == "nox -s tests"
    assert any(command in block for block in blocks("sh"))
