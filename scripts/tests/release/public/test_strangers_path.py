"""The commands of docs/releasing.md for strangers are run as they stand there, with loopback as the public."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import ROOT
from scripts.tests.release.public.stranger import REPOSITORY, Public

_COMMANDS = re.compile(r"## Verifying a release\n.*?```sh\n(.*?)```", re.DOTALL)


def commands(version: str) -> str:
    """Return the commands, for a version."""
    found = _COMMANDS.search((ROOT / "docs" / "releasing.md").read_text("utf-8"))
    assert found
    first, _, others = found[1].partition("\n")
    assert re.fullmatch(r"VERSION=[0-9.]+", first)
    return f"VERSION={version}\n{others}"


def stand_in_for_nox(folder: Path, public: Public) -> None:
    """Write a program `nox` that runs the session's command in the environment that is here already."""
    of = public.loopback.of
    options = {"pypi-url": of("pypi"), "npm-url": of("npm"), "github-url": of("github")}
    options["trust-root"] = str(public.trust_root)
    addresses = shlex.join([part for name, url in options.items() for part in (f"--{name}", url)])
    program = folder / "nox"
    program.write_text(
        '#!/bin/sh\n[ "$1 $2 $3" = "-s verify --" ] || exit 9\nshift 3\n'
        f'exec {shlex.quote(sys.executable)} -E -X utf8 -m scripts.release.verify "$@" {addresses}\n'
    )
    program.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="the commands are those of a POSIX shell")
def test_the_commands_for_strangers_verify_a_wheel(public: Public, tmp_path: Path) -> None:
    programs, home = tmp_path / "programs", tmp_path / "home"
    programs.mkdir()
    home.mkdir()
    stand_in_for_nox(programs, public)
    (programs / "python").symlink_to(sys.executable)
    github = f"https://github.com/{REPOSITORY}"
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(tmp_path),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{public.release.repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": github,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"{public.loopback.of('pypi')}/simple/",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "VIRTUAL_ENV": sys.prefix,
    }
    ran = subprocess.run(
        ["sh", "-e", "-c", commands(public.release.version)],
        cwd=home,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    assert f"✓ rebuild: v{public.release.version} in a fresh clone gives the same bytes" in lines
    assert lines[-1].endswith(f": arcrun {public.release.version}, as released")
