"""Each of the README's three quick starts works as it is printed: it installs from a checkout, and does what it says.

Each has a folder of its own, where the packages are as in a checkout, and an environment in which nothing is installed.
"""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
SECONDS = 600  # a machine that does other things too installs slowly

pytestmark = [
    pytest.mark.downloads,
    pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a POSIX shell"),
]


def section(title: str) -> str:
    """Return a section of the quick start, up to the next heading."""
    found = re.search(rf"^### {title}\n(.*?)^##", README, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def block(title: str, language: str) -> str:
    """Return the only block of a section in a language."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)
    return str(code)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the packages that git knows, as they are here."""
    listed = ["git", "ls-files", "-z", "packages/python-sdk", "packages/js-sdk"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        copy = tmp_path / "checkout" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    return tmp_path / "checkout"


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The programs of an environment that has pip, and nothing else."""
    venv.create(tmp_path / "environment", symlinks=True, with_pip=True)
    return tmp_path / "environment/bin"


def run(commands: str, folder: Path, engine: dict[str, str], programs: Path | None) -> str:
    """Run commands as somebody does who has exported what the engine prints; return their output."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ARCRUN_", "PYTHON"))}
    environment = {
        **kept,
        "HOME": str(folder.parent),  # no settings of ours, but what was downloaded before
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
        "NPM_CONFIG_CACHE": os.environ.get("NPM_CONFIG_CACHE", str(Path.home() / ".npm")),
        "PATH": os.pathsep.join([*([str(programs)] if programs else []), os.environ["PATH"]]),
        "ARCRUN_BASE_URL": engine["url"],
        "ARCRUN_API_KEY": engine["key"],
    }
    ran = subprocess.run(
        ["sh", "-e", "-c", commands],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_command_line(checkout: Path, python: Path, engine: dict[str, str]) -> None:
    printed = run(block("Command line", "sh"), checkout, engine, python)
    assert printed.rstrip().endswith("HELLO, 世界")
    assert (checkout / "hello/workflows/greet.yaml").is_file(), "acr init makes an example"


def test_python(checkout: Path, python: Path, engine: dict[str, str]) -> None:
    (checkout / "quick_start.py").write_text(block("Python", "python"), "utf-8")
    commands = block("Python", "sh") + "echo ---\npython -W error quick_start.py"
    health, names, data = run(commands, checkout, engine, python).split("---\n")[1].splitlines()
    assert (health, names) == ("True", "['weather_token']")
    assert "HELLO, 世界" in data


def test_javascript(checkout: Path, engine: dict[str, str]) -> None:
    (checkout / "quick_start.mjs").write_text(block("JavaScript", "js"), "utf-8")
    programs = Path(sys.executable).parent  # where Node.js is, from PyPI
    commands = block("JavaScript", "sh") + "echo ---\nnode quick_start.mjs"
    printed = run(commands, checkout, engine, programs).split("---\n")[1]
    assert printed.splitlines() == ["true", "[ 'weather_token' ]", "HELLO, 世界"]
    installed = [path.name for path in (checkout / "node_modules").glob("[!.]*/*")]
    assert installed == ["sdk"], "nothing but the package, which depends on nothing"
