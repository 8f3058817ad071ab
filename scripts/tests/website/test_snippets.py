"""The code that the site shows for a service runs as it stands, up to the service itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts import ROOT
from scripts.engine import engine_with_accounts
from scripts.website.catalog import SHIPPED, set_up
from scripts.website.sizes import over_budget
from scripts.website.snippets import FOLDER, versions


def test_the_code_of_each_service_is_python_and_names_each_secret() -> None:
    for path in (SHIPPED / "auth-recipes").glob("*.yaml"):
        recipe = yaml.safe_load(path.read_text("utf-8"))
        keys = [secret["key"] for secret in recipe["required_secrets"]]
        code = set_up(recipe["service"], keys)
        compile(code["python"]["text"], path.name, "exec")
        for key in keys:
            assert f'{key}=os.environ["{key.upper()}"]' in code["python"]["text"]
            assert f"{key}: process.env.{key.upper()}," in code["javascript"]["text"]


def test_the_versions_are_those_of_the_packages() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert versions()["python"] == versions()["javascript"] == versions()["engine"]
    assert versions()["engine"] in changelog


def test_a_page_may_load_a_little_more_than_a_bare_one() -> None:
    loads = {"index": 115_000, "login": 115_001, "api-docs": 900_000, "docs/contract": 200_000}
    assert over_budget(loads, 100_000) == {"login": 15_001}


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a POSIX shell")
def test_the_commands_of_the_command_line_push_and_run_the_workflow(tmp_path: Path) -> None:
    for name in ("workflow.yaml", "command-line.sh"):
        shutil.copy(FOLDER / name, tmp_path)
    python = Path(sys.executable)
    with engine_with_accounts(python, tmp_path / "data", tmp_path / "engine.log") as engine:
        environment = {
            "PATH": os.pathsep.join((str(python.parent), os.environ["PATH"])),
            "HOME": str(tmp_path),
            "ARCRUN_BASE_URL": engine.url,
            "ARCRUN_API_KEY": engine.keys[0],
        }
        ran = subprocess.run(
            ["sh", "-e", "command-line.sh"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    assert "HELLO, 世界" in ran.stdout
