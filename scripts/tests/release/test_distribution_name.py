import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import ROOT
from scripts.release.distribution_name import changes, main, renamed
from scripts.release.versions import SDK, SDK_FOLDER

OTHER = "arcrun-sdk" if SDK == "arcrun" else "arcrun-other"


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """A copy of this checkout, in which only the name of the distribution was edited."""
    root = tmp_path / "checkout"
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    manifest = root / SDK_FOLDER / "pyproject.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace(f'name = "{SDK}"', f'name = "{OTHER}"', 1), "utf-8")
    return root


def test_everything_here_has_the_name_that_is_stated() -> None:
    assert main(["--check"]) == 0


def test_what_tells_how_to_install_follows_an_edit_of_the_name(
    edited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check"], edited) == 1
    assert "run: python -m scripts.release.distribution_name" in capsys.readouterr().err
    for path, text in changes(edited).items():
        path.write_text(text, "utf-8")
    assert main(["--check"], edited) == 0
    readme = (edited / SDK_FOLDER / "README.md").read_text("utf-8")
    assert f"pip install {OTHER}\n" in readme
    assert f'pip install "{OTHER}[keyring]"' in readme
    assert "`pip install arcrun` from the public index brings something else" in readme
    assert f'pip install "{OTHER}[keyring]"' in (
        edited / SDK_FOLDER / "src/arcrun/_local.py"
    ).read_text("utf-8")
    workspace = (edited / "pyproject.toml").read_text("utf-8")
    assert f'dependencies = ["{OTHER}", "arcrun-server", "arcrun-conformance"]' in workspace
    assert f"\n{OTHER} = {{ workspace = true }}" in workspace
    assert f'\n  "{OTHER}[cli,mcp]",' in workspace
    assert extras_under_the_old_name(edited) == []


def extras_under_the_old_name(root: Path) -> list[str]:
    """Return where somebody would still be told to install an extra of another project's package."""
    manifest = (root / SDK_FOLDER / "pyproject.toml").read_text("utf-8")
    _, _, extras = manifest.partition("[project.optional-dependencies]\n")
    names = re.findall(r"^(\w+) = ", extras.partition("\n[")[0], re.MULTILINE)
    assert {"cli", "mcp", "keyring"} <= set(names)
    old = rf"(^|[^-A-Za-z0-9_/.]){SDK}\[({'|'.join(names)})"
    command = [
        "git",
        "grep",
        "--no-index",
        "--line-number",
        "-E",
        old,
        "--",
        "*.py",
        "*.md",
        "*.toml",
    ]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    # What was said at the time stays as it is; tests of renaming name both.
    kept = ("CHANGELOG.md", "scripts/release/distribution_name.py", "scripts/tests/")
    return [line for line in ran.stdout.splitlines() if not line.startswith(kept)]


def test_an_extra_under_the_old_name_is_noticed(edited: Path) -> None:
    assert [line for line in extras_under_the_old_name(edited) if line.startswith("docs/cli.md")]


def test_the_release_and_the_package_follow_an_edit_of_the_name(edited: Path) -> None:
    code = (
        "from scripts.release import versions, planted;"
        "from scripts.release.python.contents import WHEEL_BUDGETS, WHEEL_KINDS;"
        "print(*versions.PACKAGES, *WHEEL_BUDGETS, *WHEEL_KINDS, versions.agreed_version())"
    )
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=edited, capture_output=True, text=True, check=True)
    names = [OTHER, "arcrun-server", "arcrun-conformance"]
    assert ran.stdout.split()[:-1] == names * 3
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(edited / "dist")]
    subprocess.run(build, cwd=edited / SDK_FOLDER, capture_output=True, check=True)
    (wheel,) = (edited / "dist").iterdir()
    assert wheel.name.startswith(f"{OTHER.replace('-', '_')}-")
    check = (
        "import sys; from pathlib import Path; from scripts.release.artifacts import Artifact, sha256;"
        "from scripts.release.python.contents import check_contents; path = Path(sys.argv[1]);"
        f"check_contents(Artifact('{OTHER}', path, sha256(path)), Path.cwd())"
    )
    subprocess.run(["git", "add", "--all", SDK_FOLDER], cwd=edited, check=True)
    subprocess.run([sys.executable, "-c", check, str(wheel)], cwd=edited, check=True)


@pytest.mark.parametrize(
    "text",
    [
        "import arcrun",
        "pip install arcrun-server",
        "pip install 'arcrun-server[otel]'",
        "pip install ./packages/arcrun",
        "pip install arcrun.dev",
        "`pip install arcrun` from the public index",
        "arcrun[0]",
        "client.arcrun[key]",
    ],
)
def test_what_is_about_something_else_keeps_its_name(text: str) -> None:
    assert renamed("a.md", text, "arcrun", OTHER) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pip install arcrun.", f"pip install {OTHER}."),
        ("python -m pip install -U 'arcrun[cli]'", f"python -m pip install -U '{OTHER}[cli]'"),
        ("uvx arcrun mcp", f"uvx {OTHER} mcp"),
        ("uv add arcrun", f"uv add {OTHER}"),
        ('all = ["arcrun[cli,keyring]"]', f'all = ["{OTHER}[cli,keyring]"]'),
    ],
)
def test_what_is_about_an_installation_gets_the_new_name(text: str, expected: str) -> None:
    assert renamed("a.md", text, "arcrun", OTHER) == expected
