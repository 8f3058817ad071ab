import subprocess
from pathlib import Path

import pytest

from scripts.file_sizes import EXEMPT, main, too_long


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def track(checkout: Path, name: str, lines: int) -> None:
    path = checkout / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("行\n" * lines, "utf-8")
    subprocess.run(["git", "add", "--force", name], cwd=checkout, check=True)


@pytest.mark.parametrize(
    "name", ["packages/a.py", "src/b.ts", "adapters/c.mjs", "scenarios/d.yaml"]
)
def test_a_source_file_over_the_limit_is_found(checkout: Path, name: str) -> None:
    track(checkout, "short.py", 500)
    track(checkout, name, 501)
    assert list(too_long(checkout)) == [(name, 501)]


@pytest.mark.parametrize("name", ["uv.lock", "package-lock.json", "LICENSE", *sorted(EXEMPT)])
def test_lock_files_and_the_contract_may_be_longer(checkout: Path, name: str) -> None:
    track(checkout, name, 501)
    assert list(too_long(checkout)) == []


def test_a_file_that_git_does_not_track_is_not_checked(checkout: Path) -> None:
    (checkout / "new.py").write_text("x\n" * 501)
    assert list(too_long(checkout)) == []


def test_the_command_fails_and_names_the_file(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(checkout) == 0
    track(checkout, "long.py", 600)
    assert main(checkout) == 1
    assert "long.py has 600 lines, and 500 is the limit" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["profiler-0.4-py3-none-any.whl", "a/sdk-0.1.0.tgz", "b.tar.gz"])
def test_a_built_file_in_git_is_found(
    checkout: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    track(checkout, name, 1)
    assert main(checkout) == 1
    assert f"{name} is built, and git is for sources" in capsys.readouterr().err
