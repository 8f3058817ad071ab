"""What GitHub runs for us, run here as far as it can be."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.release import workflow_rules
from scripts.website import workflow_rules as website_rules

ROOT = Path(__file__).resolve().parent.parent
ACTION = yaml.safe_load((ROOT / ".github/actions/conformance/action.yml").read_text("utf-8"))
INSTALL_NOX = "python -m pip install --require-hashes -r .github/nox.txt"
OTHERS = {
    'nox -s "$SESSION"',
    workflow_rules.HASHES,
    workflow_rules.FETCH_TAG,
    *workflow_rules.COMMANDS,
    website_rules.PACK,
    website_rules.HASH,
    *website_rules.COMMANDS,
}
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@dataclass
class Job:
    """A job of somebody else, in whose repository the action runs from a checkout elsewhere.

    Attributes:
        folder: Holds both checkouts, the runner's files, and the caller's environment.
        said: What the steps printed.
        failed: Whether a step failed.
    """

    folder: Path
    said: str = ""
    failed: bool = False
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> Path:
        return self.folder / "their repository"

    @property
    def checkout(self) -> Path:
        return self.folder / "arcrun 的 checkout"

    @property
    def python(self) -> Path:
        """The interpreter that the caller has set up."""
        return self.folder / "their environment/bin/python"

    def use_action(self, **inputs: str) -> None:
        """Run the steps of the action as GitHub does: by bash, with their expressions filled in."""
        known = {name: each.get("default", "") for name, each in ACTION["inputs"].items()}
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert set(given) <= set(known)
        known |= given
        for step in ACTION["runs"]["steps"]:
            if not self.failed or "cancelled()" in step.get("if", ""):
                env = {
                    name: self._filled(text, known) for name, text in step.get("env", {}).items()
                }
                self._run(step["run"], env)

    def _filled(self, text: str, inputs: dict[str, str]) -> str:
        expression = re.fullmatch(r"\$\{\{ (inputs|steps\.install\.outputs)\.([\w-]+) \}\}", text)
        assert expression, text
        return (inputs if expression[1] == "inputs" else self.outputs)[expression[2]]

    def _run(self, script: str, env: dict[str, str]) -> None:
        path = os.pathsep.join([str(self.python.parent), os.environ["PATH"]])
        files = {
            "GITHUB_ACTION_PATH": self.checkout / ".github/actions/conformance",
            "RUNNER_TEMP": self.folder / "runner temp",
            "GITHUB_OUTPUT": self.folder / "output",
            "GITHUB_STEP_SUMMARY": self.folder / "summary",
        }
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.repository,
            # As on the machine of somebody who installs for the user, and with another harness at hand.
            env={
                **os.environ,
                **{name: str(file) for name, file in files.items()},
                "PATH": path,
                "PIP_USER": "1",
                "PYTHONPATH": str(self.repository / "shadows"),
                **env,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        self.said += ran.stdout
        self.failed = self.failed or ran.returncode != 0
        lines = files["GITHUB_OUTPUT"].read_text("utf-8").splitlines()
        self.outputs = dict(line.split("=", 1) for line in lines)

    def summary(self) -> str:
        return (self.folder / "summary").read_text("utf-8")


ADAPTERS = """
adapters:
  - {name: theirs, language: python, runtime: cpython, command: ["{python}", "{here}/their adapter.py"]}
