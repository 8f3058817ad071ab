import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from scripts.release.artifacts import Artifact, OverBudget, StrayFile, sha256
from scripts.release.python import contents
from scripts.release.python.contents import check_budgets, check_contents
from scripts.release.versions import SDK

MODULE = b'"""\xe5\xa5\x97\xe4\xbb\xb6"""\n'
METADATA = "arcrun-1.2.3.dist-info/METADATA"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    folder = root / "packages/python-sdk/src/arcrun"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_bytes(MODULE)
    (folder / "notes.txt").write_bytes(b"tracked, but no code")
    (root / ".gitignore").write_bytes(b"*.pyc\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    return root


def wheel(folder: Path, members: dict[str, bytes]) -> Artifact:
    path = folder / "arcrun-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return Artifact(SDK, path, sha256(path))


def sdist(folder: Path, members: dict[str, bytes]) -> Artifact:
    path = folder / "arcrun-1.2.3.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"arcrun-1.2.3/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return Artifact(SDK, path, sha256(path))


def test_a_wheel_of_tracked_code_and_metadata_passes(checkout: Path, tmp_path: Path) -> None:
    valid = wheel(tmp_path, {"arcrun/__init__.py": MODULE, METADATA: b"Name: arcrun"})
    assert check_contents(valid, checkout) == 2


def test_an_sdist_of_tracked_files_passes(checkout: Path, tmp_path: Path) -> None:
    files = {"src/arcrun/__init__.py": MODULE, "PKG-INFO": b"", ".gitignore": b"*.pyc\n"}
    assert check_contents(sdist(tmp_path, files), checkout) == 3


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("arcrun/stray.py", b"x = 1\n", "not a file that git tracks"),
        ("arcrun/__init__.py", b"changed\n", "changed since it was checked out"),
        ("arcrun/notes.txt", b"tracked, but no code", "not of an allowed kind"),
        ("arcrun/tests/test_it.py", MODULE, "never belongs in a wheel"),
        ("arcrun/.env", b"A=1", "never belongs in a wheel"),
        ("arcrun.pth", b"import os", "outside arcrun/"),
        ("arcrun/start.pth", b"import os", "never belongs in a wheel"),
        ("other/__init__.py", MODULE, "outside arcrun/"),
        ("arcrun-1.2.3.dist-info/extra.json", b"{}", "outside arcrun/"),
        ("arcrun/__init__.py", b"KEY = 'ak_" + b"0a" * 24 + b"'", "looks like a key"),
    ],
)
def test_a_stray_file_in_a_wheel_is_named(
    checkout: Path, tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    with pytest.raises(StrayFile, match=expected) as caught:
        check_contents(wheel(tmp_path, {name: content}), checkout)
    assert f"{name}:" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"), [("store.db", b""), ("hook.pth", b"import os"), ("未知.md", b"?")]
)
def test_a_stray_file_in_an_sdist_is_named(
    checkout: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    with pytest.raises(StrayFile, match=name):
        check_contents(sdist(tmp_path, {name: content}), checkout)


def test_a_wheel_within_its_budget_shows_the_used_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = wheel(tmp_path, {"arcrun/__init__.py": MODULE})
    monkeypatch.setattr(contents, "WHEEL_BUDGETS", {SDK: artifact.size / 500})
    assert check_budgets([artifact]) == f"{SDK} 50%"


def test_a_wheel_over_its_budget_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "WHEEL_BUDGETS", {SDK: 0.1})
    with pytest.raises(OverBudget, match=r"arcrun-1\.2\.3.* its budget is 0\.1 kB"):
        check_budgets([wheel(tmp_path, {"arcrun/__init__.py": MODULE})])
