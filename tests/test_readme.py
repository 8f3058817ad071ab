"""The README's own code runs, against a real engine, as a newcomer would run it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


(EXPORTS,) = (block for block in blocks("sh") if "export ARCRUN_" in block)
LOCAL, ASYNCHRONOUS, HOSTED = blocks("python")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package that the README's line names, without what it depends on, which is there."""
    (source,) = re.findall(r"^python -m pip install (\./\S+)$", README, re.MULTILINE)
    target = tmp_path_factory.mktemp("installed")
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-cache"]
    subprocess.run(
        [*command, "--python", sys.executable, "--target", target, source], cwd=ROOT, check=True
    )
    return target


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Start the engine as `nox -s serve` does, and give the `export` lines that it prints."""
    assert blocks("sh")[0].endswith(" && nox -s serve\n")
    command = [Path(sys.executable).with_name("arcrun-server"), "serve", "--dev", "--port", "0"]
    data = tmp_path_factory.mktemp("engine") / "data"
    with subprocess.Popen(
        [*command, "--data", data, "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        found: list[str] = []
        try:
            while len(found) < 2 and (line := process.stdout.readline()):
                found += [line.strip()] if line.strip().startswith("export ") else []
            yield found
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def run(
    installed: Path, exported: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., list[str]]:
    """Run a block in a shell with the engine's `export` lines, and return the lines that it prints."""

    def run_code(code: str, *more_lines: str) -> list[str]:
        home = tmp_path_factory.mktemp("home")
        file = home / "quick_start.py"
        file.write_text(code, "utf-8")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ARCRUN_")}
        line = f'exec "{sys.executable}" -X utf8 -W error "{file}"'
        ran = subprocess.run(
            ["sh", "-c", "\n".join([*exported, *more_lines, line])],
            env={**kept, "HOME": str(home), "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert ran.stderr == ""
        return ran.stdout.splitlines()

    return run_code


def test_the_engine_prints_the_variables_that_the_readme_names(exported: list[str]) -> None:
    names = re.findall(r"^export (\w+)=", EXPORTS, re.MULTILINE)
    assert [re.match(r"export (\w+)=", line)[1] for line in exported] == names


def test_the_installed_package_is_the_one_that_runs(
    run: Callable[..., list[str]], installed: Path
) -> None:
    (file,) = run("import arcrun; print(arcrun.__file__)")
    assert Path(file).is_relative_to(installed)


def test_the_quick_starts_do_what_they_say(run: Callable[..., list[str]]) -> None:
    health, names, data = run(LOCAL)
    assert health == "True"
    assert names == "['weather_token']"
    assert "HELLO, 世界" in data
    assert run(ASYNCHRONOUS) == ["['A', 'B']", "https://api.notion.com/v1/"]


@pytest.mark.parametrize("export", ["", "export ARCRUN_CREDENTIAL_FORMAT=plain"])
def test_the_quick_start_for_the_hosted_engine_stores_a_credential(
    export: str, run: Callable[..., list[str]]
) -> None:
    code = HOSTED.replace('credential_format="plain"', "") if export else HOSTED
    assert run(code, export) == ["weather_token"]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()[-1]
    assert command == "nox -s tests"
    assert any(command in block for block in blocks("sh"))