"""


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job in a repository that has an adapter of its own, with an environment and no harness."""
    made = Job(tmp_path)
    listed = ["git", "ls-files", "-z", "conformance", "packages/server", ".github"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (made.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, made.checkout / name)
    shadow = made.repository / "shadows/arcrun_conformance.py"
    shadow.parent.mkdir(parents=True)
    shadow.write_text("raise ImportError('of the caller')\n")
    skeleton = ROOT / "conformance/adapters/skeletons/python/adapter.py"
    shutil.copyfile(skeleton, made.repository / "their adapter.py")
    (made.repository / "adapters.yaml").write_text(ADAPTERS)
    (made.folder / "runner temp").mkdir()
    (made.folder / "output").touch()
    venv.create(made.python.parent.parent)
    return made


@pytest.mark.downloads
@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
def test_the_action_serves_a_repository_elsewhere_with_the_harness_of_its_own_checkout(
    job: Job,
) -> None:
    # The checkout is another one than that of this test: its version says so.
    version = job.checkout / "conformance/src/arcrun_conformance/_version.py"
    version.write_text('__version__ = "97.98.99"\n')
    job.use_action(adapters="adapters.yaml", scenario="health")
    assert not job.failed, job.said
    report = json.loads((job.repository / "conformance-report/conformance.json").read_text("utf-8"))
    assert report["runner"] == "97.98.99"
    cells = [(cell["sdk"], cell["scenario"], cell["outcome"]) for cell in report["cells"]]
    assert cells == [("theirs", "health", "passed")]
    assert job.summary().startswith("## arcrun conformance: passed\n")

    job.use_action(suite="engine", scenario="health*", report_dir="engine report", gate="true")
    assert job.failed, "of the gate's scenarios only a part was run"
    report = json.loads((job.repository / "engine report/conformance.json").read_text("utf-8"))
    assert {cell["outcome"] for cell in report["cells"]} == {"passed"}
    assert report["gate"]["column"] == "engine-local"
    assert "## arcrun conformance: NO-GO\n" in job.summary()

    job.failed = False
    job.use_action(adapters="adapters.yaml", scenario="he*", shard="1/2", report_dir="shards/1")
    assert not job.failed, job.said
    job.use_action(merge="shards", shards="2", report_dir="all")
    assert job.failed
    assert "shard 2/2 of theirs is missing" in job.said


def test_every_input_that_the_action_uses_is_declared() -> None:
    text = (ROOT / ".github/actions/conformance/action.yml").read_text("utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_thin(workflow: Path) -> None:
    """They install nox and call its sessions; what is worth testing is not in YAML.

    What jobs with an identity run is listed in `scripts/release/workflow_rules.py`, and so is what they compare.
    """
    document: dict[str, Any] = yaml.safe_load(workflow.read_text("utf-8"))
    sessions = set(
        re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    )
    for job in document["jobs"].values():
        for command in (step["run"] for step in job["steps"] if "run" in step):
            match = re.match(r"nox -s (\w+)", command)
            assert not match or match[1] in sessions
            assert match or command in OTHERS or command.startswith((INSTALL_NOX, "cat reports/"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_no_permissions_by_default_and_pin_actions(workflow: Path) -> None:
    text = workflow.read_text("utf-8")
    assert yaml.safe_load(text)["permissions"] == {}
    uses = re.findall(r"uses: (\S+)", text)
    assert uses
    assert all(re.search(r"@[0-9a-f]{40}$", each) for each in uses)


def test_every_shard_is_run_and_expected() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
    shards = jobs["conformance"]["strategy"]["matrix"]["shard"]
    assert shards == list(range(1, len(shards) + 1))
    (run,) = commands(jobs["conformance"], "nox -s matrix")
    assert f'--shard "$SHARD/{len(shards)}"' in run
    (merge,) = commands(jobs["conformance_result"], "nox -s merge")
    assert f"--shards {len(shards)} --gate" in merge
    # It runs after a shard failed, or ended without a report, as well.
    assert "!cancelled()" in jobs["conformance_result"]["if"]


def test_the_linter_sees_every_workflow() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    (value,) = (
        each.value
        for each in tree.body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "WORKFLOWS"
    )
    assert [f"'{path.stem}'" in ast.unparse(value) for path in WORKFLOWS] == [True] * len(WORKFLOWS)


def commands(job: dict[str, Any], beginning: str) -> list[str]:
    found = [str(step["run"]) for step in job["steps"] if "run" in step]
    return [command for command in found if command.startswith(beginning)]


@pytest.mark.parametrize("workflow", ["rehearsal.yml", "release.yml"])
def test_the_live_job_tests_the_packages_of_the_rehearsal(workflow: str) -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows" / workflow).read_text("utf-8"))["jobs"]
    names = [step.get("with", {}).get("name") for step in jobs["rehearsal"]["steps"]]
    downloaded = [
        step["with"]["name"]
        for step in jobs["live"]["steps"]
        if step.get("uses", "").startswith("actions/download-artifact@")
    ]
    assert downloaded == ["release"]
    assert set(downloaded) <= set(names)
    assert jobs["live"]["needs"] == "rehearsal"
    (run,) = commands(jobs["live"], "nox -s conformance")
    assert "--packages dist/ --target live --gate" in run


def test_the_matrix_has_every_sdk_but_the_browser() -> None:
    adapters = yaml.safe_load((ROOT / "conformance/adapters/adapters.yaml").read_text("utf-8"))
    published = [
        each
        for each in adapters["adapters"]
        if each["language"] in {"python", "javascript"} and each["runtime"] != "chromium"
    ]
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    assert constant(tree, "SDKS") == tuple(each["name"] for each in published)
    javascript = [each["runtime"] for each in published if each["language"] == "javascript"]
    assert constant(tree, "RUNTIMES") == tuple(dict.fromkeys(javascript))


def test_nox_prints_no_key_that_the_suite_is_given() -> None:
    """It prints each command that it runs, so keys leave the arguments first: in every session that takes any."""
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    taking = {
        each.name: ast.unparse(each)
        for each in functions
        if re.search(r"'arcrun-conformance', 'run'|scripts\.release\.packages", ast.unparse(each))
    }
    assert set(taking) == {"conformance", "matrix"}
    for name, source in taking.items():
        assert source.count("session.posargs") == 1, name
        assert "arguments, keys = without_keys(session.posargs)" in source, name
        assert source.count("**keys") == source.count("run_interruptible("), name


def constant(tree: ast.Module, name: str) -> tuple[str, ...]:
    """Return a constant of a module, without running it."""
    (value,) = (
        each.value
        for each in tree.body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == name
    )
    return tuple(ast.literal_eval(value))


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
