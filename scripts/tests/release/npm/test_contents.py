import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts.release.artifacts import OverBudget, StrayFile
from scripts.release.npm import contents
from scripts.release.npm.contents import check_budget, check_contents
from scripts.release.versions import NPM_FOLDER

MANIFEST: dict[str, Any] = {"name": "@arcrun/sdk", "version": "1.2.3", "scripts": {"build": "tsup"}}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    folder = root / NPM_FOLDER
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.ts").write_text("export const 名 = 1;\n")
    (folder / "package.json").write_text(json.dumps(MANIFEST))
    (folder / "README.md").write_text("# 說明\n")
    (folder / "LICENSE").write_text("Apache-2.0\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    return root


def valid_files(root: Path) -> dict[str, bytes]:
    """The files of a valid package."""
    copied = {name: (root / NPM_FOLDER / name).read_bytes() for name in contents.AS_CHECKED_OUT}
    built = ("index.js", "index.cjs", "index.d.ts", "index.d.cts", "node.js", "node.cjs")
    return copied | {f"dist/{name}": b"export {};\n" for name in built}


def tarball(root: Path, members: dict[str, bytes], mode: int = 0o644) -> Path:
    path = root.parent / "arcrun-sdk-1.2.3.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return path


def test_a_valid_package_passes_with_the_number_of_its_files(checkout: Path) -> None:
    assert check_contents(tarball(checkout, valid_files(checkout)), checkout) == 9


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("notes.md", "筆記".encode(), "notes.md: not of an allowed kind"),
        ("dist/index.js.map", b"{}", "dist/index.js.map: not of an allowed kind"),
        ("src/index.ts", b"", "src/index.ts: not of an allowed kind"),
        ("../outside.js", b"", "outside.js: not of an allowed kind"),
        ("README.md", "# 別的\n".encode(), "README.md: changed since it was checked out"),
        ("dist/index.js", b"const key = 'ak_" + b"0" * 48 + b"';", "index.js: looks like a key"),
    ],
)
def test_a_file_that_does_not_belong_there_is_named(
    checkout: Path, name: str, content: bytes, expected: str
) -> None:
    with pytest.raises(StrayFile, match=expected):
        check_contents(tarball(checkout, valid_files(checkout) | {name: content}), checkout)


def test_a_file_that_is_missing_is_named(checkout: Path) -> None:
    members = valid_files(checkout)
    del members["dist/index.d.cts"]
    with pytest.raises(StrayFile, match=r"package/dist/index\.d\.cts: missing"):
        check_contents(tarball(checkout, members), checkout)


def test_a_mode_that_the_umask_left_is_named(checkout: Path) -> None:
    with pytest.raises(StrayFile, match="has the mode 600, not 644"):
        check_contents(tarball(checkout, valid_files(checkout), mode=0o600), checkout)


def test_a_link_is_not_a_regular_file(checkout: Path) -> None:
    path = tarball(checkout, {})
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("package/dist/index.js")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(StrayFile, match=r"dist/index\.js: not a regular file"):
        check_contents(path, checkout)


def test_a_source_that_git_does_not_track_is_named(checkout: Path) -> None:
    (checkout / NPM_FOLDER / "src" / "new.ts").write_text("export {};\n")
    with pytest.raises(StrayFile, match=r"src/new\.ts: git does not track it"):
        check_contents(tarball(checkout, valid_files(checkout)), checkout)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"dependencies": {"left-pad": "1.3.0"}}, "dependencies"),
        ({"scripts": {"postinstall": "node x.js"}}, r"scripts\.postinstall"),
    ],
)
def test_dependencies_and_install_scripts_are_refused(
    checkout: Path, change: dict[str, Any], expected: str
) -> None:
    (checkout / NPM_FOLDER / "package.json").write_text(json.dumps(MANIFEST | change))
    with pytest.raises(
        StrayFile, match=rf"package\.json: {expected}: dependencies and install scripts are"
    ):
        check_contents(tarball(checkout, valid_files(checkout)), checkout)


def test_a_tarball_over_its_budget_is_an_error_with_both_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "arcrun-sdk-1.2.3.tgz"
    path.write_bytes(bytes(3000))
    monkeypatch.setattr(contents, "BUDGET", 4)
    assert check_budget(path) == "75%"
    monkeypatch.setattr(contents, "BUDGET", 2)
    with pytest.raises(OverBudget, match=r"has 3\.0 kB, and its budget is 2 kB"):
        check_budget(path)
