"""What GitHub runs for us, run here as far as it can be."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
ACTION = yaml.safe_load((ROOT / ".github/actions/conformance/action.yml").read_text("utf-8"))
INSTALL_NOX = "python -m pip install --require-hashes -r .github/nox.txt"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def run_step(number: int, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a step of the composite action as GitHub does: by bash, inputs in the environment."""
    step = ACTION["runs"]["steps"][number]
    asked = set(step["env"])
    assert asked == set(env), f"the step's environment is {asked}"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={**os.environ, **env, "PATH": path},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
def test_the_action_runs_the_suite_with_the_adapters_that_are_named(tmp_path: Path) -> None:
    ran = run_step(
        1,
        ADAPTERS=str(ROOT / "conformance/adapters/adapters.yaml"),
        TARGET="local",
        SCENARIO="health",
        REPORT_DIR=str(tmp_path / "report"),
        SDK="python-sync",
        ARCRUN_CONFORMANCE_API_KEY="",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
    assert (tmp_path / "report" / "summary.md").is_file()


def test_every_input_that_the_action_uses_is_declared() -> None:
    text = (ROOT / ".github/actions/conformance/action.yml").read_text("utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_thin(workflow: Path) -> None:
    """They install nox and call its sessions; what is worth testing is not in YAML."""
    document: dict[str, Any] = yaml.safe_load(workflow.read_text("utf-8"))
    sessions = set(
        re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    )
    for job in document["jobs"].values():
        for command in (step["run"] for step in job["steps"] if "run" in step):
            match = re.match(r"nox -s (\w+)", command)
            assert not match or match[1] in sessions
            assert match or command.startswith((INSTALL_NOX, "nox -s", "cat reports/"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_no_permissions_by_default_and_pin_actions(workflow: Path) -> None:
    text = workflow.read_text("utf-8")
    assert yaml.safe_load(text)["permissions"] == {}
    uses = re.findall(r"uses: (\S+)", text)
    assert uses
    assert all(re.search(r"@[0-9a-f]{40}$", each) for each in uses)


def test_workflows_install_nox_with_the_uv_of_its_sessions_by_hash() -> None:
    text = (ROOT / ".github/nox.txt").read_text("utf-8")
    pins = re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)
    assert len(
        re.findall(r"^[\w.-]+==[^#]*?--hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    ) == len(pins)
    noxfile = (ROOT / "noxfile.py").read_text("utf-8")
    assert re.findall(r'^UV_VERSION = "(.+)"$', noxfile, re.MULTILINE) == [dict(pins)["uv"]]
    assert f'nox.needs_version = ">={dict(pins)["nox"]}"' in noxfile
    # Of a block of script metadata nox makes an environment at each start, and prints what pip says.
    assert "# /// script" not in noxfile
