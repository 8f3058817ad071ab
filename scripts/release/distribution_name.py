"""Let everything follow the name under which the Python SDK is published.

`name` in packages/python-sdk/pyproject.toml states it, and nothing else does. After an edit there,
`python -m scripts.release.distribution_name` writes it into the workspace, its lock file, and every line of documentation and
code that tells people how to install it; `--check` fails where one still has another name. What is imported stays
`arcrun`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.release.versions import SDK_FOLDER, distribution_name

if TYPE_CHECKING:
    from pathlib import Path

WORKSPACE = "pyproject.toml"
SUFFIXES = (".md", ".py", ".toml", ".yml", ".yaml", ".ts", ".html")
# What was said at the time stays as it is, and so does the example below.
EXEMPT = ("CHANGELOG.md", "scripts/release/distribution_name.py")
_WORKSPACE_DEPENDENCIES = re.compile(
    r'^dependencies = \["([\w.-]+)", "arcrun-server"', re.MULTILINE
)


def written(root: Path) -> str:
    """Return the name that the workspace has: what it was when this program last ran."""
    match = _WORKSPACE_DEPENDENCIES.search((root / WORKSPACE).read_text("utf-8"))
    if not match:
        raise ValueError(f"{root / WORKSPACE} does not begin its dependencies with the SDK")
    return match[1]


def renamed(file: str, text: str, old: str, new: str) -> str:
    """Return the text of a file with the new name, wherever it is about an installation.

    Example:
        >>> renamed("a.md", "pip install 'arcrun[cli]' arcrun-server; import arcrun", "arcrun", "arcrun-sdk")
        "pip install 'arcrun-sdk[cli]' arcrun-server; import arcrun"
    """
    for pattern in _patterns(file, re.escape(old)):
        text = pattern.sub(lambda match: f"{match[1]}{new}", text)
    return text


def _patterns(file: str, old: str) -> list[re.Pattern[str]]:
    """Return what finds the name; the first group is what stands before it."""
    if file == WORKSPACE:
        lines = (
            rf'^(dependencies = \["){old}(?=")',
            rf'^(  "){old}(?=\[)',
            rf"^(){old}(?= = {{ workspace)",
        )
        return [re.compile(line, re.MULTILINE) for line in lines]
    # Not what warns of the public index, and no path or longer name.
    end = r"(?![\w/-]|\.\w)(?!` from the public index)"
    install = r"(?:pip3? install|pipx install|uv add|uv tool install|uvx)"
    return [
        re.compile(rf"(\b{install}(?: -[-\w]+)* ['\"]?){old}{end}"),
        re.compile(rf"((?<![\w@/.-])){old}(?=\[[a-z])"),
    ]


def changes(root: Path) -> dict[Path, str]:
    """Return the files that have another name than the one that is stated, with the text that they must have."""
    old, new = written(root), distribution_name(SDK_FOLDER, root)
    if old == new:
        return {}
    found = {}
    for name in _files(root):
        path = root / name
        text = path.read_text("utf-8")
        changed = renamed(name, text, old, new)
        if changed != text:
            found[path] = changed
    return found


def _files(root: Path) -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode()
    return [
        name
        for name in listed.split("\0")
        if name.endswith(SUFFIXES)
        and name not in EXEMPT
        and "/tests/" not in f"/{name}"
        and (root / name).is_file()
    ]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write the name, or with `--check` print which files have another; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on another name")
    options = parser.parse_args(arguments)
    found = changes(root)
    for path, text in found.items():
        print(f"{path.relative_to(root)}: {'has another name' if options.check else 'written'}")
        if not options.check:
            path.write_text(text, "utf-8", newline="\n")
    if options.check and found:
        print("run: python -m scripts.release.distribution_name", file=sys.stderr)
        return 1
    return lock(root) if found else 0


def lock(root: Path) -> int:
    """Let uv write the name into its lock file; return the exit code."""
    uv = shutil.which("uv")
    if uv is None:
        print("uv was not found; run: uv lock", file=sys.stderr)
        return 1
    return subprocess.run([uv, "lock"], cwd=root, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
