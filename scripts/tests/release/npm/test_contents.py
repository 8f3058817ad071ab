import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts.release.npm import contents as npm_files
from scripts.release.npm.contents import check, check_budget
from scripts.release.python.contents import OverBudget, StrayFile
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


def sound(root: Path) -> dict[str, bytes]:
    """The files of a package in which nothing is wrong."""
    copied = {name: (root / NPM_FOLDER / name).read_bytes() for name in npm_files.AS_CHECKED_OUT}
    built = ("index.js", "index.cjs", "index.d.ts", "index.d.cts", "deferred-ECCA327C.js")
    return copied | {f"dist/{name}": b"export {};\n" for name in built}


def tarball(root: Path, members: dict[str, bytes], mode: int = 0o644) -> Path:
    path = root.parent / "arcrun-sdk-1.2.3.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return path


def test_a_sound_package_passes_with_the_number_of_its_files(checkout: Path) -> None:
    assert check(tarball(checkout, sound(checkout)), checkout) == 8


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("notes.md", "筆記".encode(), "notes.md: of no allowed kind"),
        ("dist/index.js.map", b"{}", "dist/index.js.map: of no allowed kind"),
        ("src/index.ts", b"", "src/index.ts: of no allowed kind"),
        ("../outside.js", b"", "outside.js: of no allowed kind"),
        ("README.md", "# 別的\n".encode(), "README.md: not as it is checked out"),
        ("dist/index.js", b"const key = 'ak_" + b"0" * 48 + b"';", "index.js: looks like a key"),
    ],
)
def test_a_file_that_does_not_belong_there_is_named(
    checkout: Path, name: str, content: bytes, told: str
) -> None:
    with pytest.raises(StrayFile, match=told):
        check(tarball(checkout, sound(checkout) | {name: content}), checkout)


def test_a_file_that_is_missing_is_named(checkout: Path) -> None:
    members = sound(checkout)
    del members["dist/index.d.cts"]
    with pytest.raises(StrayFile, match=r"package/dist/index\.d\.cts: missing"):
        check(tarball(checkout, members), checkout)


def test_a_mode_that_the_umask_left_is_named(checkout: Path) -> None:
    with pytest.raises(StrayFile, match="has the mode 600, not 644"):
        check(tarball(checkout, sound(checkout), mode=0o600), checkout)


def test_a_link_is_no_plain_file(checkout: Path) -> None:
    path = tarball(checkout, {})
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("package/dist/index.js")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(StrayFile, match=r"dist/index\.js: not a plain file"):
        check(path, checkout)


def test_a_source_that_git_does_not_track_is_named(checkout: Path) -> None:
    (checkout / NPM_FOLDER / "src" / "new.ts").write_text("export {};\n")
    with pytest.raises(StrayFile, match=r"src/new\.ts: git does not track it"):
        check(tarball(checkout, sound(checkout)), checkout)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dependencies": {"left-pad": "1.3.0"}}, "dependencies"),
        ({"scripts": {"postinstall": "node x.js"}}, r"scripts\.postinstall"),
    ],
)
def test_a_package_that_brings_something_along_is_refused(
    checkout: Path, change: dict[str, Any], told: str
) -> None:
    (checkout / NPM_FOLDER / "package.json").write_text(json.dumps(MANIFEST | change))
    with pytest.raises(StrayFile, match=rf"package\.json: {told}: the package brings nothing"):
        check(tarball(checkout, sound(checkout)), checkout)


def test_a_tarball_over_its_budget_is_told_with_both_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "arcrun-sdk-1.2.3.tgz"
    path.write_bytes(bytes(3000))
    monkeypatch.setattr(npm_files, "BUDGET", 4)
    assert check_budget(path) == "75%"
    monkeypatch.setattr(npm_files, "BUDGET", 2)
    with pytest.raises(OverBudget, match=r"weighs 3\.0 kB, and its budget is 2 kB"):
        check_budget(path)
